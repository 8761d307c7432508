"""What of an answer differs from the right one, in words: its form, or the first entry."""

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
