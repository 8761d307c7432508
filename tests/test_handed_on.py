"""What `check` calls right runs in the cells that follow.

Each notebook is run from top to bottom with right answers of another kind than the package's
(tests/alternatives) in place of its stubs, all at once, handed on by yours_or_ours. To be fast,
images are few, trainings one epoch, and a cell that calls an answer very often goes on with the
solution. No assert judges the numbers, which so little work leaves wrong.
"""

import ast
import contextlib
import io
from collections import Counter
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import torch
from test_exercises import named, right_ones
from test_notebooks import DEFINITIONS, NAMES, is_stub, statements, stubs

from aecourse import data, plots, pretraining, training
from aecourse.exercises import EXERCISES

TURNS = range(max(len(right_ones(name)) for name in EXERCISES))
OFTEN = 20  # calls in a cell
STUB = "def knn(z, labels, k):\n    raise NotImplementedError"


class WithoutAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)


def without(cell):
    """The statements of a cell as code, without its stubs and its asserts; the names of stubs."""
    names = [node.name for node in cell if isinstance(node, DEFINITIONS) and is_stub(node)]
    body = [node for node in cell if getattr(node, "name", None) not in names]
    tree = ast.fix_missing_locations(WithoutAsserts().visit(ast.Module(body, [])))
    return compile(tree, "a cell", "exec"), names


def sparing(name, answer, calls):
    """The answer under its name; called OFTEN, the solution."""

    def attempt(*arguments, **named_ones):
        calls[name] += 1
        function = EXERCISES[name].solution if calls[name] > OFTEN else answer
        return function(*arguments, **named_ones)

    return named(name, attempt)


@pytest.fixture
def little_work(monkeypatch):
    load, fit = data.load, training.fit

    def few(name, split=None, n=None, seed=0):
        rows = None if name in ("ecg", "bleeding", "motions", "tunes") else min(n or 600, 600)
        return load(name, split, min(rows, 400) if name == "faces" else rows, seed)

    def short(model, x, loss, epochs=10, *rest, **settings):
        return fit(model, x, loss, min(epochs, 1), *rest, **settings)

    monkeypatch.setattr(data, "load", few)
    for module in (training, pretraining):
        monkeypatch.setattr(module, "fit", short)
    monkeypatch.setattr(plots, "show", lambda ax, alt: plt.close(ax.figure))


def run(cells, answers):
    """What the cells say, run with these answers, {name: function or class}, for their stubs."""
    calls, said = Counter(), io.StringIO()
    names = {"__name__": "notebook"}

    def timed(magic, line, text):  # %%time
        exec(without(ast.parse(text).body)[0], names)

    names["get_ipython"] = lambda: SimpleNamespace(run_cell_magic=timed)
    torch.manual_seed(0)
    for cell in cells:
        code, exercises = without(cell)
        calls.clear()
        for word in exercises:
            names[word] = named(word, answers[word])
        with contextlib.redirect_stdout(said):
            exec(code, names)
        for word in exercises:  # from the next cell on
            names[word] = sparing(word, names[word], calls)
        plt.close("all")
    return said.getvalue()


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", NAMES)
def test_an_accepted_answer_runs_in_the_cells_that_follow(name, turn, little_work):
    exercises = stubs(name)
    others = {word: right_ones(word) for word in exercises}
    if turn >= max(map(len, others.values())):
        pytest.skip("there are no more answers")
    answers = {word: some[turn % len(some)] for word, some in others.items()}
    said = run(statements(name)[1:], answers)  # the first cell is Colab's
    for word in exercises:
        assert f"{word}: from here on yours is used." in said


def test_an_answer_that_breaks_a_later_cell_is_noticed(little_work):
    cells = [ast.parse(text).body for text in ("x = 3", STUB, "y = knn(x)", "y.item()")]
    assert run(cells, {"knn": lambda x: torch.tensor(x)}) == ""
    with pytest.raises(AttributeError):
        run(cells, {"knn": lambda x: [x]})


def test_often_called_an_answer_makes_way_for_the_solution():
    calls, came = Counter(), []
    attempt = sparing("squared_error", lambda x, x_hat: came.append(1), calls)
    for _ in range(3 * OFTEN):
        attempt(torch.zeros(1, 1), torch.zeros(1, 1))
    assert len(came) == OFTEN
