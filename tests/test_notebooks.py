"""The notebooks as files: stored executed, described, clean, one truth with the package.

Nothing is run here; pytest runs the notebooks themselves by nbval.
"""

import ast
import base64
import html
import inspect
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from aecourse.exercises import EXERCISES

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
MACHINE = re.compile(
    r"(?<![\w.-])/(?:work|root|tmp|home|Users|mnt|opt|venv|usr)\b/?|\b[A-Z]:\\|site-packages|\.venv\b"
)
REGISTRY = re.compile(
    r"pypi|pythonhosted|anaconda\.org|download\.pytorch\.org|npmjs|artifactory|nexus"
    r"|index-url|find-links|Looking in (?:indexes|links)",
    re.IGNORECASE,
)
BASE64 = re.compile(r"[A-Za-z0-9+/=\n]{200,}")


def read(name):
    return json.loads((ROOT / "notebooks" / name).read_text())


def joined(text):
    """nbformat keeps a text as one string or as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def code_cells(name):
    return [cell for cell in read(name)["cells"] if cell["cell_type"] == "code"]


def outputs(name):
    return [output for cell in code_cells(name) for output in cell["outputs"]]


def test_there_are_notebooks():
    assert "00_start_here.ipynb" in NAMES


# ---- as they are stored -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_stored_executed_from_top_to_bottom(name):
    counts = [cell["execution_count"] for cell in code_cells(name)]
    assert counts == list(range(1, len(counts) + 1))
    for cell in code_cells(name):
        results = [o for o in cell["outputs"] if o["output_type"] == "execute_result"]
        assert all(o["execution_count"] == cell["execution_count"] for o in results)
    assert outputs(name)


@pytest.mark.parametrize("name", NAMES)
def test_no_errors_and_no_warnings(name):
    for output in outputs(name):
        assert output["output_type"] != "error", output
        assert output.get("name") != "stderr", output


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_above_25_lines(name):
    for cell in code_cells(name):
        assert len(joined(cell["source"]).splitlines()) <= 25, joined(cell["source"])


@pytest.mark.parametrize("name", NAMES)
def test_cell_ids_are_unique(name):
    ids = Counter(cell["id"] for cell in read(name)["cells"])
    assert max(ids.values()) == 1, ids.most_common(1)


@pytest.mark.parametrize("name", NAMES)
def test_no_widget_state_is_stored(name):
    notebook = read(name)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert "widget-state" not in json.dumps(notebook)


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_a_machine_and_no_registry(name):
    for cell in read(name)["cells"]:
        for text in texts(cell):
            for pattern in (MACHINE, REGISTRY):
                found = pattern.search(text)
                assert not found, text[max(0, found.start() - 80) : found.end() + 80]


def texts(cell):
    """The source of a cell and all that its outputs say; pictures and weights left out."""
    yield joined(cell["source"])
    for output in cell.get("outputs", []):
        yield joined(output.get("text", ""))
        for kind, content in output.get("data", {}).items():
            if not kind.startswith("image/"):
                content = content if isinstance(content, dict) else joined(content)
                yield BASE64.sub("", content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    "bad",
    [
        "File /work/main/aecourse/data.py",
        "in <frame at /tmp/ipykernel_12/3.py>",
        "'/home/me/course'",
        "file:///root/x",
        r"C:\Users\me",
        "Looking in indexes: https://pypi.org/simple",
        "https://download.pytorch.org/whl/cpu",
    ],
)
def test_the_search_for_paths_and_registries_finds_them(bad):
    assert MACHINE.search(bad) or REGISTRY.search(bad)


@pytest.mark.parametrize("good", ["https://example.org/home/a", "1/root 2", "and/or", "a/work/b"])
def test_the_search_for_paths_lets_other_slashes_pass(good):
    assert not MACHINE.search(good) and not REGISTRY.search(good)


# ---- for those who can't see a picture --------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_stored_once_with_an_alt_text(name):
    pages = [
        joined(o["data"]["text/html"]) for o in outputs(name) if "text/html" in o.get("data", {})
    ]
    pictures = [tag for page in pages for tag in re.findall(r"<img [^>]*>", page)]
    assert pictures
    for tag in pictures:
        (file,) = re.findall(r'src="data:image/webp;base64,([^"]*)"', tag)
        assert base64.b64decode(file).startswith(b"RIFF")
        (alt,) = re.findall(r'alt="([^"]*)"', tag)
        assert len(html.unescape(alt)) >= 20, alt
    for output in outputs(name):
        assert "image/png" not in output.get("data", {})  # it would be there twice
        # a figure that is not shown by plots.show
        assert "<Figure size" not in joined(output.get("data", {}).get("text/plain", ""))


@pytest.mark.parametrize("name", NAMES)
def test_a_progress_bar_leaves_one_line(name):
    for output in outputs(name):
        assert "\r" not in joined(output.get("text", ""))
        plain = joined(output.get("data", {}).get("text/plain", ""))
        assert "\r" not in plain and plain.count("it/s") <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_no_larger_than_3_mb(name):
    assert (ROOT / "notebooks" / name).stat().st_size < 3e6


@pytest.mark.parametrize("name", NAMES)
def test_every_live_view_has_a_static_twin(name):
    for output in outputs(name):
        data = output.get("data", {})
        if "application/vnd.jupyter.widget-view+json" in data:
            assert "<img " in joined(data["text/html"]), joined(data["text/plain"])


# ---- the Colab cell ---------------------------------------------------------------------------


def test_the_first_code_cell_is_the_same_in_all_notebooks():
    first = {joined(code_cells(name)[0]["source"]) for name in NAMES}
    assert len(first) == 1
    assert 'if "google.colab" in sys.modules:' in first.pop()


@pytest.mark.parametrize("name", NAMES)
def test_the_colab_cell_does_nothing_here_and_fetches_the_repository_of_pyproject_there(name):
    project = (ROOT / "pyproject.toml").read_text()
    (address,) = re.findall(r'^Repository = "(.+?)"', project, re.MULTILINE)
    cell = code_cells(name)[0]
    statement, guard, *body = filter(None, joined(cell["source"]).splitlines())
    assert statement == "import sys" and guard.startswith('if "google.colab" in sys.modules:')
    assert all(line.startswith("    ") for line in body) and not cell["outputs"]
    clone, install, path = body
    assert clone.split()[:2] == ["!git", "clone"] and clone.split()[-1] == address
    folder = Path(address).stem
    assert install.split()[-2:] == ["-e", folder] and "--no-deps" in install
    assert f'"{folder}"' in path


# ---- one truth with the package ---------------------------------------------------------------

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def undocumented(node):
    """A definition without docstrings and comments."""
    node = ast.parse(ast.unparse(node)).body[0]
    for inner in ast.walk(node):
        if isinstance(inner, DEFINITIONS) and ast.get_docstring(inner) is not None:
            inner.body = inner.body[1:]
    return node


def bare(node):
    return ast.unparse(undocumented(node))


def is_stub(node):
    """A function without a body, or a class of such functions."""
    if isinstance(node, ast.ClassDef):
        inside = ast.parse(bare(node)).body[0].body
        return all(isinstance(n, ast.FunctionDef) and is_stub(n) for n in inside)
    body = bare(node).splitlines()[1:]
    return isinstance(node, ast.FunctionDef) and body == ["    raise NotImplementedError"]


def head(node):
    """What of a function or class is told beforehand: names, arguments, bases."""
    if isinstance(node, ast.ClassDef):
        return [node.name, *map(ast.unparse, node.bases), *map(head, node.body)]
    return [node.name, ast.unparse(node.args)]


PLUMBING = (
    "inputs",
    "letters",
    "shapes",
    "layers",
    "answers",
    "relations",
    "attempts",
    "marking",
    "checkpoints",
    "steps",
)


def package():
    """name -> the definitions of that name in the package."""
    found = {}
    for path in sorted((ROOT / "aecourse").glob("*.py")):
        if path.stem in PLUMBING:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, DEFINITIONS):
                found.setdefault(node.name, []).append(node)
    return found


PACKAGE = package()


def statements(name):
    """The statements of each code cell."""
    transform = TransformerManager().transform_cell  # lines with ! and %
    return [ast.parse(transform(joined(cell["source"]))).body for cell in code_cells(name)]


def definitions(name):
    """The classes and functions that a notebook defines, also those in an if or a with."""
    for cell in statements(name):
        for statement in cell:
            inside = [] if isinstance(statement, DEFINITIONS) else ast.walk(statement)
            yield from (n for n in (statement, *inside) if isinstance(n, DEFINITIONS))


def written_out(name):
    """Names of the package that a notebook writes out, leaving out its stubs."""
    return [node.name for node in definitions(name) if node.name in PACKAGE and not is_stub(node)]


def stubs(name):
    return [node.name for node in definitions(name) if is_stub(node)]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_notebook_writes_out_is_the_text_of_the_package(name):
    for node in definitions(name):
        if node.name in PACKAGE and not is_stub(node):
            assert bare(node) in map(bare, PACKAGE[node.name])


def test_an_idea_is_written_out_once():
    places = Counter(word for name in NAMES for word in written_out(name))
    assert [word for word, n in places.items() if n > 1] == []


def test_the_comparison_finds_what_it_compares():
    assert {"Autoencoder", "mlp"} <= set(written_out("00_start_here.ipynb"))
    assert "squared_error" in stubs("00_start_here.ipynb")


def test_the_comparison_sees_past_docstrings_and_comments_only():
    plain = "class A:\n    def f(self, x):\n        return x"
    same = 'class A:\n    """A."""\n    def f(self, x):\n        """F."""\n        return x  # (N,)'
    other = plain.replace("return x", "return -x")
    one, two, three = (bare(ast.parse(text).body[0]) for text in (plain, same, other))
    assert one == two != three


@pytest.mark.parametrize(
    ("text", "stub"),
    [
        ("def f(x):\n    raise NotImplementedError", True),
        ("def f(x):\n    return x", False),
        ("class A:\n    def f(self):\n        raise NotImplementedError", True),
        (
            "class A(B):\n    def f(self):\n        raise NotImplementedError\n"
            "    def g(self):\n        return 1",
            False,
        ),
        ("class A:\n    x = 1", False),
    ],
)
def test_a_stub_is_known_by_its_empty_bodies(text, stub):
    assert is_stub(ast.parse(text).body[0]) == stub


def test_the_head_of_a_class_has_its_bases_methods_and_arguments():
    text = "class A(B):\n    def f(self, x, d=2):\n        return x"
    heads = [head(ast.parse(t).body[0]) for t in (text, text.replace("return", "raise"))]
    assert heads[0] == heads[1] == ["A", "B", ["f", "self, x, d=2"]]
    for old, new in [("d=2", "d=3"), ("(B)", ""), ("def f", "def g"), ("A(", "C(")]:
        assert head(ast.parse(text.replace(old, new)).body[0]) != heads[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_stub_has_the_arguments_of_the_package_is_checked_and_handed_on(name):
    for cell in statements(name):
        for k, node in enumerate(cell):
            if isinstance(node, DEFINITIONS) and is_stub(node):
                assert node.name in EXERCISES, f"there is no exercise {node.name}"
                solution = ast.parse(inspect.getsource(EXERCISES[node.name].solution)).body[0]
                assert head(undocumented(node)) == head(undocumented(solution)), node.name
                following = [ast.unparse(n) for n in cell[k + 1 : k + 3]]
                hand_on = f"{node.name} = yours_or_ours({node.name})"
                assert following == [f"check({node.name})", hand_on]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_takes_the_place_of_what_is_handed_on(name):
    """A later import or definition of its name would leave the learner's function unused."""
    handed_on = set()
    for cell in statements(name):
        names = [a.asname or a.name for n in cell if isinstance(n, ast.ImportFrom) for a in n.names]
        names += [n.name for n in cell if isinstance(n, DEFINITIONS)]
        assert not handed_on & set(names), handed_on & set(names)
        handed_on |= {n.name for n in cell if isinstance(n, DEFINITIONS) and is_stub(n)}


def test_every_exercise_has_its_stub_in_one_notebook():
    places = Counter(word for name in NAMES for word in stubs(name))
    assert places == Counter(EXERCISES.keys())
