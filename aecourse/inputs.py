"""What people have, turned into what the course uses, or told in one sentence.

Tensors, NumPy arrays, lists, columns and tables of pandas come in, in any precision, on any device.
Tensors go out. See `shapes.guard`, by which the functions of the package begin here.
"""

import math

import numpy as np
import torch


def numbers(a, name="x"):
    """`a` as a tensor of real numbers; a tensor keeps its gradient. Floats are float32 at least.

    Raises TypeError for what are no numbers, ValueError for complex ones and unequal parts.
    """
    if not isinstance(a, torch.Tensor):
        a = _array(a, name)
        if a.dtype.kind not in "fiubc":
            kind = f"an array of {a.dtype}" if a.ndim else f"a {type(a.item()).__name__}"
            raise TypeError(f"{name} must be numbers, such as a tensor (N, ...), not {kind}.")
        if a.dtype.kind == "u" and a.itemsize > 1:
            a = a.astype(np.int64)
        if a.dtype.kind == "f" and a.itemsize > 8:
            a = a.astype(np.float64)
        a = torch.from_numpy(np.array(a, order="C"))  # a copy: it may not be writable
    if a.is_complex():
        raise ValueError(f"{name} are complex numbers: take their .real or .abs().")
    return a.float() if a.dtype in (torch.float16, torch.bfloat16) else a


def _array(a, name):
    try:
        return np.asarray(a.to_numpy() if hasattr(a, "to_numpy") else _parts(a))
    except ValueError:
        raise ValueError(f"{name} has parts of unequal shape: give it one shape.") from None


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

    Where the model has a `shape`, one channel may be missing, or come last, or rows be flat. Bytes
    are 0 to 255 of images, (N, C, H, W); else they are numbers.
    """
    x, shape = numbers(x, name), getattr(model, "shape", None)
    if x.ndim == 0 or (x.ndim == 1 and len(shape or (0,)) > 0 and tuple(shape or ()) != (1,)):
        raise ValueError(
            f"{name} is {tuple(x.shape)}: there must be one example at least, (N, *shape)."
        )
    x = x[:, None] if x.ndim == 1 else x
    if x.numel() and shape is not None:
        x = _shaped(x, tuple(shape), name)
    return alike(finite(scaled(x), name), model)


def scaled(x):
    """Whole numbers as floats; bytes are 0 to 255 of images where there are four axes."""
    if x.is_floating_point():
        return x
    return x.float() / 255 if x.dtype == torch.uint8 and x.ndim == 4 else x.float()


def alike(x, model):
    """x on the device and in the precision of the model, if there is one that has numbers."""
    parts = (*model.parameters(), *model.buffers()) if isinstance(model, torch.nn.Module) else ()
    like = next((p for p in parts if p.is_floating_point()), torch.empty(0))
    return x if like.numel() == 0 and model is None else x.to(like.device, like.dtype)


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
    if came == (math.prod(shape),):  # flat rows
        return x.unflatten(1, shape)
    raise ValueError(f"The model takes {shape}, the examples are {came}.")


def codes(z, model=None, name="z"):
    """Codes as a finite float tensor (N, d); (N,) are codes of one number. As `examples`."""
    return alike(finite(axes(scaled(numbers(z, name)), ("N", "d"), name), name), model)


def images(x, name="x"):
    """Pictures as a float tensor (N, 1 or 3, H, W): bytes over 255, channels last moved, one grey
    picture (H, W) or several (N, H, W) without a channel."""
    x = numbers(x, name)
    x = x.float() / 255 if x.dtype == torch.uint8 else scaled(x)
    if x.ndim == 3 and (x.shape[2] in (1, 3) or x.shape[0] == 3):
        raise ValueError(
            f"{name} is {tuple(x.shape)}: give {name}[None] for one picture in colours, or "
            f"{name}[:, None] for grey ones."
        )
    x = {2: x[None, None], 3: x[:, None]}.get(x.ndim, x) if x.ndim in (2, 3) else x
    if x.ndim == 4 and x.shape[1] not in (1, 3) and x.shape[3] in (1, 3):
        x = x.movedim(3, 1)
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"{name} must be images (N, 1 or 3, H, W), these are {tuple(x.shape)}.")
    return finite(x, name)


def labels(y, name="labels"):
    """Classes as whole numbers from 0 on, int64 (N,), and their names.

    Strings, negative numbers and those of 1,000 or more are counted in their order, and named.
    Whole numbers from 0 on stay what they are, () are their names. (N, 1) is a column.
    """
    raw = y if isinstance(y, torch.Tensor) else _array(y, name)
    if isinstance(raw, np.ndarray) and raw.dtype.kind in "OSU" and raw.size:
        if not all(isinstance(word, str) for word in raw.flat):
            raise TypeError(f"{name} must be whole numbers or strings, of one kind, none missing.")
        words, raw = np.unique(raw.astype(str), return_inverse=True)
        return torch.from_numpy(raw.reshape(-1)), tuple(words.tolist())
    y = whole_numbers(finite(axes(numbers(raw, name), ("N",), name), name), name)
    if y.min() >= 0 and y.max() < 1_000:
        return y, ()
    classes, y = y.unique(return_inverse=True)
    return y, tuple(map(str, classes.tolist()))


def whole_numbers(a, name):
    """A tensor of whole numbers as int64."""
    if a.is_floating_point() and not torch.equal(finite(a, name), a.round()):
        raise ValueError(f"{name} must be whole numbers, these are not: round or count them first.")
    return a.long()


def covariance(cov, name, definite=False):
    """A symmetric matrix (D, D) without negative eigenvalues, with definite=True without 0."""
    if cov.shape[0] != cov.shape[1]:
        raise ValueError(f"{name} is {tuple(cov.shape)}: a covariance is square.")
    size = cov.detach().abs().max()
    if (cov - cov.T).abs().max() > 1e-4 * size:
        raise ValueError(f"{name} is not symmetric: a covariance is, as torch.cov(x.T) makes it.")
    slack = size * (-torch.finfo(cov.dtype).eps if definite else 1e-4)
    if not torch.linalg.cholesky_ex(cov.detach() + slack * torch.eye(len(cov)).to(cov)).info:
        return cov  # Cholesky's way is many times faster than the eigenvalues
    least = torch.linalg.eigvalsh(cov.detach()).min()
    if least < -1e-4 * size or (definite and least <= torch.finfo(cov.dtype).eps * size):
        kind = "positive" if definite else "no negative"
        raise ValueError(f"{name} has an eigenvalue of {least:.3g}: it must have {kind} ones only.")
    return cov


def array(a, name):
    """Real numbers as a NumPy array of float64."""
    return numbers(a, name).detach().cpu().numpy().astype(float)


def binary(odd, name="odd"):
    """True or false, bool (N,), of 0 and 1."""
    odd = finite(axes(numbers(odd, name), ("N",), name), name)
    if not ((odd == 0) | (odd == 1)).all():
        found = odd.unique()[:3].tolist()
        raise ValueError(f"{name} must be 0 or 1, true for an anomaly, not {found}: compare first.")
    return odd.bool()


def axes(a, dims, name):
    """`a` with the axes `dims`, where what it lacks is certain: (N,) is a column where (N, d) is
    wanted, and the other way round. One of dims may begin with a star: any number of axes.
    """
    if a.ndim == 1 and len(dims) == 2 and dims[0] == "N":
        a = a[:, None]
    if dims == ("N",) and a.ndim == 2 and a.shape[1] == 1:
        a = a[:, 0]
    starred = any(d.startswith("*") for d in dims)
    if a.ndim < len(dims) - starred or (not starred and a.ndim > len(dims)):
        wanted = ", ".join(dims) + "," * (len(dims) == 1)
        raise ValueError(f"{name} is {tuple(a.shape)}: it must be ({wanted}).")
    return a
