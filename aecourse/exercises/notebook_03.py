"""Exercises of notebook 03: neurons."""

import torch

from aecourse import neurons
from aecourse.exercises import exercise


def _neurons():
    """Three neurons, one, and as many as inputs; the data are not centred."""
    generator = torch.Generator().manual_seed(0)
    cases = []
    for d, size, n, eta in [(3, 5, 20, 0.2), (1, 4, 30, 0.3), (4, 4, 7, 0.1)]:
        w, x = (torch.randn(rows, size, generator=generator) for rows in (d, n))
        cases.append((w, x + 0.5, eta))
    return cases


def _grown(w, x, eta, forgotten):
    """Hebb's rule, less eta times what is forgotten; a mistake lies in what is."""
    return neurons.hebb(w, x, eta) - eta * forgotten


def _summed(rule):
    """The rule with the sum over the batch in place of the mean."""
    return lambda w, x, eta: rule(w, x, eta * len(x))


def _negated(rule):
    """The rule with a minus before the whole change."""
    return lambda w, x, eta: rule(w, x, -eta)


def _remembering(rule):
    """The rule with a plus before what should be forgotten."""
    return lambda w, x, eta: 2 * neurons.hebb(w, x, eta) - rule(w, x, eta)


def _products(w, x):
    """Mean of y y^T over the batch, (d, d)."""
    y = x @ w.T
    return y.T @ y / len(x)


_OUTPUTS = "The outputs of all neurons for all inputs are y = x @ w.T, of shape (N, d)."
_SUM = "look at the mean: you sum over the batch; divide by len(x)."
_NEW = "look at the result: this is the change only; the new weights are w plus the change."
_MINUS = "look at the sign before eta: the change is added to w, not subtracted from it."
_FORGET = "look at the sign of the second term: it is forgetting, and so has a minus."
_HEBB = "look at the second term: without forgetting this is still Hebb's rule."

exercise(
    neurons.hebb,
    cases=_neurons,
    mistakes={
        _MINUS: _negated(neurons.hebb),
        _SUM: _summed(neurons.hebb),
        _NEW: lambda w, x, eta: neurons.hebb(w, x, eta) - w,
        "look at the transpose: the new weights are (d, D), one neuron a row, as w is.": (
            lambda w, x, eta: neurons.hebb(w, x, eta).T
        ),
        "look at the mean: average the products y x, don't multiply the averages.": (
            lambda w, x, eta: w + eta * torch.outer((x @ w.T).mean(0), x.mean(0))
        ),
        "look at the mean image: the rule takes x as it comes; to centre it is up to the caller.": (
            lambda w, x, eta: neurons.hebb(w, x - x.mean(0), eta)
        ),
        "look at y: it is the output w x itself; you use its square.": (
            lambda w, x, eta: w + eta * (x @ w.T).square().T @ x / len(x)
        ),
    },
    hints=(
        _OUTPUTS,
        "The change of neuron k is the mean over the batch of y[:, k] times x: (N,) with (N, D).",
        "y.T @ x is (d, D) and sums over the batch; divide by len(x).",
        "Try:  return w + eta * ... / len(x)",
    ),
)

exercise(
    neurons.oja,
    cases=_neurons,
    mistakes={
        _HEBB: neurons.hebb,
        _FORGET: _remembering(neurons.oja),
        _MINUS: _negated(neurons.oja),
        _SUM: _summed(neurons.oja),
        "look at the power of y: a neuron forgets by y ** 2, not by y.": (
            lambda w, x, eta: _grown(w, x, eta, (x @ w.T).mean(0)[:, None] * w)
        ),
        "look at the square: average y ** 2, don't square the average of y.": (
            lambda w, x, eta: _grown(w, x, eta, (x @ w.T).mean(0).square()[:, None] * w)
        ),
        "look at the second term: it has the factor y ** 2; you forget at a constant rate.": (
            lambda w, x, eta: _grown(w, x, eta, w)
        ),
        "look at y y^T: each neuron forgets by its own output only; this is the subspace rule.": (
            neurons.subspace
        ),
        "look at the length: you divide by it; Oja's rule is what that comes to for small eta.": (
            lambda w, x, eta: torch.nn.functional.normalize(neurons.hebb(w, x, eta))
        ),
        "look at the mean image: the rule takes x as it comes; to centre it is up to the caller.": (
            lambda w, x, eta: neurons.oja(w, x - x.mean(0), eta)
        ),
    },
    hints=(
        "The first term is hebb(w, x, eta), which holds w + eta <y x> already.",
        "y.square().mean(0) is (d,), one number a neuron; [:, None] makes it a column.",
        "Try:  return hebb(w, x, eta) - eta * ...[:, None] * w",
    ),
)

exercise(
    neurons.subspace,
    cases=_neurons,
    mistakes={
        _HEBB: neurons.hebb,
        _FORGET: _remembering(neurons.subspace),
        _SUM: _summed(neurons.subspace),
        "look at y y^T: each neuron forgets by all outputs; this is Oja's rule, row by row.": (
            neurons.oja
        ),
        "look at tril: here all neurons hear of all others; this is Sanger's rule.": neurons.sanger,
        "look at the mean: the second term is still a sum over the batch; divide it by len(x).": (
            lambda w, x, eta: _grown(w, x, eta, _products(w, x) @ w * len(x))
        ),
        "look at y y^T: it is (d, d), from y.T @ y; the sum of the squares is one number.": (
            lambda w, x, eta: _grown(w, x, eta, _products(w, x).trace() * w)
        ),
    },
    hints=(
        _OUTPUTS,
        "The mean of y y^T is y.T @ y / len(x), of shape (d, d).",
        "What is forgotten is that matrix times w: (d, d) @ (d, D) is (d, D).",
        "Try:  return hebb(w, x, eta) - eta * ... @ w",
    ),
)

exercise(
    neurons.sanger,
    cases=_neurons,
    mistakes={
        _HEBB: neurons.hebb,
        _FORGET: _remembering(neurons.sanger),
        _SUM: _summed(neurons.sanger),
        "look at the triangle: triu keeps what is above the diagonal, tril what is below.": (
            lambda w, x, eta: _grown(w, x, eta, _products(w, x).triu() @ w)
        ),
        "look at the diagonal: a neuron forgets by its own output as well, so keep it.": (
            lambda w, x, eta: _grown(w, x, eta, _products(w, x).tril(-1) @ w)
        ),
        "look at tril: without it this is the subspace rule, which finds no axes.": (
            neurons.subspace
        ),
        "look at what tril cuts: y y^T, of shape (d, d), before it is multiplied by w.": (
            lambda w, x, eta: _grown(w, x, eta, (_products(w, x) @ w).tril())
        ),
        "look at y y^T: only its diagonal is left, and so the neurons don't hear of each other.": (
            neurons.oja
        ),
    },
    hints=(
        "It is the subspace rule with one change: the triangle of y y^T.",
        "torch.tril(a), or a.tril(), keeps the diagonal and what is below it, and 0 elsewhere.",
        "So neuron k forgets by its own output and by those of the neurons before it, not by "
        "later ones.",
        "Try:  return hebb(w, x, eta) - eta * torch.tril(...) @ w",
    ),
)
