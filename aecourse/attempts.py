"""Runs a learner's code so that it always comes back, and changes nothing around it."""

import contextlib
import ctypes
import linecache
import os
import random
import signal
import sys
import threading
import traceback

import numpy as np
import torch

from aecourse.advice import advice

LIMIT = 10  # seconds


class Stopped(Exception):
    """Why an attempt has no answer, in one sentence."""


class Unwritten(Exception):
    """The attempt is still the stub, `raise NotImplementedError`."""


class TooLong(BaseException):
    """Raised in the attempt when its time is over; an `except Exception` lets it by."""


def run(attempt, *arguments, author):
    """attempt(*arguments), in LIMIT seconds, with all that it could leave behind put back.

    author  the learner's function or class: its file tells which lines are the learner's
    Raises Stopped, with a sentence, whatever the attempt raises; Unwritten for a stub.
    """
    try:
        with _contained(), _limited(LIMIT):
            return attempt(*arguments)
    except Stopped:
        raise
    except TooLong:
        raise Stopped(f"it takes longer than {LIMIT} seconds: does a loop not end?") from None
    except KeyboardInterrupt:
        raise Stopped("it was stopped before it had an answer.") from None
    except SystemExit:
        raise Stopped("it calls exit(), which ends the notebook's kernel: use return.") from None
    except BaseException as error:
        lines = [f for f in traceback.extract_tb(error.__traceback__) if _mine(f.filename, author)]
        whole = traceback.extract_tb(error.__traceback__)
        bare = isinstance(error, NotImplementedError) and not error.args
        if bare and whole and _mine(whole[-1].filename, author):
            raise Unwritten from None
        raise Stopped(_told(error, lines)) from None


def _told(error, lines):
    try:
        words = str(error).strip().splitlines() or [""]
    except Exception:  # a __str__ of the learner's own
        words = ["(its message can't be shown)"]
    name = (type(error).__name__ + (f": {words[0][:160]}" if words[0] else "")).rstrip(".")
    line = linecache.getline(lines[-1].filename, lines[-1].lineno).strip() if lines else ""
    told = f"it stops: {name}. {advice(line, name)}".strip()
    if not lines:
        return told
    source = f", `{line[:80]}`," if line else ""
    return f"in line {lines[-1].lineno} of yours{source} {told}"


def _mine(filename, author):
    """Whether a file, or a cell of a notebook, is where the learner writes."""
    parts = [author, *vars(author).values()] if isinstance(author, type) else [author]
    codes = [getattr(part, "__code__", None) for part in parts]
    files = {code.co_filename for code in codes if code is not None}
    return filename in files or "ipykernel_" in filename or filename.startswith("<ipython")


@contextlib.contextmanager
def _contained():
    """Put back what code may switch: generators, gradients, precision, threads, output, folder."""
    torchs, numpys, pythons = torch.get_rng_state(), np.random.get_state(), random.getstate()
    gradients, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    threads, out, folder = torch.get_num_threads(), sys.stdout, os.getcwd()
    try:
        torch.set_grad_enabled(True)
        yield
    finally:
        torch.set_rng_state(torchs), np.random.set_state(numpys), random.setstate(pythons)
        torch.set_grad_enabled(gradients), torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
        sys.stdout = out
        os.chdir(folder)


@contextlib.contextmanager
def _limited(seconds):
    """Raise TooLong in this thread after some seconds, and again until it gets out."""
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        before = signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        return
    thread, done = ctypes.c_ulong(threading.get_ident()), threading.Event()

    def watch():
        wait = seconds
        while not done.wait(wait):
            wait = 0.5
            if _importing(sys._current_frames().get(thread.value)):
                wait = seconds
            else:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TooLong))

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _too_long(_, frame):
    if not _importing(frame):
        raise TooLong
    signal.setitimer(signal.ITIMER_REAL, LIMIT, 0.5)  # the time begins anew


def _importing(frame):
    """Whether the attempt is in the midst of an import. Cut there, a module stays in halves: the
    first optimizer imports much of PyTorch, and on a busy machine that takes its time."""
    while frame is not None and frame.f_code is not run.__code__:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


MODULES = ("losses", "models", "neurons", "information", "variational", "scores", "few_labels")
MODULES += ("codecs", "sequences", "sound", "pretraining", "training", "conditional", "samples")
AS_SHIPPED = {}  # of each module of the package, what it held when the checks were imported


def remember():
    """Keep the package as it is, so that a learner's patch can't change what counts as right."""
    for name in MODULES:
        module = sys.modules.get(f"aecourse.{name}")
        if module:
            AS_SHIPPED[module] = dict(vars(module))


@contextlib.contextmanager
def as_shipped():
    """The package as `remember` saw it; patches come back afterwards."""
    patches = [
        (module, name, vars(module).get(name), value)
        for module, values in AS_SHIPPED.items()
        for name, value in values.items()
        if vars(module).get(name) is not value
    ]
    for module, name, _, value in patches:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, patch, _ in patches:
            setattr(module, name, patch)
