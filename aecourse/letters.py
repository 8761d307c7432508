"""What a letter is in the whole course: its axes, its kind, its range. See `shapes.guard`."""

import math
from functools import partial
from numbers import Real

import numpy as np
import torch


def single(value, name):
    """One real number, also NaN; a tensor of one keeps its gradient."""
    one = isinstance(value, Real)
    if isinstance(value, torch.Tensor):
        one = value.ndim == 0 and not value.is_complex()
    elif isinstance(value, np.ndarray):
        one = value.ndim == 0 and value.dtype.kind in "fiub"
    if not one:
        shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
        raise TypeError(f"{name} must be one number, not a {type(value).__name__}{shape}.")
    learnt = getattr(value, "requires_grad", False)
    return value if learnt or not hasattr(value, "item") else value.item()


def number(value, name, above=-math.inf, whole=False):
    """One finite real number above a bound; a whole one as an int."""
    value = single(value, name)
    if not above < value < math.inf or (whole and value != int(value)):
        kind = f"a {'whole' if whole else 'finite'} number"
        kind += f" above {above}" if above > -math.inf else ""
        raise ValueError(f"{name} = {value}: {kind} is wanted.")
    return int(value) if whole else value


whole = partial(number, whole=True)
count = partial(number, above=0, whole=True)
positive = partial(number, above=0)

LETTERS = {
    "x": "N *shape",  # data
    "x_hat": "N *shape or NaN",  # what a model makes of them
    "logits": "N *shape or NaN",
    "z": "N d",  # codes
    "mu": "N d or NaN",
    "logvar": "N d or NaN",
    "w": "d D",  # weights
    "cov": "D D of covariance",
    "labels": "N of labels",
    "odd": "N of binary",  # anomalies
    "sigma": single,  # functions that need it positive say why
    "eta": number,
    "beta": number,
    "lam": number,
    "d": whole,
    "k": count,
    "n": count,
}
