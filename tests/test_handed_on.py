"""What `check` calls right runs in the cells that follow.

Each notebook is run from top to bottom with right answers of another kind than the package's
(tests/alternatives) in place of its stubs, all at once, handed on by yours_or_ours. A cell that
runs with the solutions must run with these. To be fast, whole numbers above 3,000 are a quarter of
what is written, trainings one epoch, and a cell that calls an answer very often goes on with the
solution. No assert judges the numbers, which so little work leaves wrong.
"""

import ast
import contextlib
import functools
import io
from collections import Counter
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image
from test_exercises import named, right_ones
from test_notebooks import DEFINITIONS, NAMES, is_stub, statements, stubs

from aecourse import data, failures, live, plots, pretraining, training
from aecourse.exercises import EXERCISES

TURNS = range(max(len(right_ones(name)) for name in EXERCISES))
OFTEN = 2  # calls in a cell
STUB = ast.parse("def knn(z, labels, k):\n    raise NotImplementedError").body


class LittleWork(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

    def visit_Constant(self, node):
        large = type(node.value) is int and node.value > 3000
        return ast.copy_location(ast.Constant(node.value // 4), node) if large else node


def prepared(cell):
    """The statements of a cell as code, with little work and without its stubs; their names."""
    names = [node.name for node in cell if isinstance(node, DEFINITIONS) and is_stub(node)]
    body = [node for node in cell if getattr(node, "name", None) not in names]
    tree = ast.fix_missing_locations(LittleWork().visit(ast.Module(body, [])))
    return compile(tree, "a cell", "exec"), names


def undrawn(frame, draw=live._frame):
    """A frame of a flip-book; a figure isn't drawn, which takes long."""
    if not hasattr(frame, "figure"):
        return draw(frame)
    plt.close(frame.figure)
    return Image.new("RGB", (9, 9))


def sparing(name, answer, calls):
    """The answer under its name; called OFTEN, the solution."""

    def attempt(*arguments, **named_ones):
        calls[name] += 1
        function = EXERCISES[name].solution if calls[name] > OFTEN else answer
        return function(*arguments, **named_ones)

    return named(name, attempt)


@contextlib.contextmanager
def little_work():
    load, fit = data.load, training.fit

    def few(name, split=None, n=None, seed=0):
        whole = name in ("faces", "ecg", "bleeding", "motions", "tunes")
        return load(name, split, n if whole else n or 2500, seed)

    def short(model, x, loss, epochs=10, *rest, **settings):
        history = fit(model, x, loss, min(epochs, 1), *rest, **settings)
        return {term: values * epochs for term, values in history.items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load", few)
        for module in (training, pretraining):
            patch.setattr(module, "fit", short)
        patch.setattr(failures, "EPOCHS", 1)
        patch.setattr(plots, "show", lambda ax, alt: plt.close(ax.figure))
        patch.setattr(plots, "webp", lambda image: "data:,")  # nobody looks at it
        patch.setattr(live, "_frame", undrawn)
        yield


def run(cells, answers):
    """What the cells say, run with these answers, {name: function or class}, for their stubs, and
    the errors, {number of the cell: error}."""
    calls, said, errors, names = Counter(), io.StringIO(), {}, {"__name__": "notebook"}

    def timed(magic, line, text):  # %%time
        exec(prepared(ast.parse(text).body)[0], names)

    names["get_ipython"] = lambda: SimpleNamespace(run_cell_magic=timed)
    torch.manual_seed(0)
    for number, cell in enumerate(cells):
        code, exercises = prepared(cell)
        calls.clear()
        for word in exercises:
            names[word] = named(word, answers[word])
        try:
            with contextlib.redirect_stdout(said):
                exec(code, names)
        except Exception as error:
            errors[number] = error
        for word in exercises:  # from the next cell on
            names[word] = sparing(word, names[word], calls)
        plt.close("all")
    return said.getvalue(), errors


@functools.cache
def solved(name):
    """The cells of a notebook that so little work leaves without what they need, though solved."""
    cells = statements(name)
    with little_work():
        _, errors = run(cells, {word: EXERCISES[word].solution for word in stubs(name)})
    assert len(errors) <= len(cells) / 10, errors
    return errors


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("turn", TURNS)
def test_an_accepted_answer_runs_in_the_cells_that_follow(name, turn):
    others = {word: right_ones(word) for word in stubs(name)}
    if turn >= max(map(len, others.values())):
        pytest.skip("there are no more answers")
    answers = {word: some[turn % len(some)] for word, some in others.items()}
    with little_work():
        said, errors = run(statements(name), answers)
    broken = {number: error for number, error in errors.items() if number not in solved(name)}
    assert not broken
    for word in answers:
        assert f"{word}: from here on yours is used." in said


def test_an_answer_that_breaks_a_later_cell_is_noticed():
    cells = [STUB, *(ast.parse(text).body for text in ("y = knn([0], 1, 2)", "y.item()"))]
    assert run(cells, {"knn": lambda z, labels, k: torch.tensor(z)}) == ("", {})
    _, errors = run(cells, {"knn": lambda z, labels, k: z})
    assert list(errors) == [2] and isinstance(errors[2], AttributeError)


def test_often_called_an_answer_makes_way_for_the_solution():
    calls, came = Counter(), []
    attempt = sparing("squared_error", lambda x, x_hat: came.append(1), calls)
    for _ in range(3 * OFTEN):
        attempt(torch.zeros(1, 1), torch.zeros(1, 1))
    assert len(came) == OFTEN
