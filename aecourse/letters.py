"""What a letter is in the whole course: its axes, its kind, its range. See `shapes.guard`."""

import functools
import math
from functools import partial
from numbers import Real
from typing import NamedTuple

import numpy as np
import torch

from aecourse import inputs


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


class Spec(NamedTuple):
    """What a letter stands for: a tensor with these axes, of numbers, labels, ..."""

    axes: tuple
    kind: str
    nan: bool  # what a diverging model makes may be NaN, and comes out as NaN


def read(letter):
    """A letter's words as a Spec; a function stays what it is."""
    if not isinstance(letter, str):
        return letter
    words, nan, _ = letter.partition(" or NaN")
    axes, _, kind = words.partition(" of ")
    return Spec(tuple(axes.split()), kind or "numbers", bool(nan))


def tensor(a, spec, name, late):
    """`a` as a tensor of the kind and with the axes of a spec."""
    if spec.kind in ("labels", "binary"):
        return inputs.labels(a, name)[0] if spec.kind == "labels" else inputs.binary(a, name)
    a = inputs.axes(inputs.numbers(a, name), spec.axes, name)
    if spec.kind == "whole":
        return inputs.whole_numbers(a, name)
    a = inputs.scaled(a)
    if a.numel() == 0 or not (late or spec.nan):
        inputs.finite(a, name)
    if spec.kind in ("covariance", "definite"):
        return inputs.covariance(a, name, spec.kind == "definite")
    return a


def same_sizes(tensors, specs):
    """Make certain that a letter is the same size wherever it stands."""
    sizes = {}
    for name, a in tensors.items():
        dims, shape = specs[name].axes, tuple(a.shape)
        k = next((k for k, d in enumerate(dims) if d.startswith("*")), len(dims))
        end = k + len(shape) - len(dims) + 1
        found = shape if k == len(dims) else (*shape[:k], shape[k:end], *shape[end:])
        for letter, size in zip(dims, found, strict=True):
            other, known = sizes.setdefault(letter, (name, size))
            if known != size and letter != "*":
                theirs = f"{other} is {tuple(tensors[other].shape)}, {name} is {shape}"
                raise ValueError(f"{theirs}: they must agree in {letter.strip('*')}.")


def together(tensors):
    """Tensors on one device, the first that is no CPU, and floats in one precision."""
    devices = [a.device for a in tensors.values()]
    kinds = {a.dtype for a in tensors.values() if a.is_floating_point()}
    if len(set(devices)) == 1 and len(kinds) < 2:
        return {}
    device = next((d for d in devices if d.type != "cpu"), devices[0])
    kind = functools.reduce(torch.promote_types, kinds) if kinds else None
    return {
        name: a.to(device, kind if a.is_floating_point() else a.dtype)
        for name, a in tensors.items()
    }
