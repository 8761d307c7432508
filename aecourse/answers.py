"""What of an answer differs from the right one, in words: a relation, or the first entry."""

import math

import numpy as np
import torch

from aecourse.attempts import Stopped


def parts(answer, k):
    """The k results of a function as float64 arrays. Lists and tuples count as arrays.

    Raises Stopped, with a sentence, for what are no numbers, and for another number of results.
    """
    if answer is None:
        raise Stopped("it returns nothing; is a `return` missing?")
    if k == 1:
        if isinstance(answer, tuple) and len(answer) == 1:
            raise Stopped("it returns a tuple of one: take the comma away at the end of the line.")
        return [_array(answer)]
    whole = isinstance(answer, tuple | list)
    if not whole and getattr(answer, "ndim", 0) > 0 and len(answer) == k:
        whole, answer = True, [*answer]  # stacked
    if not whole or len(answer) != k:
        came = len(answer) if whole else 1
        raise Stopped(f"{k} results are wanted, separated by commas; {came} came.")
    return [_array(part) for part in answer]


def _array(part):
    try:
        array = np.asarray(as_arrays(part))
    except (ValueError, TypeError):
        raise Stopped("it returns parts of unequal shape, which make no array.") from None
    if array.dtype.kind not in "fiubc":
        kind = type(part).__name__
        raise Stopped(f"it returns a {kind} of {array.dtype}: numbers are wanted, a tensor.")
    if np.iscomplexobj(array):
        if np.abs(array.imag).max(initial=0) < 1e-6 * np.abs(array).max(initial=1):
            raise Stopped("it returns complex numbers; of a symmetric matrix take eigh, not eig.")
        raise Stopped("it returns complex numbers; real ones are wanted.")
    return array.astype(np.float64)


def as_arrays(part):
    """Tensors as arrays, also within lists."""
    if isinstance(part, torch.Tensor):
        return part.detach().cpu().numpy()
    return [as_arrays(p) for p in part] if isinstance(part, list | tuple) else part


def close(came, right):
    """Whether two arrays are equal, but for rounding."""
    return came.shape == right.shape and bool(_equal(came, right).all())


def _equal(came, right):
    scale = np.abs(right[np.isfinite(right)]).max(initial=1e-30)
    return np.isclose(came, right, rtol=1e-4, atol=1e-5 * scale, equal_nan=True)


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


def difference(came, right):
    """The first entry that differs, with its place and as many digits as tell the two apart."""
    if came.shape != right.shape:
        return f"should have shape {right.shape}, came {came.shape}"
    if not np.isfinite(came).all() and np.isfinite(right).all():
        where = f", first at {_place(np.isfinite(came))}" if came.ndim else ""
        return f"contains NaN or infinity{where}"
    equal = _equal(came, right)
    k = int(np.argmin(equal))  # the first False
    a, b = right.ravel()[k], came.ravel()[k]
    digits = next((d for d in range(4, 17) if f"{a:.{d}g}" != f"{b:.{d}g}"), 17)
    words = f"should be {a:.{digits}g}, came {b:.{digits}g}"
    if right.ndim == 0:
        return words
    before = f"; the {k} before it {'is' if k == 1 else 'are'} right" if k else ""
    return f"at {_place(equal)} {words}{before}"


def _place(good):
    """Where an array of True and False has its first False."""
    place = np.unravel_index(int(np.argmin(good)), good.shape)
    if len(place) == 1:
        return f"entry {place[0]}"
    if len(place) == 2:
        return f"row {place[0]}, entry {place[1]}"
    return f"index [{', '.join(map(str, place))}]"


def numbers(a):
    """A fact in words: 3, or (5, 1, 28, 28)."""
    words = ", ".join(f"{v:.4g}" for v in a.ravel()[:6]) + ", ..." * (a.size > 6)
    return words if a.ndim == 0 else f"({words})"
