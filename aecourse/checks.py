"""What an exercise says back: `check(f)` after the attempt, `hint(f)` when stuck, `solution(f)`.

f has the name and the arguments of the function or class of the package that it rebuilds. The three
print one answer and never raise, so that "Run all" goes through with every exercise unwritten.
`yours_or_ours(f)` hands on f if it is right, for the cells that go on with it.
"""

import copy
import inspect
from importlib import metadata

import numpy as np
import torch
from packaging.requirements import Requirement

from aecourse import data
from aecourse.exercises import EXERCISES

_given = {}  # hints given so far, by name


def check(f):
    """Try f on the cases of its exercise and print: not written yet, not yet and why, or right."""
    status, sentence = outcome(f)
    print(f"{status}: {sentence}")


def hint(f):
    """Print the hints of f's exercise so far and one more; each call goes one step further."""
    name, exercise = _find(f)
    if exercise is None:
        return print(_unknown(name))
    _given[name] = min(_given.get(name, 0) + 1, len(exercise.hints) + 1)
    for k, sentence in enumerate(exercise.hints[: _given[name]], 1):
        print(f"Hint {k} of {len(exercise.hints)}: {sentence}")
    if _given[name] > len(exercise.hints):
        print(f"There are no more hints. solution({name}) shows how the package does it.")


def solution(f):
    """Print the source of the package's own function, which is the solution of f's exercise."""
    name, exercise = _find(f)
    print(_unknown(name) if exercise is None else inspect.getsource(exercise.solution))


def yours_or_ours(f):
    """f if it is right, or else the solution of its exercise; prints which of the two."""
    name, exercise = _find(f)
    if exercise is None:
        print(_unknown(name))
        return f
    yours = outcome(f)[0] == "✔ right"
    print(f"{name}: from here on {'yours is used' if yours else 'ours, until yours is right'}.")
    return f if yours else exercise.solution


def outcome(f):
    """What `check` prints: ("… not written yet" | "✘ not yet" | "✔ right", a sentence)."""
    name, exercise = _find(f)
    if exercise is None:
        return "✘ not yet", _unknown(name)
    cases = exercise.cases()
    for arguments in cases:
        try:
            answer = _answer(exercise, f, arguments)
        except NotImplementedError:
            return "… not written yet", f"replace the line `raise NotImplementedError` in {name}."
        except _Complaint as complaint:
            return "✘ not yet", str(complaint)
        except Exception as error:  # whatever a learner's code may raise
            return "✘ not yet", (
                f"{_given_to(exercise, arguments)} it stops: {type(error).__name__}: {error}"
            )
        complaint = _compare(exercise, arguments, answer)
        if complaint:
            return "✘ not yet", complaint
    agrees = "agrees with the package's" if exercise.probe is None else "does what it should"
    return "✔ right", f"{name} {agrees} on {len(cases)} cases."


def check_installation():
    """Print a line for each package and data file that the course needs: ✔, or ✘ and what to do."""
    try:
        requirements = metadata.requires("aecourse")
    except metadata.PackageNotFoundError:
        return print("✘ aecourse: run  pip install --no-deps -e .  in the folder of the course")
    for requirement in map(Requirement, requirements):
        if requirement.marker is None:  # the others belong to the tests and to JupyterLab
            try:
                version = metadata.version(requirement.name)
                good = requirement.specifier.contains(version, prereleases=True)
            except metadata.PackageNotFoundError:
                version, good = "missing", False
            advice = "" if good else f': run  pip install "{requirement}"'
            print("✔" if good else "✘", requirement.name, version + advice)
    for name in data.BUNDLED:
        try:
            data.load(name)
            print("✔ data", name)
        except (OSError, ValueError) as error:
            print("✘ data", name, error)


def _find(f):
    name = getattr(f, "__name__", str(f))
    return name, EXERCISES.get(name)


def _unknown(name):
    return f"there is no exercise called {name}; there are {', '.join(EXERCISES)}."


class _Complaint(Exception):
    """A sentence about an answer that can't be compared."""


def _answer(exercise, f, arguments):
    """f(*arguments), or the facts about f, as {words: float64 array}; on a copy, seed fixed."""

    def attempt(*arguments):
        answer = f(*arguments)
        if answer is None:
            raise _Complaint("it returns nothing; is a `return` missing?")
        return answer

    mine = copy.deepcopy(arguments)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        answer = exercise.probe(attempt, *mine) if exercise.probe else _results(attempt(*mine))
    for before, after in zip(arguments, mine, strict=True):
        if isinstance(before, torch.Tensor) and not torch.equal(before, after):
            raise _Complaint("it changes its argument in place; work on a new tensor.")
    parts = [p.detach().cpu() if isinstance(p, torch.Tensor) else p for p in answer.values()]
    parts = [np.asarray(p) for p in parts]
    if any(map(np.iscomplexobj, parts)):
        raise _Complaint("it returns complex numbers; of a symmetric matrix take eigh, not eig.")
    return dict(zip(answer, (p.astype(np.float64) for p in parts), strict=True))


def _results(answer):
    """What a function returns, with words for each part."""
    parts = answer if isinstance(answer, tuple | list) else [answer]
    if len(parts) == 1:
        return {"the result": parts[0]}
    return {f"result {k} of {len(parts)}": part for k, part in enumerate(parts, 1)}


def _compare(exercise, arguments, answer):
    """None where the answer is right, or else one sentence on what is wrong with it."""
    expected = _answer(exercise, exercise.solution, arguments)
    if _same(exercise, answer, expected):
        return None
    for sentence, mistake in exercise.mistakes.items():
        if _same(exercise, answer, _answer(exercise, mistake, arguments)):
            return sentence
    if len(answer) != len(expected):
        return f"expected {len(expected)} results, came {len(answer)}."
    given = _given_to(exercise, arguments)
    for words, right in expected.items():
        which, came = f"{given} {words}", answer[words]
        if exercise.probe and not (came.shape == right.shape and _close(came, right)):
            return f"{which} should be {_numbers(right)}, came {_numbers(came)}."
        if came.shape != right.shape:
            return f"{which} should have shape {right.shape}, came {came.shape}."
        if not np.isfinite(came).all():
            return f"{which} contains NaN or infinity."
        if not _close(came, right):
            first = [np.array2string(a.ravel()[:3], precision=4) for a in (right, came)]
            return f"{which} should begin {first[0]}, came {first[1]}."
    return f"{given} each result is right up to its sign, but the signs do not fit each other."


def _numbers(a):
    """A fact in words: 3, or (5, 1, 28, 28)."""
    words = ", ".join(f"{v:.4g}" for v in a.ravel()[:6]) + ", ..." * (a.size > 6)
    return words if a.ndim == 0 else f"({words})"


def _same(exercise, answer, expected):
    answer, expected = list(answer.values()), list(expected.values())
    if [a.shape for a in answer] != [b.shape for b in expected]:
        return False
    return all(map(_close, exercise.view(answer), exercise.view(expected)))


def _close(a, b):
    scale = np.abs(b[np.isfinite(b)]).max(initial=1e-30)
    return np.allclose(a, b, rtol=1e-4, atol=1e-5 * scale, equal_nan=True)


def _given_to(exercise, arguments):
    """The arguments in words: for x of shape (20, 1, 3, 4) and d = 2,"""
    words = []
    names = list(inspect.signature(exercise.probe or exercise.solution).parameters)
    for name, value in zip(names[exercise.probe is not None :], arguments, strict=False):
        tensor = isinstance(value, torch.Tensor)
        words.append(f"{name} of shape {tuple(value.shape)}" if tensor else f"{name} = {value}")
    return f"for {' and '.join(words)},"
