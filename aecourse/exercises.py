"""The exercises of the course: for each the cases to try, the typical mistakes, and the hints.

The solution of an exercise is the function of the package that has its name. A mistake is a
function that errs as people do, with a sentence that says where to look: `check` recognises it by
its answers.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from aecourse import information, losses, models, neurons

EXERCISES = {}


class Exercise(NamedTuple):
    solution: Callable
    cases: Callable  # () -> list of tuples of arguments
    mistakes: dict  # a sentence that says where to look -> the function that makes the mistake
    hints: tuple
    view: Callable  # what of an answer counts; leaves out the sign of an axis, say


def exercise(solution, cases, mistakes, hints, view=lambda answer: answer):
    EXERCISES[solution.__name__] = Exercise(solution, cases, mistakes, hints, view)


# 00 -------------------------------------------------------------------------------------------


def _two_batches():
    generator = torch.Generator().manual_seed(0)
    shapes = [(20, 1, 3, 4), (7, 1, 5, 5)]
    return [tuple(torch.rand(2, *shape, generator=generator)) for shape in shapes]


exercise(
    losses.squared_error,
    cases=_two_batches,
    mistakes={
        "look at the mean: the pixels are summed, only the images are averaged.": (
            lambda x, x_hat: (x - x_hat).square().mean()
        ),
        "look at the sum: it grows with the number of images; divide by it.": (
            lambda x, x_hat: (x - x_hat).square().sum()
        ),
        "look at the sum: one number for the batch is wanted, not one for each image.": (
            lambda x, x_hat: (x - x_hat).square().flatten(1).sum(1)
        ),
        "look at the square: this sums absolute differences.": (
            lambda x, x_hat: (x - x_hat).abs().sum() / len(x)
        ),
        "look at the root: this is the distance, the loss is its square.": (
            lambda x, x_hat: (x - x_hat).flatten(1).norm(dim=1).mean()
        ),
    },
    hints=(
        "Three steps: the difference of each pixel, its square, and the sum of all squares.",
        "len(x) is the number of images; dividing the sum by it averages over the images only.",
        "Try:  return (x - x_hat).square().sum() / ...",
    ),
)


# 01 -------------------------------------------------------------------------------------------


def _channels():
    """w, cov, sigma: first a square w, on which a wrong transpose goes unnoticed by PyTorch."""
    generator = torch.Generator().manual_seed(0)
    cases = []
    for (d, size), sigma in [((2, 2), 0.5), ((1, 2), 2.0), ((3, 5), 0.3)]:
        w, root = (torch.randn(n, size, generator=generator).double() for n in (d, size))
        cases.append((w, root @ root.T, sigma))
    return cases


def _information_with(signal=lambda w, cov: w @ cov @ w.T, power=2, one=1, of=torch.logdet):
    def mutual_information(w, cov, sigma):
        return of(one * torch.eye(len(w)).double() + signal(w, cov) / sigma**power) / 2

    return mutual_information


exercise(
    information.mutual_information,
    cases=_channels,
    mistakes={
        "look at the half: the formula has 1/2 in front of the logarithm.": (
            lambda *channel: 2 * information.mutual_information(*channel)
        ),
        "look at the logarithm: log2 counts bits; nats want the natural one.": (
            lambda *channel: information.mutual_information(*channel) / math.log(2)
        ),
        "look at the sign: information is never negative.": (
            lambda *channel: -information.mutual_information(*channel)
        ),
        "look at sigma: the noise has variance sigma^2.": _information_with(power=1),
        "look at the 1: without the unit matrix this is not 0 for a signal of 0.": (
            _information_with(one=0)
        ),
        "look at the 1: it must be the unit matrix; a plain 1 + adds to every entry.": (
            lambda w, cov, sigma: torch.logdet(1 + w @ cov @ w.T / sigma**2) / 2
        ),
        "look at the noise: this is H(Z) but for a constant; subtract the noise's own.": (
            lambda w, cov, sigma: (
                torch.logdet(w @ cov @ w.T + sigma**2 * torch.eye(len(w)).double()) / 2
            )
        ),
        "look at the determinant: the product of the diagonal forgets the correlations.": (
            _information_with(of=lambda a: a.diagonal().log().sum())
        ),
        "look at the transpose: the covariance of w x is w cov w^T, (d, d).": (
            _information_with(signal=lambda w, cov: w.T @ cov @ w)
        ),
        "look at cov: the signal w x has covariance w cov w^T, not w w^T.": (
            _information_with(signal=lambda w, cov: w @ w.T)
        ),
    },
    hints=(
        "Two matrices (d, d): the covariance of the signal, w @ cov @ w.T, and the unit matrix.",
        "torch.logdet is the log of a determinant, torch.eye(len(w)) a unit matrix.",
        "Try:  return torch.logdet(torch.eye(len(w), dtype=w.dtype) + ... / sigma**2) / 2",
    ),
)


def _two_gaussians():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for size in (2, 4):
        means = torch.randn(2, size, generator=generator).double()
        roots = torch.randn(2, size, size, generator=generator).double()
        covs = roots @ roots.mT + 0.1 * torch.eye(size)
        cases.append((means[0], covs[0], means[1], covs[1]))
    return cases


def _kl_with(trace=1, squares=1, size=1, logs=1, factor=0.5, of=1, linear=0):
    """The four terms of the KL divergence, each with its factor; of=0 inverts the first cov."""

    def gaussian_kl(mean, cov, other_mean, other_cov):
        apart = other_mean - mean
        precision = torch.linalg.inv(other_cov if of else cov)
        terms = trace * (precision @ (cov if of else other_cov)).trace() - size * len(mean)
        terms = terms + squares * apart @ precision @ apart + linear * (precision @ apart).sum()
        return factor * (terms + logs * (torch.logdet(other_cov) - torch.logdet(cov)))

    return gaussian_kl


exercise(
    information.gaussian_kl,
    cases=_two_gaussians,
    mistakes={
        "look at the order: this is KL(p || q); the mean is taken over the first of the two.": (
            lambda mean, cov, other_mean, other_cov: information.gaussian_kl(
                other_mean, other_cov, mean, cov
            )
        ),
        "look at the half: it stands before all four terms.": _kl_with(factor=1),
        "look at D: without it two equal Gaussians would differ.": _kl_with(size=0),
        "look at the logarithms: the determinant of the second is above, of the first below.": (
            _kl_with(logs=-1)
        ),
        "look at the means: their difference is missing.": _kl_with(squares=0),
        "look at the means: their difference counts squared; the talk's VAE slide forgets that.": (
            _kl_with(squares=0, linear=1)
        ),
        "look at the inverse: it is of the second covariance, the one of p.": _kl_with(of=0),
        "look at the sign: a KL divergence is never negative.": _kl_with(factor=-0.5),
        "look at the inverse: it is that of the matrix, not of each of its numbers.": (
            lambda mean, cov, other_mean, other_cov: (
                (
                    (1 / other_cov @ cov).trace()
                    + (other_mean - mean) @ (1 / other_cov) @ (other_mean - mean)
                    - len(mean)
                    + torch.logdet(other_cov)
                    - torch.logdet(cov)
                )
                / 2
            )
        ),
    },
    hints=(
        "Four terms: a trace, the difference of the means, D, and two log determinants.",
        "Let precision = torch.linalg.inv(other_cov) and apart = other_mean - mean.",
        "(precision @ cov).trace() and apart @ precision @ apart are the first two.",
    ),
)


def _with_width(*widths):
    return [(x, x_hat, width) for x, x_hat in _two_batches() for width in widths]


def _gaussian_with(power=2, half=2, constant=1.0, per_pixel=True, log_power=1):
    def gaussian_nll(x, x_hat, sigma):
        pixels = x[0].numel() if per_pixel else 1
        log = math.log(sigma**log_power * math.sqrt(2 * math.pi))
        return losses.squared_error(x, x_hat) / (half * sigma**power) + constant * pixels * log

    return gaussian_nll


exercise(
    losses.gaussian_nll,
    cases=lambda: _with_width(0.3, 2.0),
    mistakes={
        "look at sigma: the talk's 'proportional to' drops 2 sigma^2 and the constant.": (
            lambda x, x_hat, sigma: losses.squared_error(x, x_hat)
        ),
        "look at the constant: the density has 1 / (sigma sqrt(2 pi)) in front.": (
            _gaussian_with(constant=0)
        ),
        "look at the constant: there is one for each pixel, D in all.": (
            _gaussian_with(per_pixel=False)
        ),
        "look at the mean: this averages over pixels too, and has neither sigma nor constant.": (
            lambda x, x_hat, sigma: F.mse_loss(x_hat, x)
        ),
        "look at the mean: in the squared error the pixels are summed, not averaged.": (
            lambda x, x_hat, sigma: (
                losses.gaussian_nll(x, x_hat, sigma)
                - (losses.squared_error(x, x_hat) - F.mse_loss(x_hat, x)) / (2 * sigma**2)
            )
        ),
        "look at the root: the constant is sigma sqrt(2 pi), not 2 pi sigma.": (
            lambda x, x_hat, sigma: (
                losses.gaussian_nll(x, x_hat, sigma) + x[0].numel() * math.log(2 * math.pi) / 2
            )
        ),
        "look at the constant: a standard deviation stands in it, not a variance.": (
            _gaussian_with(log_power=2)
        ),
        "look at the exponent: the squared error is divided by 2 sigma^2, here the 2 is missing.": (
            _gaussian_with(half=1)
        ),
        "look at the exponent: the squared error is divided by 2 sigma^2, not by 2 sigma.": (
            _gaussian_with(power=1)
        ),
        "look at the sign: a loss is minus the log-likelihood.": (
            lambda x, x_hat, sigma: -losses.gaussian_nll(x, x_hat, sigma)
        ),
        "look at the mean: the pixels are summed, only the images are averaged.": (
            lambda x, x_hat, sigma: losses.gaussian_nll(x, x_hat, sigma) / x[0].numel()
        ),
        "look at the sum: it grows with the number of images; divide by it.": (
            lambda x, x_hat, sigma: losses.gaussian_nll(x, x_hat, sigma) * len(x)
        ),
    },
    hints=(
        "-log of one pixel's density is (x - x_hat)^2 / (2 sigma^2) + log(sigma sqrt(2 pi)).",
        "Summed over D pixels: squared_error(x, x_hat) / (2 sigma^2), and D times the constant.",
        "D is x[0].numel(); math.log and math.sqrt do for the constant.",
    ),
)


def _laplace_with(power=1, half=1, constant=2.0):
    def laplace_nll(x, x_hat, scale):
        error = (x - x_hat).abs().pow(power).sum() / len(x)
        return error / (half * scale) + x[0].numel() * math.log(constant * scale)

    return laplace_nll


exercise(
    losses.laplace_nll,
    cases=lambda: _with_width(0.2, 1.5, 0.003),
    mistakes={
        "look at the scale: this is the bare absolute error, with neither scale nor constant.": (
            lambda x, x_hat, scale: (x - x_hat).abs().sum() / len(x)
        ),
        "look at the sign of the constant: minus the log of 1 / (2 scale) is plus log(2 scale).": (
            lambda x, x_hat, scale: (
                losses.laplace_nll(x, x_hat, scale) - 2 * x[0].numel() * math.log(2 * scale)
            )
        ),
        "look at the exponential: it rounds to 0 for a small scale; take its logarithm on paper.": (
            lambda x, x_hat, scale: (
                -(((x_hat - x).abs() / -scale).exp() / (2 * scale)).log().sum() / len(x)
            )
        ),
        "look at the exponent: it is |x - x_hat| / scale, not its square.": _laplace_with(power=2),
        "look at the exponent: it is |x - x_hat| / scale; the 2 belongs to the constant.": (
            _laplace_with(half=2)
        ),
        "look at the constant: the density has 1 / (2 scale) in front, for each pixel.": (
            lambda x, x_hat, scale: (x - x_hat).abs().sum() / len(x) / scale
        ),
        "look at the constant: it is log(2 scale), the 2 is missing.": _laplace_with(constant=1),
        "look at the sign: a loss is minus the log-likelihood.": (
            lambda x, x_hat, scale: -losses.laplace_nll(x, x_hat, scale)
        ),
        "look at the mean: the pixels are summed, only the images are averaged.": (
            lambda x, x_hat, scale: losses.laplace_nll(x, x_hat, scale) / x[0].numel()
        ),
    },
    hints=(
        "-log of one pixel's density is |x - x_hat| / scale + log(2 scale).",
        "As in gaussian_nll: sum over all, divide by len(x), and add D times the constant.",
    ),
)


def _bits_and_logits():
    """Grey pixels at moderate logits, then bits at logits whose sigmoid is 0 or 1 in float32."""
    (x, logits), (grey, _) = _two_batches()
    bits = (grey > 0.5).float()
    return [(x, 6 * logits - 3), (bits, 400 * bits.flip(0) - 200)]


def _bernoulli_with(log_p, log_q, factor=-1.0):
    def bernoulli_nll(x, logits):
        p = logits.sigmoid()
        return factor * (x * log_p(p) + (1 - x) * log_q(p)).sum() / len(x)

    return bernoulli_nll


exercise(
    losses.bernoulli_nll,
    cases=_bits_and_logits,
    mistakes={
        "look at large logits: their sigmoid rounds to 0 or 1, whose log is infinite; "
        "rewrite the sum in terms of the logits.": (
            _bernoulli_with(lambda p: p.log(), lambda p: (1 - p).log())
        ),
        "look at the clamp: probabilities cut at 1e-6 make a large mistake cheap; "
        "rewrite the sum in terms of the logits.": (
            lambda x, logits: (
                F.binary_cross_entropy(logits.sigmoid().clamp(1e-6, 1 - 1e-6), x, reduction="sum")
                / len(x)
            )
        ),
        "look at large logits: exp(l) overflows; torch.nn.functional.softplus(l) does not.": (
            lambda x, logits: ((1 + logits.exp()).log() - x * logits).sum() / len(x)
        ),
        "look at the small number in the logarithm: it makes a large mistake cheap; "
        "rewrite the sum in terms of the logits.": (
            _bernoulli_with(lambda p: (p + 1e-8).log(), lambda p: (1 - p + 1e-8).log())
        ),
        "look at the sum: it grows with the number of images; divide by it.": (
            lambda x, logits: losses.bernoulli_nll(x, logits) * len(x)
        ),
        "look at large logits: binary_cross_entropy cuts a logarithm off at -100; "
        "there is a function that takes the logits.": (
            lambda x, logits: F.binary_cross_entropy(logits.sigmoid(), x, reduction="sum") / len(x)
        ),
        "look at the logits: they are no probabilities yet; here the sigmoid comes twice.": (
            lambda x, logits: losses.bernoulli_nll(x, logits.sigmoid())
        ),
        "look at the other half: black pixels count too, with (1 - x) log(1 - p).": (
            _bernoulli_with(lambda p: p.log(), torch.zeros_like)
        ),
        "look at the sign: a loss is minus the log-likelihood.": (
            lambda x, logits: -losses.bernoulli_nll(x, logits)
        ),
        "look at x: it goes with log p, and 1 - x with log(1 - p), not the other way round.": (
            lambda x, logits: losses.bernoulli_nll(1 - x, logits)
        ),
        "look at the logarithm: log2 counts bits; nats want the natural one.": (
            lambda x, logits: losses.bernoulli_nll(x, logits) / math.log(2)
        ),
        "look at the mean: the pixels are summed, only the images are averaged.": (
            lambda x, logits: losses.bernoulli_nll(x, logits) / x[0].numel()
        ),
    },
    hints=(
        "The formula with p = logits.sigmoid() fails where p rounds to 0 or 1.",
        "log p = -softplus(-l) and log(1 - p) = -softplus(l); softplus is in torch.nn.functional.",
        "F.binary_cross_entropy_with_logits(logits, x, reduction=...) does it all; then the mean.",
    ),
)


# 02 -------------------------------------------------------------------------------------------


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
        "Row k of tril(y y^T) @ w is the sum over j <= k of y_k y_j w_j.",
    ),
)


def _held(w, x, eta, pull):
    """Oja's rule with the sign flipped, plus eta times a pull on the length."""
    return neurons.oja(w, x, -eta) + eta * pull * w


exercise(
    neurons.minor,
    cases=_neurons,
    mistakes={
        "look at the third term: without it the length runs away.": _negated(neurons.oja),
        "look at the sign of Oja's part: not flipped, it finds the principal component.": (
            lambda w, x, eta: neurons.oja(w, x, eta) + eta * (1 - w.square().sum(1)[:, None]) * w
        ),
        "look at the pull on the length: with |w| ** 2 - 1 it pushes away from 1.": (
            lambda w, x, eta: _held(w, x, eta, w.square().sum(1)[:, None] - 1)
        ),
        "look at the pull on the length: it has |w| ** 2, not |w|.": (
            lambda w, x, eta: _held(w, x, eta, 1 - w.norm(dim=1)[:, None])
        ),
        "look at the axis: each row has its own length; yours is that of all rows together.": (
            lambda w, x, eta: _held(w, x, eta, 1 - w.square().sum())
        ),
        "look at eta: the third term has it too.": (
            lambda w, x, eta: neurons.oja(w, x, -eta) + (1 - w.square().sum(1)[:, None]) * w
        ),
    },
    hints=(
        "oja(w, x, -eta) is w - eta <y x - y^2 w>: the first two terms.",
        "w.square().sum(1) is (d,), the squared length of each row; [:, None] makes it a column.",
    ),
)


# 03 -------------------------------------------------------------------------------------------


def _clouds(d):
    """Data of known, well separated variances, far from the origin, more than D rows and fewer."""
    generator = torch.Generator().manual_seed(0)
    clouds = []
    for n, shape in [(60, (1, 3, 4)), (9, (1, 4, 4))]:
        size = shape[1] * shape[2]
        turn, _ = torch.linalg.qr(torch.randn(size, size, generator=generator))
        spread = 2.0 ** -torch.arange(size) * 4
        rows = torch.randn(n, size, generator=generator) * spread @ turn.T + 1
        clouds.append((rows.unflatten(1, shape), d))
    return clouds


def _turn(d):
    return torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(1)))[0]


def _signed(axes):
    """Axes as rows, each with the sign that makes its largest entry positive."""
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return axes * np.where(largest < 0, -1, 1)


def _signed_alike(answer):
    """Encoder and decoder, with a sign for each axis that the two have in common."""
    encoder, decoder = answer
    if encoder.shape != decoder.T.shape:
        return answer
    return (_signed(np.hstack([encoder, decoder.T])),)


def _pca_with(centre=True, ascending=False, power=2, ddof=0, axes_of="vt"):
    def pca(x, d):
        flat = x.flatten(1)
        mean = flat.mean(0)
        u, s, vt = torch.linalg.svd(flat - mean if centre else flat, full_matrices=False)
        order = slice(len(s) - d, None) if ascending else slice(d)
        axes = {"vt": vt[order], "columns": vt[:, order], "v": vt.T[order], "u": u[:, order].T}
        return mean, axes[axes_of], s[order] ** power / (len(flat) - ddof if power == 2 else 1)

    return pca


def _pca_of_the_smallest(x, d):
    flat = x.flatten(1)
    variances, axes = torch.linalg.eigh(torch.cov(flat.T, correction=0))
    return flat.mean(0), axes.T[:d], variances[:d]


exercise(
    models.pca,
    cases=lambda: _clouds(3),
    mistakes={
        "look at the centre: subtract the mean before the SVD.": _pca_with(centre=False),
        "look at V: its axes are the columns, which are the rows of the vt that PyTorch returns.": (
            _pca_with(axes_of="v")
        ),
        "look at the axes: they are wanted as rows (d, D); you cut columns.": (
            _pca_with(axes_of="columns")
        ),
        "look at the factor: u holds the scores of the images, the axes are in vt.": (
            _pca_with(axes_of="u")
        ),
        "look at the order: the first axes have the largest variances.": _pca_with(ascending=True),
        "look at the order: eigh sorts upwards, so these are the smallest variances; flip it.": (
            _pca_of_the_smallest
        ),
        "look at the variances: these are singular values; square them, divide by N.": (
            _pca_with(power=1)
        ),
        "look at the variances: divide by N here, not by N - 1.": _pca_with(ddof=1),
    },
    hints=(
        "Flatten the images to rows (N, D), subtract their mean, and take the SVD of what is left.",
        "torch.linalg.svd(a, full_matrices=False) returns u, s, vt; the rows of vt are the axes.",
        "The variance along axis k is s[k] ** 2 / N.",
    ),
    view=lambda answer: (answer[0], _signed(answer[1]), answer[2]),
)


def _optimum_with(scale):
    def optimal_weights(x, d, lam=0.0):
        _, axes, variances = models.pca(x, d)
        encoder = scale(lam, variances)[:, None] * axes
        return encoder, encoder.T

    return optimal_weights


exercise(
    models.optimal_weights,
    cases=lambda: [(x, d, lam) for x, d in _clouds(3) for lam in (0.0, 0.05, 2.0)],
    mistakes={
        "look at lam: L2 shrinks the weights, these are the bare axes.": (
            _optimum_with(lambda lam, v: torch.ones_like(v))
        ),
        "look at the root: 1 - lam / v is the product of both layers, each has its square root.": (
            _optimum_with(lambda lam, v: (1 - lam / v).clamp(min=0))
        ),
        "look at the variances: the formula has variances, not standard deviations.": (
            _optimum_with(lambda lam, v: (1 - lam / v.sqrt()).clamp(min=0).sqrt())
        ),
        "look at the root of a negative number: where v < lam the axis is given up, scale 0.": (
            _optimum_with(lambda lam, v: (1 - lam / v).sqrt())
        ),
        "look at the decoder: it is the transpose of the encoder, (D, d).": (
            lambda x, d, lam=0.0: (models.optimal_weights(x, d, lam)[0],) * 2
        ),
    },
    hints=(
        "pca(x, d) gives the axes and the variances v along them.",
        "Each row of the encoder is an axis times sqrt(1 - lam / v); clamp the inside at 0 first.",
        "scale[:, None] * axes multiplies row k by scale[k]. The decoder is encoder.T.",
    ),
    view=_signed_alike,
)


exercise(
    models.recover_axes,
    cases=lambda: [(models.optimal_weights(x, d, 0.3)[1] @ _turn(d),) for x, d in _clouds(3)],
    mistakes={
        "look at the columns: they are turned within the subspace; use the SVD.": (
            lambda w: (w / w.norm(dim=0)).T
        ),
        "look at QR: it orthogonalises the columns one after the other and keeps the first.": (
            lambda w: torch.linalg.qr(w)[0].T
        ),
        "look at the shape: one axis a row, (d, D); transpose u.": (
            lambda w: torch.linalg.svd(w, full_matrices=False)[0]
        ),
        "look at full_matrices: False gives the thin SVD, whose u is (D, d).": (
            lambda w: torch.linalg.svd(w)[0].T
        ),
        "look at the other factor: vt turns the code (d, d), the axes of pixel space are in u.": (
            lambda w: torch.linalg.svd(w, full_matrices=False)[2]
        ),
        "look at the order: the largest singular value comes first.": (
            lambda w: torch.linalg.svd(w, full_matrices=False)[0].T.flip(0)
        ),
    },
    hints=(
        "The decoder's weight is (D, d): which factor of its SVD lives in pixel space, D?",
        "u, s, vt = torch.linalg.svd(decoder_weight, full_matrices=False); u is (D, d).",
    ),
    view=lambda answer: (_signed(answer[0]),),
)
