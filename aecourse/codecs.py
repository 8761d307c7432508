"""Codecs: numbers rounded to symbols, what the symbols cost, and an autoencoder that weighs it.

A codec is an encoder, `quantise`, and an entropy coder (entropy_coding.py). Symbols are integers
(N, d), one row an example, one column a number of the code.
"""

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import nn

from aecourse.inputs import images
from aecourse.letters import positive
from aecourse.losses import squared_error
from aecourse.models import Autoencoder
from aecourse.shapes import guard


def psnr(x, x_hat):
    """Peak signal-to-noise ratio in dB, -10 log10 of the mean squared error over all pixels.

    x, x_hat of the same shape, in [0, 1]. 20 dB is a root mean squared error of a tenth.
    """
    return -10 * (x - x_hat).square().mean().log10()


def image_file(x, kind, **how):
    """All images on one square sheet as a file that Pillow writes, and as read back from it.

    x     (N, 1 or 3, H, W) in [0, 1], N a square number
    kind  "PNG", "JPEG", "WEBP", ...; how goes to Pillow: quality=50, lossless=True, ...
    Returns bytes and x_hat of the shape of x.
    """
    x = x.detach().cpu()
    n, (c, height, width) = math.isqrt(len(x)), x.shape[1:]
    if n * n != len(x):
        raise ValueError(f"{len(x)} images make no square sheet: take {n**2} of them.")
    tiles = (x.clamp(0, 1) * 255).round().byte().movedim(1, 3).unflatten(0, (n, n)).transpose(1, 2)
    sheet = tiles.reshape(n * height, n * width, c).numpy()  # of tiles (n, H, n, W, c)
    file, mode = io.BytesIO(), "L" if c == 1 else "RGB"
    Image.fromarray(sheet.squeeze(2) if c == 1 else sheet).save(file, kind, **how)
    sheet = torch.from_numpy(np.array(Image.open(file).convert(mode)))
    tiles = sheet.view(n, height, n, width, c).transpose(1, 2).flatten(0, 1)  # (N, H, W, c)
    return file.getvalue(), tiles.movedim(3, 1) / 255


def quantise(z, step):
    """The nearest integers to z / step, int64; times the step they are z again, to step / 2."""
    return (z / step).round().long()


def entropy(symbols):
    """Empirical entropy in bits an example: of each column of symbols (N, d), summed over columns.

    Shannon 1948: no code that treats columns and rows as independent needs fewer bits on average.
    """
    if symbols.numel() == 0:
        raise ValueError("There are no symbols to count: entropy needs one row at least.")
    bits = 0.0
    for column in symbols.T:
        p = column.unique(return_counts=True)[1] / len(column)
        bits -= (p * p.log2()).sum()
    return bits


def noisy(z):
    """z and uniform noise in [-1/2, 1/2], in place of rounding: like it in size, and with slope 1.

    (Ballé, Laparra & Simoncelli 2017)
    """
    return z + torch.rand_like(z) - 0.5


def straight_through(z):
    """z rounded, with the slope 1 in place of 0. (Bengio et al. 2013; Theis et al. 2017)"""
    return z + (z.round() - z).detach()


def rate(z, logscale):
    """Nats that the codes z (N, d) take, summed over d, averaged over the batch, if column j has a
    logistic distribution of scale exp(logscale[j]) and mean 0: -log of its mass on z -+ 1/2.

    (Ballé, Laparra & Simoncelli 2017)
    """
    scale = logscale.exp()  # (d,)
    upper, lower = (0.5 - z.abs()) / scale, (-0.5 - z.abs()) / scale  # symmetric: the safe tail
    mass = upper.sigmoid() - lower.sigmoid()
    return -(mass + 1e-9).log().sum() / len(z)


class Codec(Autoencoder):
    """An autoencoder whose codes are to be rounded, and the scale of each code number."""

    def __init__(self, shape, hidden=(256,), d=32, activation=nn.ReLU):
        super().__init__(shape, hidden, d, activation)
        self.logscale = nn.Parameter(torch.zeros(d))


def rate_distortion(model, x, sigma, relax=noisy):
    """Squared error / (2 sigma^2) and rate, in nats: the two terms that a codec weighs.

    sigma  about the error a pixel that is worth having; a small one buys quality with bits
    relax  what stands for the rounding of the codes in training: `noisy` or `straight_through`
    """
    z = relax(model.encode(x))
    error = squared_error(x, model.decode(z)) / (2 * sigma**2)
    return {"reconstruction": error, "rate": rate(z, model.logscale)}


guard(
    globals(),
    symbols="N d of whole",
    z="* or NaN",
    logscale="d",
    step=positive,
    sigma=positive,
    psnr={"x_hat": "N *shape"},
    image_file={"x": images},
    quantise={"z": "*"},
    rate={"z": "N d or NaN"},
)
