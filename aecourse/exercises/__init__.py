"""The exercises of the course, a module for each notebook: the cases to try, the typical mistakes,
and the hints.

The solution of an exercise is the function of the package that has its name. A mistake is a
function that errs as people do, with a sentence that says where to look: `check` recognises it by
its answers.

What is built, and not computed, such as a network, has many right answers: there a `probe` tries it
and returns facts, {words: numbers}, which are compared in place of the answer.
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

EXERCISES = {}


class Exercise(NamedTuple):
    solution: Callable
    cases: Callable  # () -> list of tuples of arguments
    mistakes: dict  # a sentence that says where to look -> the function that makes the mistake
    hints: tuple
    view: Callable  # what of an answer counts; leaves out the sign of an axis, say
    probe: Callable | None  # (f, *arguments) -> {words: numbers}, facts that right answers share


def exercise(solution, cases, mistakes, hints, view=lambda answer: answer, probe=None):
    EXERCISES[solution.__name__] = Exercise(solution, cases, mistakes, hints, view, probe)


for module in pkgutil.iter_modules(__path__, __name__ + "."):  # notebook_00, notebook_01, ...
    importlib.import_module(module.name)
