"""Exercises of notebook 02: likelihoods."""

import math

import torch
from torch.nn import functional as F

from aecourse import losses
from aecourse.exercises import exercise
from aecourse.exercises.notebook_00 import two_batches


def _with_width(*widths):
    generator = torch.Generator().manual_seed(1)
    colour = torch.rand(2, 6, 3, 2, 4, generator=generator)
    table = torch.rand(2, 8, 5, generator=generator)
    near = colour[0], colour[0] + colour[1] / 100  # an x_hat so good that nats are below 0
    batches = [*two_batches(), tuple(colour), tuple(table), near]
    return [(x, x_hat, width) for x, x_hat in batches for width in widths]


def _gaussian_with(power=2, half=2, constant=1.0, per_pixel=True, log_power=1):
    def gaussian_nll(x, x_hat, sigma):
        pixels = x[0].numel() if per_pixel else 1
        log = math.log(sigma**log_power * math.sqrt(2 * math.pi))
        return losses.squared_error(x, x_hat) / (half * sigma**power) + constant * pixels * log

    return gaussian_nll


exercise(
    losses.gaussian_nll,
    trained=True,
    cases=lambda: _with_width(0.3, 2.0, 0.02),
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
        "Try:  return squared_error(x, x_hat) / (2 * sigma**2) + x[0].numel() * ...",
    ),
)


def _laplace_with(power=1, half=1, constant=2.0):
    def laplace_nll(x, x_hat, scale):
        error = (x - x_hat).abs().pow(power).sum() / len(x)
        return error / (half * scale) + x[0].numel() * math.log(constant * scale)

    return laplace_nll


exercise(
    losses.laplace_nll,
    trained=True,
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
        "Try:  return (x - x_hat).abs().sum() / ... + x[0].numel() * ...",
    ),
)


def _bits_and_logits():
    """Grey pixels at moderate logits, then bits at logits whose sigmoid is 0 or 1 in float32."""
    (x, logits), (grey, _) = two_batches()
    bits = (grey > 0.5).float()
    table = x.flatten(1), 6 * logits.flatten(1) - 3
    return [(x, 6 * logits - 3), (bits, 400 * bits.flip(0) - 200), table]


def _bernoulli_with(log_p, log_q, factor=-1.0):
    def bernoulli_nll(x, logits):
        p = logits.sigmoid()
        return factor * (x * log_p(p) + (1 - x) * log_q(p)).sum() / len(x)

    return bernoulli_nll


exercise(
    losses.bernoulli_nll,
    trained=True,
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
        "The formula with p = logits.sigmoid() fails where p rounds to 0 or 1: write both "
        "logarithms in terms of the logits.",
        "log p = -softplus(-l) and log(1 - p) = -softplus(l); softplus is in torch.nn.functional.",
        "Try:  return F.binary_cross_entropy_with_logits(logits, x, reduction=...) / ...",
    ),
)
