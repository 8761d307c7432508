"""Exercises of notebook 13: what a codec is measured by, and what it is trained on."""

import math

import torch

from aecourse import codecs
from aecourse.exercises import exercise


def _pairs():
    """Images and their reconstructions: a few, one, of other sizes, and almost perfect ones."""
    generator = torch.Generator().manual_seed(0)
    pairs = []
    for shape in [(6, 1, 5, 4), (1, 1, 3, 3), (3, 1, 8, 2)]:
        x = torch.rand(shape, generator=generator)
        errors = 0.3 * torch.rand(shape, generator=generator)
        pairs.append((x, x + errors * torch.linspace(0.1, 1, shape[0]).view(-1, 1, 1, 1)))
    return [*pairs, (x, x + errors / 1000)]


exercise(
    codecs.psnr,
    cases=_pairs,
    mistakes={
        "look at the sign: the smaller the error, the larger the PSNR.": (
            lambda x, x_hat: -codecs.psnr(x, x_hat)
        ),
        "look at the factor: of a squared error it is 10 log10, 20 is for its root.": (
            lambda x, x_hat: 2 * codecs.psnr(x, x_hat)
        ),
        "look at the logarithm: decibels are made with log10, this is the natural one.": (
            lambda x, x_hat: -10 * (x - x_hat).square().mean().log()
        ),
        "look at the mean: this is the error summed over the pixels of an image.": (
            lambda x, x_hat: -10 * ((x - x_hat).square().sum() / len(x)).log10()
        ),
        "look at the order: first the mean over all pixels, then the logarithm, once.": (
            lambda x, x_hat: -10 * (x - x_hat).square().flatten(1).mean(1).log10().mean()
        ),
        "look at the error: it is squared, this is the mean of its size.": (
            lambda x, x_hat: -10 * (x - x_hat).abs().mean().log10()
        ),
        "look at the peak: images on [0, 1] have the peak 1, not 255.": (
            lambda x, x_hat: codecs.psnr(x, x_hat) + 20 * math.log10(255)
        ),
    },
    hints=(
        "The mean squared error is one number, over all pixels of all images.",
        "a.log10() is the logarithm to base 10 of a tensor.",
        "Try:  return -10 * (...).log10()",
    ),
)


def _codes():
    generator = torch.Generator().manual_seed(0)
    sizes = [(20, 3, 0.5), (1, 4, 2.0), (7, 1, 0.3)]
    cases = [(4 * torch.randn(n, d, generator=generator), step) for n, d, step in sizes]
    large = (1e5 * torch.randn(5, 2, generator=generator)).round() + 0.1
    return dict(zip((1, 2, 3, "integers beyond a byte"), [*cases, (large, 0.5)], strict=True))


exercise(
    codecs.quantise,
    cases=_codes,
    mistakes={
        "look at the step: z is divided by it first; this rounds to whole numbers.": (
            lambda z, step: z.round().long()
        ),
        "look at the result: these are numbers on the scale of z; wanted are the integers.": (
            lambda z, step: (z / step).round() * step
        ),
        "look at rounding: .long() cuts towards 0, so first .round().": (
            lambda z, step: (z / step).long()
        ),
        "look at rounding: floor goes down always; the nearest integer is wanted.": (
            lambda z, step: (z / step).floor().long()
        ),
        "look at the step: z is divided by it, not multiplied: a larger step is coarser.": (
            lambda z, step: (z * step).round().long()
        ),
    },
    hints=(
        "How many steps is each number away from 0?",
        "torch.round, or a.round(), gives the nearest whole number, still as a float.",
        "Try:  return (...).round().long()",
    ),
)


def _symbols():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n, spreads in [(50, [0.2, 1.0, 4.0]), (200, [3.0]), (9, [0.0, 2.0])]:
        z = torch.randn(n, len(spreads), generator=generator)
        cases.append(((z * torch.tensor(spreads)).round().long() - 2,))
    far = torch.tensor([[-300, 0], [-44, 256], [4000, 0], [-300, 512]])  # alike in one byte
    return [*cases, (far,)]


def _entropy_with(logarithm=torch.log2, summed=True, factor=1.0):
    def entropy(symbols):
        bits = 0.0
        for column in symbols.T:
            p = column.unique(return_counts=True)[1] / len(column)
            bits = bits - factor * (p * logarithm(p)).sum()
        return bits if summed else bits / symbols.shape[1]

    return entropy


def _entropy_of_all(symbols):
    p = symbols.unique(return_counts=True)[1] / symbols.numel()
    return -symbols.shape[1] * (p * p.log2()).sum()


def _entropy_of_counts(symbols):
    bits = 0.0
    for column in symbols.T:
        n = column.unique(return_counts=True)[1].double()
        bits = bits - (n * n.log2()).sum()
    return bits


def _entropy_unweighted(symbols):
    bits = 0.0
    for column in symbols.T:
        bits = bits - (column.unique(return_counts=True)[1] / len(column)).log2().mean()
    return bits


exercise(
    codecs.entropy,
    cases=_symbols,
    mistakes={
        "look at the logarithm: bits are made with log2, these are nats.": (
            _entropy_with(torch.log)
        ),
        "look at the sign: log2 of a probability is negative, an entropy is not.": (
            _entropy_with(factor=-1.0)
        ),
        "look at the columns: their entropies are added; this is the mean over them.": (
            _entropy_with(summed=False)
        ),
        "look at the columns: each has frequencies of its own; these are of all in one pot.": (
            _entropy_of_all
        ),
        "look at p: divide the counts by the number of rows first.": _entropy_of_counts,
        "look at the weights: -log2 p counts as often as its symbol occurs, p times.": (
            _entropy_unweighted
        ),
        "look at the sum: these are the bits of all rows; divide by their number.": (
            lambda symbols: len(symbols) * codecs.entropy(symbols)
        ),
    },
    hints=(
        "for column in symbols.T goes through the columns, each (N,).",
        "column.unique(return_counts=True)[1] counts how often each symbol occurs.",
        "With p = counts / len(column), a column takes -(p * p.log2()).sum() bits.",
        "Try:  bits = bits - (p * ...).sum()  for each column.",
    ),
)


def _rates():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n, d in [(30, 4), (1, 3), (8, 1)]:
        logscale = torch.linspace(0.2, 1.2, d)  # positive: exp forgotten is wrong, not NaN
        cases.append((2 * logscale.exp() * torch.randn(n, d, generator=generator), logscale))
    return cases


def _rate_with(width=0.5, scale=torch.exp, factor=1.0, mean=False):
    def rate(z, logscale):
        s = scale(logscale)
        far = -z.abs().double()  # the mistakes are to err, not to underflow
        nats = -factor * (((far + width) / s).sigmoid() - ((far - width) / s).sigmoid()).log()
        return nats.mean() if mean else nats.sum() / len(z)

    return rate


def _density(z, logscale):
    s = logscale.exp()
    return -((z / s).sigmoid() * (-z / s).sigmoid() / s).log().sum() / len(z)


exercise(
    codecs.rate,
    trained=True,
    cases=_rates,
    mistakes={
        "look at the interval: it reaches half a step to each side of z, so it is 1 wide.": (
            _rate_with(width=1.0)
        ),
        "look at the scale: it is exp(logscale).": _rate_with(scale=lambda logscale: logscale),
        "look at the sign: the rarer the symbol, the more nats.": _rate_with(factor=-1.0),
        "look at the mean: sum over the d numbers, average over the batch only.": (
            _rate_with(mean=True)
        ),
        "look at the units: these are bits; the losses of this course are in nats.": (
            _rate_with(factor=1 / math.log(2))
        ),
        "look at the sum: divide by the size of the batch.": (
            lambda z, logscale: codecs.rate(z, logscale) * len(z)
        ),
        "look at the mass: it is a difference of two sigmoids; this is the density at z.": _density,
    },
    hints=(
        "The logistic distribution function of scale s is torch.sigmoid(z / s).",
        "The mass in [a, b] is sigmoid(b / s) - sigmoid(a / s); here a, b = z - 1/2, z + 1/2.",
        "Take -log of it, sum over everything, and divide by len(z).",
        "Try:  mass = torch.sigmoid((z + 0.5) / s) - ...  and  return -mass.log().sum() / len(z)",
    ),
)
