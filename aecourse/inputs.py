"""What people have, turned into what the course uses, or told in one sentence.

Tensors, NumPy arrays, lists, columns and tables of pandas come in, in any precision, on any device.
Tensors go out. The functions of the package that take data, codes or labels begin here.
"""

import numpy as np
import torch


def numbers(a, name="x"):
    """`a` as a tensor of real numbers; a tensor keeps its gradient. Floats are float32 at least.

    Raises TypeError for what are no numbers, ValueError for complex ones and unequal parts.
    """
    if not isinstance(a, torch.Tensor):
        try:
            a = np.asarray(a.to_numpy() if hasattr(a, "to_numpy") else _parts(a))
        except ValueError:
            raise ValueError(f"{name} has parts of unequal shape: give it one shape.") from None
        if a.dtype.kind not in "fiubc":
            kind = f"an array of {a.dtype}" if a.ndim else f"a {type(a.item()).__name__}"
            raise TypeError(f"{name} must be numbers, such as a tensor (N, ...), not {kind}.")
        a = torch.from_numpy(a.astype(np.int64) if a.dtype.kind == "u" and a.itemsize > 1 else a)
    if a.is_complex():
        raise ValueError(f"{name} are complex numbers: take their .real or .abs().")
    return a.float() if a.dtype in (torch.float16, torch.bfloat16) else a


def _parts(a):
    """Lists of tensors as lists of arrays; the rest as it is."""
    if isinstance(a, list | tuple):
        return [_parts(part) for part in a]
    return a.detach().cpu().numpy() if isinstance(a, torch.Tensor) else a


def finite(a, name="x"):
    """`a`, once it is certain that it has numbers, and no NaN or infinity among them."""
    if a.numel() == 0:
        raise ValueError(f"{name} is empty, {tuple(a.shape)}: there must be one example at least.")
    if a.is_floating_point() and not all(bound.isfinite() for bound in a.detach().aminmax()):
        wrong = a.detach().isfinite().logical_not()
        first = tuple(wrong.nonzero()[0].tolist())
        raise ValueError(
            f"{name} contains NaN or infinity, {wrong.sum()} times, first at {first}: find them "
            f"with {name}.isfinite().logical_not()."
        )
    return a


def examples(x, model=None, name="x"):
    """Data as a finite float tensor (N, *shape) on the device and in the precision of the model.

    Where the model has a `shape`, one channel may be missing, or come last. Bytes are 0 to 255 of
    an image where the model's shape is one of images, (1 or 3, H, W); else they are numbers.
    """
    x, shape = numbers(x, name), getattr(model, "shape", None)
    if x.ndim == 0 or (x.ndim == 1 and len(shape or (0,)) > 0 and tuple(shape or ()) != (1,)):
        raise ValueError(
            f"{name} is {tuple(x.shape)}: there must be one example at least, (N, *shape)."
        )
    x = x[:, None] if x.ndim == 1 else x
    if x.numel() and shape is not None:
        x = _shaped(x, tuple(shape), name)
    if x.dtype == torch.uint8 and x.ndim == 4:
        x = x.float() / 255
    if model is None:
        return finite(x if x.is_floating_point() else x.float(), name)
    like = next((p for p in (*model.parameters(), *model.buffers()) if p.is_floating_point()), None)
    like = torch.empty(0) if like is None else like
    return finite(x.to(like.device, like.dtype), name)


def _shaped(x, shape, name):
    """x as (N, *shape), where what it lacks is certain."""
    came = tuple(x.shape[1:])
    if came == shape:
        return x
    if len(shape) == 3 and came == shape[1:] and shape[0] == 1:  # no channel
        return x[:, None]
    if len(shape) == 3 and came == (*shape[1:], shape[0]):  # channels last
        return x.movedim(-1, 1)
    if tuple(x.shape) == shape:
        raise ValueError(f"{name} is one example, {shape}: give a batch of it, {name}[None].")
    raise ValueError(f"The model takes {shape}, the examples are {came}.")
