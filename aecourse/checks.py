"""What an exercise says back: `check(f)` after the attempt, `hint(f)` when stuck, `solution(f)`.

f has the name and the arguments of the function or class of the package that it rebuilds. The three
print one answer and never raise, so that "Run all" goes through with every exercise unwritten.
`yours_or_ours(f)` hands on f if it is right, for the cells that go on with it. `progress()` shows
what was right so far.
"""

import difflib
import functools
import inspect
import sys
from importlib import metadata

import numpy as np
import torch
from packaging.requirements import Requirement

from aecourse import answers, attempts, data, marking, record
from aecourse.exercises import EXERCISES

_given = {}  # hints given so far, by name
attempts.remember()


def check(f=None):
    """Try f on the cases of its exercise and print: not written yet, not yet and why, or right."""
    status, sentence = outcome(f)
    _say(f"{status}: {sentence}")
    record.note(_find(f)[0], status)


def progress():
    """Print your own table: each exercise of the course, right, not yet or not written."""
    _say(record.overview())


def hint(f=None):
    """Print the hints of f's exercise so far and one more; each call goes one step further."""
    name, exercise = _find(f)
    if exercise is None:
        return _say(_unknown(f))
    _given[name] = min(_given.get(name, 0) + 1, len(exercise.hints) + 1)
    for k, sentence in enumerate(exercise.hints[: _given[name]], 1):
        _say(f"Hint {k} of {len(exercise.hints)}: {sentence}")
    if _given[name] > len(exercise.hints):
        _say(f"There are no more hints. solution({name}) shows how the package does it.")


def solution(f=None):
    """Print the source of the package's own function, which is the solution of f's exercise."""
    _, exercise = _find(f)
    _say(_unknown(f) if exercise is None else inspect.getsource(exercise.solution))


def yours_or_ours(f):
    """f if it is right, or else the solution of its exercise; prints which of the two.

    A function that answers in NumPy, in lists or in plain numbers, where the solution answers in
    tensors, is handed on in a coat that makes tensors of its answers.
    """
    name, exercise = _find(f)
    if exercise is None:
        _say(_unknown(f))
        return f
    if f is exercise.solution:
        _say(
            f"{name} is ours already. Is yours called by another name? Its cell must define {name}."
        )
        return f
    yours = outcome(f)[0] == "✔ right"
    _say(f"{name}: from here on {'yours is used' if yours else 'ours, until yours is right'}.")
    if not yours:
        return exercise.solution
    return f if exercise.probe or _answers_alike(exercise, f) else _in_tensors(exercise, f)


def outcome(f):
    """What `check` prints: ("… not written yet" | "✘ not yet" | "✔ right", a sentence)."""
    name, exercise = _find(f)
    if exercise is None or isinstance(f, str):
        return "✘ not yet", _unknown(f)
    try:
        with attempts.as_shipped(), torch.enable_grad():
            sentence = marking.wrong(exercise, f)
    except attempts.Unwritten:
        return "… not written yet", f"replace the line `raise NotImplementedError` in {name}."
    if sentence:
        return "✘ not yet", sentence
    agrees = "agrees with the package's" if exercise.probe is None else "does what it should"
    return "✔ right", f"{name} {agrees} on {len(exercise.cases())} cases."


def check_installation():
    """Print ✔ in one line where all packages and data files that the course needs are there; or a
    line with ✘ and what to do for each that is not."""
    try:
        requirements = metadata.requires("aecourse")
    except metadata.PackageNotFoundError:
        return _say("✘ aecourse: run  pip install --no-deps -e .  in the folder of the course")
    good, bad = [], []
    for requirement in map(Requirement, requirements):
        if requirement.marker is None:  # the others belong to the tests and to JupyterLab
            try:
                version = metadata.version(requirement.name)
                fits = requirement.specifier.contains(version, prereleases=True)
            except metadata.PackageNotFoundError:
                version, fits = "missing", False
            if fits:
                good.append(f"{requirement.name} {version}")
            else:
                bad.append(f'{requirement.name} {version}: run  pip install "{requirement}"')
    for name in data.BUNDLED:
        try:
            data.load(name)
        except (OSError, ValueError) as error:
            bad.append(f"data {name} {error}")
    for line in bad:
        _say(f"✘ {line}")
    if not bad:
        _say(f"✔ all is well: {', '.join(good)}; {len(data.BUNDLED)} data sets")


def _answers_alike(exercise, f):
    """Whether f's answers are of the kind of the solution's: tensors, of the same precision."""
    for arguments in marking.cases(exercise).values():
        kinds = []
        for function in (f, exercise.solution):
            try:
                given = map(marking.with_gradient, arguments)
                answer = attempts.run(function, *given, author=function)
            except attempts.Stopped:  # NumPy takes no tensor that wants a gradient
                return False
            answer = answer if isinstance(answer, tuple) else (answer,)
            kinds.append([(type(part), getattr(part, "dtype", None)) for part in answer])
        if kinds[0] != kinds[1]:
            return False
    return True


def _in_tensors(exercise, f):
    """f with answers as tensors of the solution's kind: whole numbers where it has these, or else
    in the precision of the arguments, which ask for no gradient."""
    theirs = exercise.solution(*next(iter(marking.cases(exercise).values())))
    several = isinstance(theirs, tuple)
    kinds = [getattr(part, "dtype", torch.float32) for part in (theirs if several else [theirs])]

    def bare(a):
        return a.detach() if isinstance(a, torch.Tensor) else a

    @functools.wraps(f)
    def coat(*arguments, **named):
        def tensor(part, kind):
            part = torch.tensor(np.array(answers.as_arrays(part)))
            if kind.is_floating_point:
                return part.to(dtype) if part.is_floating_point() else part
            return (part.round() if part.is_floating_point() else part).to(kind)

        arguments, named = [*map(bare, arguments)], {k: bare(a) for k, a in named.items()}
        floats = [a.dtype for a in arguments if getattr(a, "is_floating_point", bool)()]
        dtype = floats[0] if floats else torch.get_default_dtype()
        answer = f(*arguments, **named)
        parts = map(tensor, answer if several else [answer], kinds)
        return tuple(parts) if several else next(parts)

    return coat


def _find(f):
    """The name and the exercise of f: its own name, or the one that it is bound to, as a lambda."""
    name = f if isinstance(f, str) else getattr(f, "__name__", None)
    if name not in EXERCISES:
        bound = [k for k, value in getattr(f, "__globals__", {}).items() if value is f]
        name = next((k for k in bound if k in EXERCISES), name)
    return name, EXERCISES.get(name)


def _unknown(f):
    """A sentence about what is no exercise: the nearest name, or what to give."""
    name, exercise = _find(f)
    if exercise is not None:
        return f"give the function itself, without quotes: {name}."
    known = {known.lower(): known for known in EXERCISES}
    near = difflib.get_close_matches(str(name).lower(), known, 1) if name else []
    if near:
        return f"there is no exercise called {name}; did you mean {known[near[0]]}?"
    kind = type(f).__name__ if name is None else name
    return f"{kind} is no exercise: give the function itself, by its name, as in check(f)."


def _say(words):
    """Print, with other signs where the console has no such ones."""
    try:
        print(words)
    except UnicodeEncodeError:
        for sign, plain in (("✔", "[ok]"), ("✘", "[no]"), ("…", "...")):
            words = words.replace(sign, plain)
        encoding = sys.stdout.encoding or "ascii"
        print(words.encode(encoding, "replace").decode(encoding))
