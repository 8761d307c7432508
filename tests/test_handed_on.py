"""What `check` calls right runs in the cells that follow.

Each notebook is run with right answers of another kind than the package's (tests/alternatives) in
place of its stubs, all at once, and handed on by yours_or_ours. To be fast, only cells that use a
handed-on name run, and what these need; images are few, trainings one epoch, and no assert judges
the numbers. A cell that an accepted answer breaks still breaks.
"""

import ast
import contextlib
import io
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import torch
from alternatives import ALTERNATIVES
from test_exercises import named
from test_notebooks import NAMES, code_cells, is_stub, joined

from aecourse import data, plots, pretraining, training

TURNS = range(max(map(len, ALTERNATIVES.values())))


class Cell:
    """A code cell: its statements, the names that it makes and those that it needs."""

    def __init__(self, source):
        lines = source.splitlines()
        text = "\n".join(line for line in lines if not line.startswith(("%%", "!", "    !")))
        self.body = [] if "google.colab" in text else ast.parse(text).body
        self.stubs = [n.name for n in self.body if getattr(n, "name", "") and is_stub(n)]
        self.body = [n for n in self.body if getattr(n, "name", "") not in self.stubs]
        self.makes, self.needs = set(self.stubs), set()
        for statement in self.body:
            self.needs |= {n.id for n in ast.walk(statement) if is_load(n)} - self.makes
            self.makes |= set(made(statement))

    def code(self):
        class NoAsserts(ast.NodeTransformer):
            def visit_Assert(self, node):
                return ast.copy_location(ast.Pass(), node)

        tree = NoAsserts().visit(ast.Module(self.body, []))
        return compile(ast.fix_missing_locations(tree), "a cell", "exec")


def is_load(node):
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def made(node):
    """The names that a statement binds or writes into: a = ..., a[k] = ..., def a, import a."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    else:
        if isinstance(getattr(node, "ctx", None), ast.Store):
            yield from (n.id for n in ast.walk(node) if isinstance(n, ast.Name))
        for inner in ast.iter_child_nodes(node):
            yield from made(inner)


def following(cells):
    """The numbers of the cells that use what is handed on, or what comes of it, and of all that
    they need."""
    chosen, touched = set(), set()
    for k, cell in enumerate(cells):
        if cell.stubs or cell.needs & touched:
            chosen.add(k)
            touched |= cell.makes
    needed = [(name, k) for k in chosen for name in cells[k].needs]
    while needed:
        name, k = needed.pop()
        more = {j for j in range(k) if name in cells[j].makes} - chosen
        chosen |= more
        needed += [(other, j) for j in more for other in cells[j].needs]
    return sorted(chosen)


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
    monkeypatch.setattr(plots, "display", lambda *a, **k: None)
    monkeypatch.setattr(plots, "show", lambda ax, alt: plt.close(ax.figure))


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", NAMES)
def test_an_accepted_answer_runs_in_the_cells_that_follow(name, turn, little_work):
    cells = [Cell(joined(cell["source"])) for cell in code_cells(name)]
    exercises = [word for cell in cells for word in cell.stubs]
    if turn >= max(len(ALTERNATIVES[word]) for word in exercises):
        pytest.skip("there are no more answers")
    answers = {w: named(w, ALTERNATIVES[w][turn % len(ALTERNATIVES[w])]) for w in exercises}
    names = {"__name__": "notebook", "get_ipython": lambda: SimpleNamespace()}
    torch.manual_seed(0)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for k in following(cells):
            names |= {word: answers[word] for word in cells[k].stubs}
            exec(cells[k].code(), names)
    plt.close("all")
    for word in exercises:
        assert f"{word}: from here on yours is used." in said.getvalue()


def test_the_cells_that_use_an_answer_are_found_with_all_that_they_need():
    stub = "def f(x):\n    raise NotImplementedError\n\n\ncheck(f)"
    sources = ("x = 3\ny = 1", "d = {}", stub, "z = 5", "d[0] = f(x)", "print(z)", "d[0].item()")
    cells = [Cell(source) for source in sources]
    assert following(cells) == [0, 1, 2, 4, 6]
    assert cells[2].stubs == ["f"]
    names = {"f": lambda x: [x], "x": 3, "d": {}}
    exec(cells[4].code(), names)
    with pytest.raises(AttributeError):  # an answer that can't be handed on is noticed
        exec(cells[6].code(), names)
