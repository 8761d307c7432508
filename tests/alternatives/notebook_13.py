"""Other ways to the right answers of notebook 13."""

import math
from collections import Counter

import numpy as np
import torch
from scipy import stats


def psnr_in_numpy(x, x_hat):
    error = x.numpy().astype(np.float64) - x_hat.numpy()
    return 10 * np.log10(1 / np.mean(error**2))


def psnr_by_the_root(x, x_hat):
    root = torch.nn.functional.mse_loss(x_hat.double(), x.double()).sqrt().item()
    return -20 * math.log10(root)


def quantise_in_numpy(z, step):
    return np.rint(z.numpy() / step).astype(int)


def quantise_in_a_loop(z, step):
    return torch.tensor([[round(v / step) for v in row] for row in z.tolist()])


def quantise_by_floor(z, step):
    return torch.floor(z.double() / step + 0.5)


def entropy_of_scipy(symbols):
    columns = symbols.numpy().T
    return sum(stats.entropy(np.unique(c, return_counts=True)[1], base=2) for c in columns)


def entropy_by_surprise(symbols):
    """The mean of -log2 p over all symbols as they come, column by column."""
    bits = 0.0
    for column in symbols.T.tolist():
        counts = Counter(column)
        bits += sum(math.log2(len(column) / counts[s]) for s in column) / len(column)
    return bits


def rate_of_scipy(z, logscale):
    logistic = stats.logistic(scale=np.exp(logscale.numpy().astype(np.float64)))
    z = -np.abs(z.numpy().astype(np.float64))
    return -np.log(logistic.cdf(z + 0.5) - logistic.cdf(z - 0.5)).sum() / len(z)


def rate_in_double_precision(z, logscale):
    z, scale = z.double(), logscale.double().exp()
    mass = torch.sigmoid((z + 0.5) / scale) - torch.sigmoid((z - 0.5) / scale)
    return -mass.log().sum(1).mean()


def rate_by_tanh(z, logscale):
    """sigmoid(a) - sigmoid(b) = (tanh(a / 2) - tanh(b / 2)) / 2"""
    total = 0.0
    for row in z.tolist():
        for v, s in zip(row, logscale.exp().tolist(), strict=True):
            mass = (math.tanh((v + 0.5) / s / 2) - math.tanh((v - 0.5) / s / 2)) / 2
            total -= math.log(mass)
    return total / len(z)


def psnr_in_a_loop(x, x_hat):
    total = 0.0
    for a, b in zip(x.flatten().tolist(), x_hat.flatten().tolist(), strict=True):
        total += (a - b) ** 2
    return -10 * math.log(total / x.numel(), 10)


def entropy_by_bins(symbols):
    bits = 0
    for column in symbols.T:
        p = torch.bincount(column - column.min()) / len(column)
        p = p[p > 0]
        bits -= (p * torch.log2(p)).sum()
    return bits


ALTERNATIVES = {
    "psnr": (psnr_in_numpy, psnr_by_the_root, psnr_in_a_loop),
    "quantise": (quantise_in_numpy, quantise_in_a_loop, quantise_by_floor),
    "entropy": (entropy_of_scipy, entropy_by_surprise, entropy_by_bins),
    "rate": (rate_of_scipy, rate_in_double_precision, rate_by_tanh),
}


WRONG = {
    "quantise": {
        "a byte": lambda z, step: (z / step).round().to(torch.int8),
        "cut at a byte": lambda z, step: (z / step).round().clamp(-128, 127),
        "two bytes": lambda z, step: (z / step).round().to(torch.int16),
    },
}
