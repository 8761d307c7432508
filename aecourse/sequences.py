"""Series: windows, and an autoencoder that reads one window and writes it backwards."""

import torch
from torch import nn

from aecourse.losses import squared_error


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
    first. In `decode` it reads what it has written itself, in `forced` the true points.
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
            takes = ("N", *self.shape)
            raise ValueError(f"The model takes x {takes}, not {tuple(x.shape)}.".replace("'", ""))
        _, state = self.encoder(x)
        return torch.cat(state, 2)[0]  # (N, 2 * hidden)

    def decode(self, z):
        state = z[None].chunk(2, dim=2)
        values = [self.output(state[0])[0]]  # the last point, (N, C)
        while len(values) < self.shape[0]:
            h, state = self.decoder(values[-1][:, None], state)
            values.append(self.output(h[:, 0]))
        return torch.stack(values[::-1], 1)  # (N, T, C)

    def forced(self, x):
        """The reconstruction of x (N, T, C) by a decoder that is told each true point in turn."""
        state = self.encode(x)[None].chunk(2, dim=2)
        later = x.flip(1)[:, :-1]  # from the last point to the second one
        h, _ = self.decoder(later, state)
        return self.output(torch.cat([state[0][0][:, None], h], 1)).flip(1)

    def forward(self, x):
        return self.decode(self.encode(x))


def teacher_forced(model, x):
    """Squared error under teacher forcing, see `SequenceAutoencoder.forced`.

    Summed over points and channels, averaged over the batch. (Williams & Zipser 1989)
    """
    return {"reconstruction": squared_error(x, model.forced(x))}
