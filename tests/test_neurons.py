"""Learning rules against closed forms in NumPy, their fixed points, and numpy's eigenvectors."""

import ast
import inspect
import itertools

import numpy as np
import pytest
import torch

from aecourse import neurons
from aecourse.neurons import hebb, minor, oja, sanger, subspace

RULES = [hebb, oja, subspace, sanger, minor]
VARIANCES = np.array([0.9, 0.6, 0.35, 0.2, 0.1, 0.03])  # below 1, as `minor` needs


@pytest.fixture
def x():
    """200 rows of 6 numbers whose second moment x^T x / N has exactly these eigenvalues."""
    rng = np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.normal(size=(200, 6)))
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    return torch.from_numpy(q * np.sqrt(200 * VARIANCES) @ turn.T)


@pytest.fixture
def axes(x):
    """Eigenvectors of x^T x / N as rows, the largest eigenvalue first."""
    values, vectors = np.linalg.eigh(x.numpy().T @ x.numpy() / len(x))
    np.testing.assert_allclose(values[::-1], VARIANCES)
    return torch.from_numpy(vectors.T[::-1].copy())


def weights(d, seed=1, size=6, length=0.8):
    w = torch.from_numpy(np.random.default_rng(seed).normal(size=(d, size)))
    return length * w / w.norm(dim=1, keepdim=True)


def repeated(rule, w, x, steps, eta=0.5):
    for _ in range(steps):
        w = rule(w, x, eta)
    return w


def row_by_row(w, axes):
    return ((w * axes).sum(1).abs() / w.norm(dim=1)).numpy()


# ---- one step ---------------------------------------------------------------------------------

# The mean change for a second moment C, from the papers' formulas.
DRIFT = {
    hebb: lambda w, c: w @ c,
    oja: lambda w, c: w @ c - np.diag(np.diag(w @ c @ w.T)) @ w,
    subspace: lambda w, c: w @ c - w @ c @ w.T @ w,
    sanger: lambda w, c: w @ c - np.tril(w @ c @ w.T) @ w,
    minor: lambda w, c: (
        -w @ c + np.diag(np.diag(w @ c @ w.T)) @ w + np.diag(1 - np.diag(w @ w.T)) @ w
    ),
}


@pytest.mark.parametrize("d", [1, 3, 6, 8])
@pytest.mark.parametrize("rule", RULES)
def test_a_step_is_the_mean_drift(rule, d, x):
    w = weights(d)
    c = x.numpy().T @ x.numpy() / len(x)
    expected = w.numpy() + 0.3 * DRIFT[rule](w.numpy(), c)
    np.testing.assert_allclose(rule(w, x, 0.3), expected, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_a_batch_is_the_mean_of_its_single_inputs(rule, x):
    w = weights(3)
    alone = torch.stack([rule(w, row[None], 0.3) for row in x + 0.5])
    torch.testing.assert_close(rule(w, x + 0.5, 0.3), alone.mean(0))


@pytest.mark.parametrize("rule", [hebb, oja, minor])
def test_the_rows_know_nothing_of_each_other(rule, x):
    w = weights(4)
    alone = torch.cat([rule(row[None], x, 0.3) for row in w])
    torch.testing.assert_close(rule(w, x, 0.3), alone)


def test_row_k_of_sanger_knows_the_rows_up_to_k_only(x):
    w = weights(4)
    for k in range(1, 5):
        torch.testing.assert_close(sanger(w, x, 0.3)[:k], sanger(w[:k], x, 0.3))
    other = torch.cat([weights(1, seed=9), w[1:]])
    assert (sanger(other, x, 0.3) - sanger(w, x, 0.3))[1:].abs().amin() > 1e-4


def test_one_neuron_is_the_same_for_all_three(x):
    w = weights(1)
    torch.testing.assert_close(subspace(w, x, 0.3), oja(w, x, 0.3))
    torch.testing.assert_close(sanger(w, x, 0.3), oja(w, x, 0.3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rule", RULES)
def test_returns_new_weights_and_keeps_the_old(rule, dtype, x):
    w, x = weights(3).to(dtype), x.to(dtype)
    before = w.clone(), x.clone()
    new = rule(w, x, 0.3)
    assert new.shape == (3, 6) and new.dtype == dtype and new.data_ptr() != w.data_ptr()
    assert torch.equal(w, before[0]) and torch.equal(x, before[1])


# ---- what the notebook derives ----------------------------------------------------------------


def test_under_hebb_the_length_only_grows(x):
    w = weights(5)
    for eta in (1e-3, 0.1, 10):
        assert (hebb(w, x, eta).norm(dim=1) > w.norm(dim=1)).all()


def test_oja_is_normalised_hebb_to_first_order(x):
    w = weights(1, length=1)
    gaps = []
    for eta in (1e-2, 1e-3):
        exact = hebb(w, x, eta)
        gaps.append((exact / exact.norm() - oja(w, x, eta)).norm())
    assert 1.95 < (gaps[0] / gaps[1]).log10() < 2.05


@pytest.mark.parametrize("d", [1, 3])
def test_the_subspace_rule_goes_down_the_reconstruction_error(d, x):
    def downhill(w, hold):
        w = w.clone().requires_grad_()
        y = x @ w.T
        error = (x - (y.detach() if hold else y) @ w).square().sum() / len(x)
        return w - 0.15 * torch.autograd.grad(error, w)[0]

    w, orthonormal = weights(d), torch.linalg.qr(weights(d).T)[0].T
    torch.testing.assert_close(downhill(w, hold=True), subspace(w, x, 0.3))
    torch.testing.assert_close(downhill(orthonormal, hold=False), subspace(orthonormal, x, 0.3))


# ---- where they rest --------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [oja, subspace, sanger, minor])
def test_eigenvectors_of_length_1_are_fixed_points(rule, x, axes):
    torch.testing.assert_close(rule(axes, x, 0.3), axes)
    torch.testing.assert_close(rule(-axes[1:4], x, 0.3), -axes[1:4])


def test_turned_axes_stay_under_the_subspace_rule_and_not_under_sangers(x, axes):
    turn, _ = torch.linalg.qr(weights(3, size=3))
    turned = turn @ axes[:3]
    torch.testing.assert_close(subspace(turned, x, 0.3), turned)
    assert (sanger(turned, x, 0.3) - turned).norm() > 0.01
    assert (oja(turned, x, 0.3) - turned).norm() > 0.01


@pytest.mark.parametrize("length", [0.01, 0.8, 1.2])
@pytest.mark.parametrize("seed", range(3))
def test_oja_finds_the_first_axis_from_any_length(seed, length, x, axes):
    w = repeated(oja, weights(4, seed, length=length), x, 500)
    np.testing.assert_allclose(row_by_row(w, axes[0]), 1, atol=1e-6)
    np.testing.assert_allclose(w.norm(dim=1), 1, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_sanger_finds_the_axes_in_order(seed, x, axes):
    w = repeated(sanger, weights(5, seed), x, 2000)
    np.testing.assert_allclose(row_by_row(w, axes[:5]), 1, atol=1e-6)
    np.testing.assert_allclose(w @ w.T, np.eye(5), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_subspace_rule_finds_the_plane_and_not_the_axes(seed, x, axes):
    w = repeated(subspace, weights(3, seed), x, 2000)
    np.testing.assert_allclose(w @ w.T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(w.T @ w, axes[:3].T @ axes[:3], atol=1e-6)  # the same projection
    assert row_by_row(w, axes[:3]).min() < 0.9


@pytest.mark.parametrize("length", [0.1, 0.8, 1.2])
@pytest.mark.parametrize("seed", range(3))
def test_minor_finds_the_last_axis(seed, length, x, axes):
    w = repeated(minor, weights(4, seed, length=length), x, 1500)
    np.testing.assert_allclose(row_by_row(w, axes[5]), 1, atol=1e-6)
    np.testing.assert_allclose(w.norm(dim=1), 1, atol=1e-6)


@pytest.mark.parametrize("length", [0.9, 1.1])
def test_oja_with_the_sign_flipped_leaves_length_1_on_either_side(length, x):
    w = weights(4, length=length)
    lengths = repeated(oja, w, x, 20, eta=-0.1).norm(dim=1)
    assert ((lengths - length).sign() == np.sign(length - 1)).all()


def test_the_second_axis_is_a_saddle(x, axes):
    off = axes[1:2] + 1e-3 * axes[:1]
    away = [(repeated(oja, off, x, steps) @ axes[0]).abs().item() for steps in (0, 10, 20)]
    assert away[0] < away[1] < away[2]
    np.testing.assert_allclose(row_by_row(repeated(oja, off, x, 500), axes[0]), 1, atol=1e-6)


def test_data_off_the_origin_give_the_mean(x, axes):
    far = x + 5 * axes[3]
    w = repeated(oja, weights(1), far, 500, eta=0.02)
    assert row_by_row(w, far.mean(0) / far.mean(0).norm()) > 0.999
    assert row_by_row(w, axes[0]) < 0.1


@pytest.mark.parametrize("rule", [hebb, oja, subspace, sanger, minor])
def test_weights_that_run_away_are_handed_back_and_data_that_are_no_numbers_are_not(rule, x):
    """Notebook 03 looks at steps that are too large, up to infinity and beyond."""
    path = repeated(rule, weights(2), x, 3000, eta=50.0)
    assert not path.isfinite().any()
    spoilt = x.clone()
    spoilt[3, 1] = torch.nan
    for _ in range(2):  # also where a call of the kind has been right before
        with pytest.raises(ValueError, match="x contains NaN"):
            rule(weights(2), spoilt, 0.1)


# ---- the module -------------------------------------------------------------------------------


def test_it_stands_on_the_ground():
    tree = ast.parse(inspect.getsource(neurons))
    names = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    ours = {name for name in names if name.startswith("aecourse")}
    assert ours <= {"aecourse.inputs", "aecourse.shapes"}


# ---- do weights point along axes? -------------------------------------------------------------


def test_cosines_are_those_of_numpy_whatever_the_lengths_and_signs(axes):
    w, by_hand = 3 * weights(4), np.empty((4, 6))
    for r, c in np.ndindex(4, 6):
        row, axis = w[r].numpy(), axes[c].numpy()
        by_hand[r, c] = abs(np.dot(row, axis)) / np.linalg.norm(row) / np.linalg.norm(axis)
    np.testing.assert_allclose(neurons.cosines(w, axes), by_hand)


def test_matched_finds_the_pairs_of_the_largest_sum_among_all_orders(axes):
    w = weights(5)
    table = neurons.cosines(w, axes[:4]).numpy()  # (5, 4)
    orders = list(itertools.permutations(range(5), 4))
    best = max(orders, key=lambda order: sum(table[r, c] for c, r in enumerate(order)))
    pairs = [table[r, c] for c, r in enumerate(best)]
    np.testing.assert_allclose(neurons.matched(w, axes[:4]), pairs)


def test_the_same_axes_in_another_order_and_with_other_signs_match(axes):
    other = axes[[3, 0, 4, 1, 2]] * torch.tensor([2.0, -1, 1, -3, 1])[:, None]
    np.testing.assert_allclose(neurons.matched(other, axes[:5]), 1)


def test_fewer_rows_than_axes_cannot_be_matched(axes):
    with pytest.raises(ValueError, match="w has 2 rows, axes 5"):
        neurons.matched(weights(2), axes[:5])
