"""Exercises of notebook 01: information."""

import math

import torch

from aecourse import information
from aecourse.exercises import exercise


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
