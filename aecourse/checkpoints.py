"""The state of a training in a file, from which the same training goes on, and no other one."""

import contextlib
import functools
import os
import re
import types
import zlib
from pathlib import Path

import torch

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt


@contextlib.contextmanager
def alone(path):
    """Hold the file `path` for this training. None is no file, and nothing to hold.

    Raises ValueError where the folder is missing, or where another training holds the file. The
    system itself lets go of it when a process ends, however it ends.
    """
    if path is None:
        yield
        return
    if not Path(path).parent.is_dir() or Path(path).is_dir():
        raise ValueError(f"checkpoint = {str(path)!r}: make the folder for the file first.")
    with open(f"{path}.lock", "w") as lock:
        try:
            if fcntl:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            raise ValueError(f"{path} is in use by another training: give each its own.") from None
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows keeps it while it is open
                os.unlink(f"{path}.lock")


def save(path, recipe, state, history):
    """Write the state of a training to a file, whole or not at all."""
    saved = {name: part.state_dict() for name, part in state.items()}
    saved |= {"recipe": recipe, "history": history, "generators": _generators()}
    part = f"{path}.{os.getpid()}.part"
    try:
        torch.save(saved, part)
        os.replace(part, path)
    finally:
        Path(part).unlink(missing_ok=True)


def resume(path, recipe, state):
    """Put a saved state back in its place; returns the history so far, None if there is no file.

    Raises ValueError for a file that is damaged, or of another training than `recipe` describes;
    then nothing has been changed. Nothing in the file is run as code.
    """
    if path is None or not Path(path).exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        theirs, history, generators = saved["recipe"], saved["history"], saved["generators"]
    except Exception:  # torch.load's words for a broken or a strange file are many
        raise ValueError(f"{path} is no whole checkpoint: delete it or rename it.") from None
    for name, value in recipe.items():
        if theirs.get(name) != value:
            words = f"{name} {theirs.get(name)}, not {value}"
            raise ValueError(f"{path} is of another training ({words}): delete it or rename it.")
    for name, part in state.items():
        part.load_state_dict(saved[name])
    torch.set_rng_state(generators["cpu"])
    if "cuda" in generators and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(generators["cuda"])
    return history


def _generators():
    """The state of PyTorch's random generators."""
    cuda = {"cuda": torch.cuda.get_rng_state_all()} if torch.cuda.is_initialized() else {}
    return {"cpu": torch.get_rng_state()} | cuda


def fingerprint(x):
    """A tensor in a few words: its shape and a checksum of its numbers; None of None."""
    if x is None:
        return None
    content = x.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
    return f"{tuple(x.shape)} with checksum {zlib.crc32(content)}"


def architecture(model):
    """A model in a few words: its class, its size, a checksum of its layers' names and shapes."""
    layers = [(name, tuple(value.shape)) for name, value in model.state_dict().items()]
    size = sum(parameter.numel() for parameter in model.parameters())
    kinds = [type(module).__name__ for module in model.modules()]
    checksum = zlib.crc32(repr((layers, kinds)).encode())
    return f"{type(model).__name__} of {size} weights with checksum {checksum}"


def described(thing):
    """A function, a class or a value in words that are the same in the next process.

    Of a function that is written in a notebook its code counts too, and what it closes over, but
    for lists and dicts, which may be its memory.
    """
    if isinstance(thing, functools.partial):
        words = [*map(described, thing.args)]
        words += [f"{name}={described(value)}" for name, value in sorted(thing.keywords.items())]
        return f"{described(thing.func)}({', '.join(words)})"
    if isinstance(thing, torch.Tensor):
        return fingerprint(thing)
    if isinstance(thing, torch.nn.Module):
        return architecture(thing)
    if isinstance(thing, types.FunctionType):
        name = f"{thing.__module__}.{thing.__qualname__}"
        within = [cell.cell_contents for cell in thing.__closure__ or ()]
        # neither itself nor what may change while it trains
        within = [v for v in within if v is not thing and not isinstance(v, list | dict)]
        given = [*within, *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
        details = repr((_code(thing.__code__), [described(value) for value in given]))
        return name if name.startswith("aecourse.") else f"{name} {zlib.crc32(details.encode())}"
    if isinstance(thing, type):
        return f"{thing.__module__}.{thing.__qualname__}"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(thing))


def _code(code):
    """What a function does, without the lines it stands on."""
    constants = [_code(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, code.co_names, constants
