"""One step of a training: the terms of a loss, and an optimizer that goes down their gradient."""

import math

import torch

from aecourse import parallel

OURS = ("epoch", "seconds", "loss")  # columns of the history that are not terms of the loss


def build(make, model, lr):
    """The optimizer, in its fused form where it has one: all weights at once, twice as fast."""
    weights = [p for p in model.parameters() if p.requires_grad]
    if not weights:
        raise ValueError("The model has nothing to learn: no parameter of it takes a gradient.")
    try:
        return make(weights, lr=lr, fused=True)
    except (TypeError, RuntimeError):  # there is no fused form, or not for these weights
        return make(weights, lr=lr)


def step(model, x, loss, optimizer, history, share=1.0):
    """One step of the optimizer down the gradient of the loss; returns the terms as floats.

    x is the part of a batch that this process has, share how much it counts, see parallel.py.
    The weights stay as they are where the loss or its gradient is not finite.
    """
    seen = {}

    def closure():  # for optimizers that look several times a step, such as LBFGS
        named = terms(loss, model, x)
        total = sum(named.values())
        if not (isinstance(total, torch.Tensor) and total.requires_grad):
            raise ValueError("The loss has no gradient: no .item(), no detach and no NumPy in it.")
        optimizer.zero_grad()
        (total if share == 1 else share * total).backward()
        weights, found = optimizer.param_groups[0]["params"], numbers(named)
        if parallel.world() > 1:
            found = parallel.average(weights, found, share)
        value, slope = sum(found.values()), sum(p.grad.sum() for p in weights if p.grad is not None)
        if not (math.isfinite(value) and math.isfinite(slope)):
            raise _not_finite(value, x, optimizer, history)
        seen.setdefault("terms", found)
        return total

    optimizer.step(closure)
    return seen["terms"]


def numbers(named):
    return {k: v.item() if isinstance(v, torch.Tensor) else float(v) for k, v in named.items()}


def terms(loss, model, x):
    """The terms of a loss, once they are what a history can keep."""
    named = loss(model, x)
    if not isinstance(named, dict) or not named:
        kind = type(named).__name__
        raise TypeError(f'A loss returns named terms, {{"reconstruction": r}}, this one a {kind}.')
    for name, term in named.items():
        if name in OURS or str(name).startswith("valid "):
            raise ValueError(f"A term is named {name!r}, as a column of the history is: rename it.")
        if getattr(term, "ndim", 0):
            shape = tuple(term.shape)
            raise ValueError(f"The term {name!r} is {shape}: one number is wanted, as its .mean().")
    return named


def _not_finite(value, x, optimizer, history):
    """The error that says what to do about a loss that is NaN or infinite."""
    what = f"The loss became {value}" if not math.isfinite(value) else "The gradient became NaN"
    if history["loss"]:
        rate = optimizer.param_groups[0]["lr"]
        remedy = f"try a smaller lr than {rate:.3g}; the model keeps its last finite weights"
    else:
        low, high = (bound.item() for bound in x.aminmax())
        remedy = f"before the first step lr is not the cause; x lies in [{low:.3g}, {high:.3g}]: "
        remedy += "scale it to [0, 1] or standardise it, or look into the loss"
    error = ValueError(f"{what}: {remedy}.")
    error.history = history
    return error
