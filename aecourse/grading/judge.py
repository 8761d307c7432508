"""Judges the exercises of one notebook: each in a process of its own, shut in and watched.

A result comes by a pipe that nothing printed can reach, behind a random word. After the attempt the
same process must still refuse an answer that is known to be wrong: code that changes how answers
are marked is found out by that.
"""

import ast
import contextlib
import functools
import json
import linecache
import os
import secrets
import select
import signal
import sys
import time
import types
from contextlib import suppress

from aecourse import attempts, checks
from aecourse.exercises import EXERCISES
from aecourse.grading import cells, sandbox

STATES = {"✔ right": "right", "✘ not yet": "not yet", "… not written yet": "not written"}
WALL = 60  # seconds an exercise, should it sleep; the limit on computing is the sandbox's
BUDGET = 150  # seconds a notebook
TAMPERED = "its code changes how answers are marked, so it was not judged: look at it."


def notebook(connection, text, filename, folder):
    """Judge a notebook, given as bytes, and send the result, or the sentence why there is none, as
    JSON: {"alone": whether in namespaces, "attempts": [...] or "unreadable": sentence}."""
    os.setsid()
    alone = sandbox.enter(folder)
    child = os.fork()
    if child == 0:
        sandbox.end_with_parent()
        _leave_open(connection.fileno())
        with suppress(BaseException):
            result = {"alone": alone} | _judged(text, filename, folder, alone)
            connection.send_bytes(json.dumps(result).encode())
        os._exit(0)
    connection.close()
    os.waitpid(child, 0)


def _judged(text, filename, folder, alone):
    try:
        found, sources = cells.attempts(text, filename)
    except cells.Unreadable as error:
        return {"unreadable": str(error)}
    for number, source in enumerate(sources):  # so that a sentence can quote a line
        linecache.cache[_file(number)] = (len(source), None, source.splitlines(True), _file(number))
    end = time.monotonic() + BUDGET
    return {"attempts": [_supervised(attempt, folder, alone, end) for attempt in found]}


def _supervised(attempt, folder, alone, end):
    result = {"exercise": attempt.name, "seconds": 0.0}
    if not attempt.statements:
        gone = "the notebook does not define it."
        status, sentence = ("not yet", attempt.error) if attempt.error else ("not written", gone)
        return result | {"status": status, "sentence": sentence}
    if time.monotonic() > end:
        words = f"not tried: the notebook had used up its {BUDGET} seconds."
        return result | {"status": "not yet", "sentence": words}
    status, sentence, seconds = _in_a_process(attempt, folder, alone)
    result |= {"status": status, "sentence": sentence, "seconds": round(seconds, 2)}
    return result | {"code": attempt.code[:20_000], "mark": attempt.mark}


def _in_a_process(attempt, folder, alone):
    """Status, sentence and seconds of computing of an attempt, whatever it does."""
    reader, writer = os.pipe()
    word = secrets.token_hex(16)
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os.setsid()
            sandbox.end_with_parent()
            _leave_open(writer)
            sandbox.shut(folder, alone)
            write, dumps = os.write, json.dumps  # as they are now
            write(writer, f"{word}{dumps(outcome(attempt))}\n".encode())
        os._exit(0)
    os.close(writer)
    came, late = _read(reader, time.monotonic() + WALL)
    os.close(reader)
    for everybody in (child, -child) if os.getpid() != 1 else (child, -1):
        with suppress(OSError):
            os.kill(everybody, signal.SIGKILL)
    _, ended, used = os.wait4(child, 0)
    seconds = used.ru_utime + used.ru_stime
    if came.startswith(word.encode()) and came.endswith(b"\n"):
        with suppress(ValueError, TypeError):
            status, sentence = json.loads(came[len(word) :])
            if status in STATES.values():
                return status, _short(sentence), seconds
    return "not yet", _end(came, late, ended, seconds), seconds


def _end(came, late, ended, seconds):
    """Why a process has left without a result, in one sentence."""
    if came:
        return TAMPERED
    if late or seconds > sandbox.CPU - 1:
        return f"it was stopped after {WALL if late else sandbox.CPU} seconds: does a loop not end?"
    if os.WIFSIGNALED(ended):
        return f"it makes Python crash (signal {os.WTERMSIG(ended)})."
    return "it ends the process that it runs in: use return."


def _read(pipe, end):
    """What comes until the end of a line, the pipe's end or the time; and whether it was late."""
    came = b""
    while not came.endswith(b"\n") and len(came) < 1 << 16:
        if not select.select([pipe], [], [], max(0, end - time.monotonic()))[0]:
            return came, True
        part = os.read(pipe, 1 << 16)
        if not part:
            break
        came += part
    return came, False


def outcome(attempt):
    """The status and the sentence of an attempt, in this process."""
    ask, wrong, run = checks.outcome, _known_wrong(attempt.name), attempts.run
    space = _space()
    try:
        for statement in attempt.statements:
            run(_execute, statement, space, author=_execute)
            for name in attempt.others & statement.binds:
                space[name] = checks.yours_or_ours(space[name])
    except attempts.Stopped as stopped:
        return "not yet", _short(f"before the check, {stopped}")
    except attempts.Unwritten:
        return "not yet", "before the check, a cell raises NotImplementedError."
    f = space.get(attempt.name)
    if f is EXERCISES[attempt.name].solution:
        return "not written", "it is the package's own function, imported."
    if checks._find(f)[0] != attempt.name:
        called = getattr(f, "__name__", type(f).__name__)
        return "not yet", f"{attempt.name} is {called} here: its cell must define {attempt.name}."
    status, sentence = ask(f)
    if ask(wrong)[0] == "✔ right":
        return "not yet", TAMPERED
    return STATES[status], _short(sentence)


def _execute(statement, space):
    module = ast.Module([statement.node], [])
    with contextlib.redirect_stdout(None):
        exec(compile(module, _file(statement.cell), "exec"), space)


def _space():
    """An empty __main__, in place of the grader's."""
    sys.modules["__main__"] = types.ModuleType("__main__")
    return vars(sys.modules["__main__"])


def _known_wrong(name):
    mistake = next(iter(EXERCISES[name].mistakes.values()))

    @functools.wraps(mistake)
    def wrong(*arguments, **named):
        return mistake(*arguments, **named)

    wrong.__name__ = name
    return wrong


def _file(number):
    return f"ipykernel_cell_{number}"


def _short(sentence):
    return "".join(c for c in sentence if c.isprintable())[:600]


def _leave_open(one):
    """Close every file but one; what is printed goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.closerange(3, one)
    os.closerange(one + 1, 4096)
