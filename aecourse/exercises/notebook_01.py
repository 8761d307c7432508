"""Exercises of notebook 01: information and likelihoods."""

import math

import torch
from torch.nn import functional as F

from aecourse import information, losses
from aecourse.exercises import exercise
from aecourse.exercises.notebook_00 import two_batches


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
        "look at the unit matrix: without it this is not 0 for a signal of 0.": (
            _information_with(one=0)
        ),
        "look at the unit matrix: torch.eye adds to the diagonal, a plain 1 to every entry.": (
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
        "Try:  return ((precision @ cov).trace() + apart @ precision @ apart - ... + ...) / 2",
    ),
)


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
