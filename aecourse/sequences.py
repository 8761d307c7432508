"""Series: windows, and an autoencoder that reads one window and writes it backwards."""

import torch
from torch import nn

from aecourse.letters import whole
from aecourse.losses import squared_error
from aecourse.shapes import guard


def windows(x, size, step=1):
    """All windows of `size` points of a series x (T, C), one every `step` points: (N, size, C).

    Window n is x[n * step : n * step + size]; what is left at the end is dropped, so that
    N = (T - size) // step + 1. Raises ValueError when not even one fits.
    """
    if x.ndim != 2 or not 1 <= size <= len(x) or step < 1:
        series = f"a series (T, C) of at least {size} points, not {tuple(x.shape)}"
        raise ValueError(f"Windows of {size} points, one every {step}, need {series}.")
    return x.unfold(0, size, step).mT.contiguous()


class SequenceAutoencoder(nn.Module):
    """An LSTM reads x (N, T, C); its last state is the code; a second one writes x from there.

    shape  (T, C), points and channels of a window; hidden units in each LSTM
    The code z (N, 2 * hidden) is the hidden and the cell state. The decoder writes the last point
    first and reads what it has written; in training it is told the true points, see `forced`.
    (Malhotra et al. 2016, after Sutskever et al. 2014)
    """

    def __init__(self, shape, hidden=32):
        super().__init__()
        self.shape = tuple(shape)
        self.encoder = nn.LSTM(shape[1], hidden, batch_first=True)
        self.decoder = nn.LSTM(shape[1], hidden, batch_first=True)
        self.output = nn.Linear(hidden, shape[1])

    def encode(self, x):
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x is {tuple(x.shape)}; (N, T, C) should have {self.shape} as T, C.")
        _, state = self.encoder(x)
        return torch.cat(state, 2)[0]  # (N, 2 * hidden)

    def decode(self, z):
        state = torch.stack(z.chunk(2, dim=1)).split(1)  # hidden and cell, each (1, N, hidden)
        values = [self.output(state[0])[0]]  # the last point, (N, C)
        while len(values) < self.shape[0]:
            h, state = self.decoder(values[-1][:, None], state)
            values.append(self.output(h[:, 0]))
        return torch.stack(values[::-1], 1)  # (N, T, C)

    def forward(self, x):
        return self.decode(self.encode(x))


def forced(model, x):
    """The reconstruction of x (N, T, C) by a decoder that is told each true point in turn."""
    state = torch.stack(model.encode(x).chunk(2, dim=1)).split(1)
    h, _ = model.decoder(x.flip(1)[:, :-1], state)  # told the last point first, never the first
    return model.output(torch.cat([state[0][0][:, None], h], 1)).flip(1)


def teacher_forced(model, x):
    """Squared error under teacher forcing, see `forced`.

    Summed over points and channels, averaged over the batch. (Williams & Zipser 1989)
    """
    return {"reconstruction": squared_error(x, forced(model, x))}


guard(globals(), size=whole, step=whole, windows={"x": "*"})
