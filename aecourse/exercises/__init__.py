"""The exercises of the course, a module for each notebook: the cases to try, the typical mistakes,
and the hints.

The solution of an exercise is the function of the package that has its name. A mistake is a
function that errs as people do, with a sentence that says where to look: `check` recognises it by
its answers.

What is built, and not computed, such as a network, has many right answers: there a `probe` tries it
and returns facts, {words: numbers}, which are compared in place of the answer. Words that end with
"." or "?" are a whole sentence, which is told as it is where the fact differs.
"""

import copy
import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

EXERCISES = {}


class Exercise(NamedTuple):
    solution: Callable
    cases: Callable  # () -> list of tuples of arguments, or {word for the case: arguments}
    mistakes: dict  # a sentence that says where to look -> the function that makes the mistake
    hints: tuple
    view: Callable  # what of an answer counts; leaves out the sign of an axis, say
    probe: Callable | None  # (f, *arguments) -> {words: numbers}, facts that right answers share
    trained: bool  # later cells train through it, so that an answer needs its gradient
    results: int  # how many the solution returns


def exercise(
    solution, cases, mistakes, hints, view=lambda answer: answer, probe=None, trained=False
):
    results = 1
    if probe is None:
        given = cases()
        first = next(iter(given.values() if isinstance(given, dict) else given))
        answer = solution(*copy.deepcopy(first))
        results = len(answer) if isinstance(answer, tuple) else 1
    EXERCISES[solution.__name__] = Exercise(
        solution, cases, mistakes, hints, view, probe, trained, results
    )


for module in pkgutil.iter_modules(__path__, __name__ + "."):  # notebook_00, notebook_01, ...
    importlib.import_module(module.name)
