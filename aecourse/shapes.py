"""Functions that take what people have (see inputs.py), by the names of their arguments.

A letter is one thing in the whole course, see letters.py. A module ends with `guard(globals())`,
and says there what its other letters are; N is then certain to be the same in x and in labels.
"""

import functools
import inspect
import math

import torch
from torch import nn

from aecourse import inputs
from aecourse.letters import LETTERS, Spec, read, same_sizes, tensor, together

METHODS = ("encode", "posterior", "forward", "decode", "logits", "sample", "free_energy")


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


def _taking(function, letters):
    """`function`, which takes each of its arguments as the letters say."""
    taker = _Taker(function, letters)

    @functools.wraps(function)
    def taking(*args, **kwargs):
        return taker(args, kwargs)

    return taking if taker.specs else function


class _Taker:
    """Calls a function with what people have, and says in whose name it stops."""

    def __init__(self, function, letters):
        parameters = inspect.signature(function).parameters
        self.function, self.names = function, list(parameters)
        self.specs = {name: read(letters[name]) for name in parameters if letters.get(name)}
        self.model = next((m for m in ("model", "level", "rbm") if m in parameters), None)
        self.late = any(isinstance(spec, Spec) and spec.nan for spec in self.specs.values())
        self.optional = {name for name in parameters if parameters[name].default is None}
        self.known = set()  # kinds of arguments that were right: a training has few, and many steps

    def __call__(self, args, kwargs):
        names = self.names[: len(args)]
        if len(args) > len(names) or not kwargs.keys().isdisjoint(names):
            return self.function(*args, **kwargs)  # Python's own words
        given = dict(zip(names, args, strict=False)) | kwargs
        kind = _kind(given) if self.late and not self.model else None
        if kind not in self.known:
            given = self.taken(given)
            if kind and kind == _kind(given) and len(self.known) < 100:
                self.known.add(kind)
        result = self.run(given)
        if (self.late or self.model) and not _finite(result):
            self.blame(given)
        return result

    def taken(self, given):
        tensors = {}
        for name, spec in self.specs.items():
            if name not in given or (given[name] is None and name in self.optional):
                continue
            if not isinstance(spec, Spec):
                given[name] = spec(given[name], name)
            elif self.model in given and name in ("x", "v", "z"):
                given[name] = _for_model(given[name], given[self.model], name)
            else:
                given[name] = tensors[name] = tensor(given[name], spec, name, self.late)
        if len(tensors) > 1:
            same_sizes(tensors, self.specs)
            given |= together(tensors)
        return given

    def run(self, given):
        try:
            return self.function(**given)
        except torch.linalg.LinAlgError:
            raise ValueError(f"A matrix of {', '.join(given)} is singular: no inverse.") from None
        except Exception as error:
            self.blame(given)
            if self.model or not isinstance(error, RuntimeError):
                raise
            shapes = ", ".join(f"{n} {tuple(getattr(a, 'shape', ()))}" for n, a in given.items())
            stops = f"{self.function.__name__} stops at {shapes}: {_words(error)}."
            raise ValueError(stops) from error

    def blame(self, given):
        """Say so where it was the data, not the model."""
        for name in given.keys() & self.specs:
            if isinstance(self.specs[name], Spec) and not self.specs[name].nan:
                inputs.finite(given[name], name)


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
