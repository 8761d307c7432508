"""Functions that take what people have (see inputs.py), by the names of their arguments.

A letter is one thing in the whole course, see letters.py. A module ends with `guard(globals())`,
and says there what its other letters are; N is then certain to be the same in x and in labels.
"""

import functools
import inspect
import math
from typing import NamedTuple

import torch
from torch import nn

from aecourse import inputs
from aecourse.letters import LETTERS

METHODS = ("encode", "posterior", "forward", "decode", "logits", "sample", "free_energy")


class Spec(NamedTuple):
    """What a letter stands for: a tensor with these axes, of numbers, labels, ..."""

    axes: tuple
    kind: str
    nan: bool  # what a diverging model makes may be NaN, and comes out as NaN


def guard(module, **letters):
    """Have the public functions and models of a module, given by its globals(), take what people
    have.

    letters  by an argument's name: its axes, "N *shape", a star for any number of them; then
             " of labels", " of binary", " of whole" or " of covariance" for other than floats; then
             " or NaN" where NaN is an answer. Or a function (value, name) -> value, or None. By a
             function's name: a dict of letters that are its own.
    """
    own = {name: letters.pop(name) for name in list(letters) if isinstance(letters[name], dict)}
    for name, thing in list(module.items()):
        if name.startswith("_") or getattr(thing, "__module__", None) != module["__name__"]:
            continue
        if inspect.isfunction(thing):
            module[name] = _taking(thing, LETTERS | letters | own.get(name, {}))
        elif isinstance(thing, type) and issubclass(thing, nn.Module):
            for method in METHODS:
                if method in vars(thing):
                    setattr(thing, method, _trying(vars(thing)[method]))


def _read(letter):
    if not isinstance(letter, str):
        return letter
    words, nan, _ = letter.partition(" or NaN")
    axes, _, kind = words.partition(" of ")
    return Spec(tuple(axes.split()), kind or "numbers", bool(nan))


def _taking(function, letters):
    """`function`, which takes each of its arguments as the letters say."""
    parameters = inspect.signature(function).parameters
    names = list(parameters)
    specs = {name: _read(letters[name]) for name in names if letters.get(name)}
    model = next((name for name in ("model", "level", "rbm") if name in names), None)
    late = any(isinstance(spec, Spec) and spec.nan for spec in specs.values())
    optional = {name for name in names if parameters[name].default is None}
    known = set()  # kinds of arguments that were right: a training has few, and many steps

    def taken(given):
        tensors = {}
        for name, spec in specs.items():
            if name not in given or (given[name] is None and name in optional):
                continue
            if not isinstance(spec, Spec):
                given[name] = spec(given[name], name)
            elif model in given and name in ("x", "v", "z"):
                given[name] = _for_model(given[name], given[model], name)
            else:
                given[name] = tensors[name] = _tensor(given[name], spec, name, late)
        if len(tensors) > 1:
            _same_sizes(tensors, specs)
            given |= _together(tensors)
        return given

    @functools.wraps(function)
    def taking(*args, **kwargs):
        if len(args) > len(names) or not kwargs.keys().isdisjoint(names[: len(args)]):
            return function(*args, **kwargs)  # Python's own words
        given = dict(zip(names, args, strict=False)) | kwargs
        kind = _kind(given) if late and not model else None
        if kind not in known:
            given = taken(given)
            if kind and kind == _kind(given) and len(known) < 100:
                known.add(kind)
        try:
            result = function(**given)
        except torch.linalg.LinAlgError:
            raise ValueError(f"A matrix of {', '.join(given)} is singular: no inverse.") from None
        except Exception as error:
            blame(given)
            if model or not isinstance(error, RuntimeError):
                raise
            shapes = ", ".join(
                f"{name} {tuple(getattr(a, 'shape', ()))}" for name, a in given.items()
            )
            raise ValueError(f"{function.__name__} stops at {shapes}: {_words(error)}.") from error
        if (late or model) and not _finite(result):
            blame(given)
        return result

    def blame(given):
        """Say so where it was the data, not the model."""
        for name in given.keys() & specs:
            if isinstance(specs[name], Spec) and not specs[name].nan:
                inputs.finite(given[name], name)

    return taking if specs else function


def _finite(result):
    terms = result.values() if isinstance(result, dict) else [result]
    terms = [t for t in terms if isinstance(t, torch.Tensor)]
    return all(t.isfinite().all() if t.ndim else math.isfinite(t.item()) for t in terms)


def _words(error):
    """The first line of an error of PyTorch, without a full stop."""
    return str(error).splitlines()[0].rstrip(".")


def _kind(given):
    """Shapes, precisions and devices of the tensors among arguments, and the numbers."""
    return tuple(
        (name, a.shape, a.dtype, a.device)
        if isinstance(a, torch.Tensor)
        else (name, a if isinstance(a, int | float) else object())
        for name, a in given.items()
    )


def _tensor(a, spec, name, late):
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


def _for_model(x, model, name):
    """x as the model takes it; nothing is done, in no time, where it is so already."""
    shape = None if name == "z" else getattr(model, "shape", None)
    fits = isinstance(x, torch.Tensor) and x.is_floating_point() and x.numel()
    if fits and shape in (None, tuple(x.shape[1:])):
        like = next(iter(getattr(model, "parameters", tuple)()), x)
        if x.dtype == like.dtype and x.device == like.device:
            return x
    return (inputs.codes if name == "z" else inputs.examples)(x, model, name)


def _trying(method):
    """A model's method that takes what people have where PyTorch itself does not."""
    names = list(inspect.signature(method).parameters)
    of_codes = not {"z", "h"}.isdisjoint(names)
    take = inputs.codes if of_codes else inputs.examples

    @functools.wraps(method)
    def trying(self, *given, **named):
        if len(given) + len(named) != 1 or not named.keys() <= {names[1]}:
            return method(self, *given, **named)  # Python's own words
        (a,) = *given, *named.values()
        shape = tuple(getattr(a, "shape", ()))[1:]
        if of_codes or shape == getattr(self, "shape", shape):  # else it might be flattened
            try:
                return method(self, a)
            except Exception:
                pass  # PyTorch's words; ours follow, if the cause is in a
        a = take(a, self)
        try:
            return method(self, a)
        except RuntimeError as error:
            kind = f"{type(self).__name__}.{method.__name__}"
            raise ValueError(f"{kind} stops at {tuple(a.shape)}: {_words(error)}.") from error

    return trying


def _same_sizes(tensors, specs):
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


def _together(tensors):
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
