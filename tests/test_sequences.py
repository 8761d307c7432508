"""The sequence autoencoder against loops over single points, and windows against slices."""

import numpy as np
import pytest
import torch
from torch import nn

from aecourse.losses import squared_error
from aecourse.sequences import SequenceAutoencoder, forced, teacher_forced, windows
from aecourse.training import fit, one_cycle

SHAPE = (7, 3)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SequenceAutoencoder(SHAPE, hidden=5)


@pytest.fixture
def x():
    return torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0))


def cell(lstm):
    """The same LSTM as a cell that makes one step."""
    step = nn.LSTMCell(lstm.input_size, lstm.hidden_size)
    weights = lstm.state_dict()
    step.load_state_dict({name: weights[f"{name}_l0"] for name in step.state_dict()})
    return step


@torch.no_grad()
def by_hand(model, window, teacher):
    """One window (T, C) point by point (Malhotra et al., figure 1), forced or on its own."""
    read, write = cell(model.encoder), cell(model.decoder)
    state = None
    for point in window:
        state = read(point[None], state)
    rebuilt = {len(window) - 1: model.output(state[0])[0]}
    for t in range(len(window) - 2, -1, -1):
        state = write((window[t + 1] if teacher else rebuilt[t + 1])[None], state)
        rebuilt[t] = model.output(state[0])[0]
    return torch.stack([rebuilt[t] for t in range(len(window))])


def test_it_keeps_the_contract_of_a_model(model, x):
    z = model.encode(x)
    assert z.shape == (4, 10) and model.decode(z).shape == x.shape and model.shape == SHAPE
    assert torch.equal(model(x), model.decode(z))


@pytest.mark.parametrize("teacher", [True, False])
def test_it_is_the_loop_over_single_points(model, x, teacher):
    with torch.no_grad():
        rebuilt = forced(model, x) if teacher else model(x)
    loop = torch.stack([by_hand(model, window, teacher) for window in x])
    assert torch.allclose(rebuilt, loop, atol=1e-6)


def test_the_teacher_forced_loss_is_summed_over_points_and_averaged_over_windows(model, x):
    loss = teacher_forced(model, x)
    loop = sum((window - by_hand(model, window, True)).square().sum() for window in x) / len(x)
    assert list(loss) == ["reconstruction"]
    assert loss["reconstruction"].item() == pytest.approx(loop.item(), rel=1e-5)


def test_the_last_point_is_written_first(model, x):
    """Point t of the forced reconstruction knows the points after it, and not those before it,
    once the code is held: they are written later."""
    z = model.encode(x)
    model.encode = lambda x: z
    point = 3
    gradient = torch.autograd.grad(forced(model, x.requires_grad_())[:, point].sum(), x)[0]
    told = gradient.abs().sum((0, 2)) > 0
    assert told.tolist() == [False] * (point + 1) + [True] * (SHAPE[0] - point - 1)


def test_the_code_is_the_state_after_the_last_point(model, x):
    h, (last, memory) = model.encoder(x)
    assert torch.equal(model.encode(x), torch.cat([h[:, -1], memory[0]], 1))
    assert torch.equal(last[0], h[:, -1])


def test_it_learns_a_tiny_set_by_heart():
    t = torch.linspace(0, 6, 12)
    x = torch.stack([t.sin(), t.cos(), 0.5 * t.sin().square(), -t.sin()])[..., None]  # (4, 12, 1)
    torch.manual_seed(0)
    model = SequenceAutoencoder((12, 1), hidden=12)
    before = squared_error(x, model(x)).item()
    fit(model, x, teacher_forced, epochs=600, batch=4, lr=0.02, schedule=one_cycle)
    assert squared_error(x, model(x)).item() < 0.02 * before  # without a teacher


@pytest.mark.parametrize("shape", [(4, 3, 7), (4, 7), (4, 8, 3), (7, 3)])
def test_windows_of_another_shape_are_refused_in_a_sentence(model, shape):
    with pytest.raises(ValueError, match=r"^[^\n]+\(7, 3\)[^\n]+\.$"):
        model(torch.zeros(shape))
    with pytest.raises(ValueError):
        teacher_forced(model, torch.zeros(shape))


@pytest.mark.parametrize(
    ("length", "size", "step"), [(10, 3, 1), (11, 4, 3), (10, 4, 3), (5, 5, 2)]
)
def test_windows_are_slices(length, size, step):
    x = torch.randn(length, 2, generator=torch.Generator().manual_seed(0))
    truth = np.lib.stride_tricks.sliding_window_view(x.numpy(), size, axis=0)[::step]
    came = windows(x, size, step)
    np.testing.assert_array_equal(came, truth.swapaxes(1, 2))
    assert len(came) == (length - size) // step + 1 and came.is_contiguous()


@pytest.mark.parametrize(
    ("shape", "size", "step"), [((10, 2), 11, 1), ((10, 2), 0, 1), ((10, 2), 3, 0), ((10,), 3, 1)]
)
def test_windows_that_do_not_fit_are_refused_in_a_sentence(shape, size, step):
    with pytest.raises(ValueError, match=rf"Windows of {size} points, .*\.$"):
        windows(torch.zeros(shape), size, step)
