"""The class sessions, solved: what a learner writes is what is trained and what the sliders move.

Each stub is replaced by the source of its solution, and the notebook is run. (nbval runs it
unsolved.)
"""

import ast
import inspect
import json
import resource

import nbformat
import pytest
from nbclient import NotebookClient
from test_notebooks import ROOT, is_stub

from aecourse.exercises import EXERCISES

SESSIONS = ("06_lets_code_1.ipynb", "09_lets_code_2.ipynb")
MNIST, FACES = 'name = "mnist"', 'name = "faces"'
HANDED_ON = "{name} = yours_or_ours({name})"


def session(name, written=None):
    """The notebook with its stubs replaced by `written` ({name: source}), or else all solved.

    Returns it with the names of what was replaced and is handed on to later cells, and the number
    of the cell after the last replacement.
    """
    notebook = nbformat.read(ROOT / "notebooks" / name, 4)
    names, end = [], 0
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or cell.source.startswith("import sys"):
            continue
        for node in ast.parse(cell.source).body:
            stub = isinstance(node, ast.FunctionDef | ast.ClassDef) and is_stub(node)
            if stub and (written is None or node.name in written):
                old = ast.get_source_segment(cell.source, node)
                solution = EXERCISES[node.name].solution
                new = written[node.name] if written else inspect.getsource(solution)
                cell.source, end = cell.source.replace(old, new), number + 1
                if HANDED_ON.format(name=node.name) in cell.source:
                    names.append(node.name)
    return notebook, names, end


def run(notebook):
    """What the code cells print, as one text."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(ROOT / "notebooks")}}
    ).execute()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return "".join(o.get("text", "") for o in outputs), seconds


@pytest.mark.parametrize("name", SESSIONS)
def test_solved_the_learner_s_own_code_is_trained_and_dragged(name, capsys):
    notebook, names, _ = session(name)
    assert len(names) >= 4
    assert sum(MNIST in cell.source for cell in notebook.cells) == 1
    for cell in notebook.cells:  # nbval runs it with the digits
        cell.source = cell.source.replace(MNIST, FACES)
    last = f"import json; print(json.dumps([f.__module__ for f in ({', '.join(names)})]))"
    notebook.cells.append(nbformat.v4.new_code_cell(last))
    said, seconds = run(notebook)
    assert said.count("✔ right") >= len(names)
    assert "✘" not in said and "not written yet" not in said
    for word in names:
        assert f"{word}: from here on yours is used." in said
    assert json.loads(said.splitlines()[-1]) == ["__main__"] * len(names)
    with capsys.disabled():
        print(f"\n{name} solved: {seconds:.0f} s of computing", end=" ")


POOR = """def encoder(shape, d):
    sizes = [math.prod(shape), 64, 64, 64]
    layers = [nn.Flatten()]
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(64, d))"""


def test_no_assert_judges_a_learner_s_own_network():
    """Three layers of sigmoids: right, but no better than the mean image; 06 says so."""
    notebook, _, _ = session("06_lets_code_1.ipynb", {"encoder": POOR})
    end = next(k for k, cell in enumerate(notebook.cells) if "## 6.5" in cell.source)
    notebook.cells = notebook.cells[:end]
    for cell in notebook.cells:
        cell.source = cell.source.replace(MNIST, FACES)
    said, _ = run(notebook)
    assert "encoder: from here on yours is used." in said and "not beaten yet" in said


WRONG = {
    "kl_divergence": (
        "09_lets_code_2.ipynb",
        """def kl_divergence(mu, logvar):
    return -0.5 * (1 + logvar - mu - logvar.exp()).sum(1).mean()""",
        "✘ not yet: look at mu: it counts squared. This is the misprint on the talk's slide, "
        "which has -mu in place of -mu^2.",
    ),
    "train_step": (
        "06_lets_code_1.ipynb",
        """def train_step(model, x, loss, optimizer):
    total = sum(loss(model, x).values())
    total.backward()
    optimizer.step()
    return total.item()""",
        "✘ not yet: look at zero_grad: without it the gradients of all earlier steps pile up.",
    ),
}


@pytest.mark.parametrize("word", WRONG)
def test_a_typical_wrong_answer_is_named_and_ours_takes_its_place(word):
    name, source, sentence = WRONG[word]
    notebook, _, end = session(name, {word: source})
    notebook.cells = notebook.cells[:end]
    notebook.cells.append(nbformat.v4.new_code_cell(f"print({word}.__module__)"))
    said, _ = run(notebook)
    assert f"{sentence}\n{word}: from here on ours, until yours is right.\n" in said
    assert said.splitlines()[-1].startswith("aecourse.")
