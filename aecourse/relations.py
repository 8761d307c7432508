"""Relations of a wrong answer to the right one, such as transposed, or summed for averaged."""

import math

import numpy as np
import torch

from aecourse.answers import close


def relation(failures):
    """A sentence for a relation of answer and truth that holds on all failures, or None.

    failures  [(came, right, arguments), ...]: arrays, and the arguments as {name: value}
    """
    for sentence, holds in RELATIONS:
        if all(_holds(holds, *failure) for failure in failures):
            return sentence
    ratios = [_ratio(came, right) for came, right, _ in failures]
    if None in ratios:
        return None
    for sentence, factor in FACTORS:
        wanted = [[*factor(arguments)] for _, _, arguments in failures]
        for values in zip(*wanted, strict=False):
            if np.allclose(ratios, values, rtol=1e-3) and not np.allclose(values, 1):
                return sentence
    return None


def _holds(holds, came, right, arguments):
    with np.errstate(all="ignore"):
        return bool(holds(came, right, arguments))


def _ratio(came, right):
    """The number by which all of right has to be multiplied to be came; None if there is none."""
    if came.shape != right.shape or not np.abs(right).max(initial=0) > 0:
        return None
    ratio = float((came * right).sum() / (right * right).sum())
    return ratio if math.isfinite(ratio) and ratio and close(came, ratio * right) else None


def _sizes(arguments, which):
    """Of each array among the arguments: its rows (N), or the numbers in a row (D)."""
    for value in arguments.values():
        if isinstance(value, torch.Tensor) and value.ndim > 0:
            yield float(len(value) if which == "N" else value[0].numel())


def _same_numbers(came, right, _):
    return (
        came.shape != right.shape
        and came.size == right.size > 1
        and close(came.reshape(right.shape), right)
    )


def _change(came, right, arguments):
    tensors = [v for v in arguments.values() if isinstance(v, torch.Tensor)]
    arrays = [v.numpy() for v in tensors if tuple(v.shape) == right.shape and right.ndim]
    return came.shape == right.shape and any(close(came + a, right) for a in arrays)


RELATIONS = [
    (
        "look at the shape: this is the right answer transposed, rows and columns swapped.",
        lambda c, r, _: c.ndim == 2 and c.shape == r.T.shape and not close(c, r) and close(c.T, r),
    ),
    ("look at the shape: the numbers are right, in another shape.", _same_numbers),
    ("look at the result: this is the change only; the new value is the old one plus it.", _change),
    (
        "look at the order: this is the right answer in reverse order.",
        lambda c, r, _: c.shape == r.shape and c.ndim > 0 and close(c[::-1], r),
    ),
    (
        "look at the sum: one number is wanted, the sum of what came.",
        lambda c, r, _: c.ndim > r.ndim == 0 and close(np.asarray(c.sum()), r),
    ),
    (
        "look at the mean: one number is wanted, the mean of what came.",
        lambda c, r, _: c.ndim > r.ndim == 0 and close(np.asarray(c.mean()), r),
    ),
    (
        "look at the square: this is the square of the right answer.",
        lambda c, r, _: c.shape == r.shape and close(c, r**2),
    ),
    (
        "look at the root: this is the square root of the right answer.",
        lambda c, r, _: c.shape == r.shape and (c >= 0).all() and close(c**2, r),
    ),
]
FACTORS = [
    ("look at the sign: this is minus the right answer.", lambda a: [-1.0]),
    (
        "look at the mean: this is N times the right answer, N the number of rows; divide by it.",
        lambda a: _sizes(a, "N"),
    ),
    (
        "look at the mean: this is the right answer divided by N, the number of rows.",
        lambda a: (1 / n for n in _sizes(a, "N")),
    ),
    (
        "look at the mean: this is the right answer divided by the N numbers in a row, which are "
        "to be summed.",
        lambda a: (1 / n for n in _sizes(a, "D")),
    ),
    (
        "look at the sum: this is the right answer times the N numbers in a row.",
        lambda a: _sizes(a, "D"),
    ),
    ("look at the factor: this is twice the right answer.", lambda a: [2.0]),
    ("look at the factor: this is half of the right answer.", lambda a: [0.5]),
    ("look at the factor: this is ten times the right answer.", lambda a: [10.0]),
    ("look at the factor: this is a tenth of the right answer.", lambda a: [0.1]),
    ("look at the factor: this is 100 times the right answer: per cent?", lambda a: [100.0]),
    (
        "look at the logarithm: nats and bits differ by log 2; one is taken for the other.",
        lambda a: [math.log(2), 1 / math.log(2)],
    ),
    (
        "look at the logarithm: it has another base, e or 10.",
        lambda a: [math.log(10), 1 / math.log(10)],
    ),
]
