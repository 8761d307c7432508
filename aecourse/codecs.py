"""Codecs: numbers rounded to symbols, symbols to bytes, and what the two cost.

A codec is an encoder, `quantise`, and an entropy coder; `compress` and `decompress` are the last of
the three. Symbols are integers (N, d), one row an example, one column a number of the code.
"""

import io
import math
import struct
import zlib
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn

from aecourse.inputs import images
from aecourse.letters import positive
from aecourse.losses import squared_error
from aecourse.models import Autoencoder
from aecourse.shapes import guard

HEADER = struct.Struct("<4I")  # rows, escapes, bytes of coded symbols, checksum of all the rest


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


class Tables(NamedTuple):
    """How often each symbol occurs in each of d columns: what coder and decoder must agree on."""

    low: int  # the symbol that entry 0 of each table counts
    counts: np.ndarray  # float64 (d, K + 1); the last entry is for all symbols outside of the K


def histograms(symbols):
    """Tables for `compress`, counted on the symbols (N, d) of training data; all counts plus 0.1,
    so that nothing is impossible.

    Raises ValueError when there are none, or when they span more than 65,536 values.
    """
    if symbols.numel() == 0:
        raise ValueError("There are no symbols to count: the tables need training data.")
    low, high = symbols.min().item(), symbols.max().item()
    if high - low >= 2**16:
        raise ValueError(f"The symbols span {high - low + 1} values: quantise with a larger step.")
    counts = [torch.bincount(c - low, minlength=high - low + 2) + 0.1 for c in symbols.T]
    return Tables(low, torch.stack(counts).double().cpu().numpy())


def compress(symbols, tables):
    """Symbols, integers (N, d), as bytes, by a range coder; see `decompress` for the way back.

    A symbol that the tables do not know is coded as their last entry, and follows as it is, in 32
    bits. N may be 0. Raises ValueError for another number of columns than that of the tables, and
    for symbols beyond 32 bits.
    """
    import constriction  # here, since no other notebook needs it

    low, counts = tables
    if symbols.ndim != 2 or symbols.shape[1] != len(counts):
        raise ValueError(
            f"The tables are for (N, {len(counts)}), these are {tuple(symbols.shape)}."
        )
    symbols, escape = symbols.cpu().numpy(), counts.shape[1] - 1
    if symbols.size and not -(2**31) <= symbols.min() <= symbols.max() < 2**31:
        raise ValueError("A symbol has more than 32 bits: quantise with a larger step.")
    known = (symbols >= low) & (symbols < low + escape)
    entries = np.where(known, symbols - low, escape).astype(np.int32)
    coder = constriction.stream.queue.RangeEncoder()
    for column, model in zip(entries.T, _models(counts), strict=True):
        coder.encode(np.ascontiguousarray(column), model)
    coded = coder.get_compressed().astype("<u4").tobytes()
    escaped = symbols.T[~known.T].astype("<i4")  # column by column
    body = coded + escaped.tobytes()
    sizes = len(symbols), len(escaped), len(coded)
    return HEADER.pack(*sizes, _checksum(sizes, body, tables)) + body


def decompress(stream, tables):
    """The symbols, int64 (N, d), of which `compress` made the bytes, with the same tables.

    Raises ValueError for a stream that is cut short, damaged, or of other tables.
    """
    import constriction

    start, columns = HEADER.size, len(tables.counts)
    if len(stream) < start:
        raise ValueError(f"The stream is cut short: {len(stream)} bytes, its header has {start}.")
    rows, escapes, coded, checksum = HEADER.unpack_from(stream)
    whole = start + coded + 4 * escapes
    if len(stream) != whole:
        raise ValueError(f"The stream is cut short or too long: {len(stream)} bytes of {whole}.")
    if checksum != _checksum((rows, escapes, coded), stream[start:], tables):
        raise ValueError("The stream is damaged or of other tables: its checksum is wrong.")
    words = np.frombuffer(stream, "<u4", coded // 4, start).astype(np.uint32)
    coder = constriction.stream.queue.RangeDecoder(words)
    entries = [coder.decode(model, rows) for model in _models(tables.counts)]
    symbols = np.array(entries, np.int64).reshape(columns, rows) + tables.low
    unknown = symbols == tables.low + tables.counts.shape[1] - 1
    symbols[unknown] = np.frombuffer(stream, "<i4", escapes, start + coded)
    return torch.from_numpy(symbols.T.copy())


def _models(counts):
    import constriction

    make = constriction.stream.model.Categorical
    return [make(c / c.sum(), perfect=False) for c in counts]


def _checksum(sizes, body, tables):
    """CRC-32 of the header's sizes, the body and the tables, so that none of them may differ."""
    head = struct.pack("<3Iq", *sizes, tables.low)
    return zlib.crc32(body, zlib.crc32(tables.counts.tobytes(), zlib.crc32(head)))


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
