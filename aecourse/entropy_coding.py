"""Entropy coding: symbols to bytes and back, by a range coder and counted tables.

Symbols are integers (N, d), one row an example, one column a number of the code. `histograms`
counts them, `compress` and `decompress` go there and back.
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np
import torch

from aecourse.shapes import guard

HEADER = struct.Struct("<4I")  # rows, escapes, bytes of coded symbols, checksum of all the rest


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


guard(globals(), symbols="N d of whole")
