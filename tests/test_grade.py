"""Thirty notebooks handed in, of which many are hostile: what is theirs is judged, and no more."""

import ast
import csv
import inspect
import json
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient

from aecourse import checks, grade, record
from aecourse.exercises import EXERCISES
from aecourse.grading import cells

ROOT = Path(__file__).parents[1]
OFTEN = "00_start_here.ipynb"  # one exercise: squared_error
SESSION = "06_lets_code_1.ipynb"  # eight

LOOP = """def squared_error(x, x_hat):
    while True:
        pass"""
STUBBORN = """def squared_error(x, x_hat):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass"""
EXIT = """def encoder(shape, d):
    import os
    os._exit(0)"""
QUIT = """def decoder(shape, d):
    import sys
    sys.exit()"""
DELETE = """def squared_error(x, x_hat):
    import os, shutil
    for place in (".", "..", PLACE, os.path.dirname(PLACE)):
        shutil.rmtree(place, ignore_errors=True)
    for how in (os.remove, os.rmdir, lambda place: open(place, "w").write("gone")):
        try:
            how(PLACE + "/ada/marks.txt")
        except OSError:
            pass
    return ((x - x_hat) ** 2).flatten(1).sum(1).mean()"""
PEEK = """def squared_error(x, x_hat):
    raise ValueError(open(PLACE + "/ada/marks.txt").read())"""
PRINT = """def squared_error(x, x_hat):
    import os
    for _ in range(1024):
        os.write(1, b"x" * (1 << 20))
    print("x" * (1 << 28))
    return ((x - x_hat) ** 2).flatten(1).sum(1).mean()"""
MEMORY = """def squared_error(x, x_hat):
    return sum(torch.ones(50 << 28) for _ in range(2))"""
FORK = """def squared_error(x, x_hat):
    import os
    while True:
        os.fork()"""
SOCKET = """def squared_error(x, x_hat):
    import socket
    socket.create_connection(("127.0.0.1", PORT), timeout=2).send(b"mine")"""
KILL = """def squared_error(x, x_hat):
    import os
    for everybody in (os.getppid(), -1, 1):
        try:
            os.kill(everybody, 9)
        except OSError:
            pass
    return x.sum()"""
FORGE = """def squared_error(x, x_hat):
    import os
    for file in range(200):
        try:
            os.write(file, b'["right", "forged"]\\n')
        except OSError:
            pass
    return x.sum()"""
PATCH = """def squared_error(x, x_hat):
    import numpy as np
    from aecourse import answers, checks, marking
    checks.check = print
    marking.wrong = lambda *arguments: None
    answers.close = lambda came, right: True
    np.isclose = lambda *arguments, **named: np.array(True)
    checks.outcome = lambda f: ("✔ right", "patched")
    return x.sum()"""
NATIVE = """def squared_error(x, x_hat):
    import ctypes
    c = ctypes.CDLL(None)
    came = [c.open((PLACE + "/ada/marks.txt").encode(), flags) for flags in (0, 1)]
    came += [c.unlink((PLACE + "/ada/marks.txt").encode()), c.rmdir(PLACE.encode())]
    address = b"\\2\\0" + (PORT).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    came += [c.connect(c.socket(2, 1, 0), address, 16), c.chroot(b"/"), c.setuid(0)]
    raise ValueError(f"{set(came)} in {sorted(__import__('os').listdir('.'))}")"""
CALM = """def squared_error(x, x_hat):
    print("✔ right: squared_error agrees with the package's on 5 cases.")
    return x.sum()"""
BROKEN = """def squared_error(x, x_hat)
    return x"""
RIGHT = """def squared_error(x, x_hat):
    return ((x - x_hat) ** 2).flatten(1).sum(1).mean()"""
TWINS = (
    """def squared_error(x, x_hat):
    # mine
    error = (x - x_hat).flatten(1)
    return (error**2).sum(1).mean()""",
    """def squared_error(x, y):
    "Also mine."
    d = (x - y).flatten(1)
    return (d ** 2).sum(1).mean()""",
)
FORGETS = """def train_step(model, x, loss, optimizer):
    total = sum(loss(model, x).values())
    total.backward()
    optimizer.step()
    return total.item()"""
OTHER = {"cells": [{"cell_type": "code", "source": ["import pandas\\n", "check(pandas)"]}]}


def filled(name, written):
    """A notebook, as bytes, its stubs replaced by {name of the exercise: source}."""
    notebook = json.loads((ROOT / "notebooks" / name).read_text())
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        for word, new in written.items():
            if cell["cell_type"] == "code" and f"\ncheck({word})" in source:
                node = ast.parse(source).body[0]
                source = source.replace(ast.get_source_segment(source, node), new)
                cell["source"] = source.splitlines(True)
    return json.dumps(notebook).encode()


def hand_in(folder, learner, content, name=OFTEN):
    path = folder / learner / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def graded(folder, before=()):
    """What the command wrote: the rows of the CSV as {(learner, exercise): row}, and the page."""
    command = [*before, sys.executable, "-m", "aecourse.grade", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr
    with (folder / "grades.csv").open(encoding="utf-8-sig") as file:
        rows = {(row["learner"], row["exercise"]): row for row in csv.DictReader(file)}
    return rows, (folder / "grades.html").read_text("utf-8")


HOSTILE = {
    "loop": (LOOP, "not yet", "takes longer than 10 seconds"),
    "stubborn": (STUBBORN, "not yet", "it was stopped after"),
    "delete": (DELETE, "not yet", "the grader lets no notebook do this: shutil.rmtree"),
    "peek": (PEEK, "not yet", "the grader lets no notebook do this: open"),
    "print": (PRINT, "right", "agrees"),
    "memory": (MEMORY, "not yet", "memory"),
    "fork": (FORK, "not yet", "the grader lets no notebook do this: os.fork"),
    "socket": (SOCKET, "not yet", "the grader lets no notebook do this: socket."),
    "kill": (KILL, "not yet", "should be"),
    "forge": (FORGE, "not yet", "changes how answers are marked"),
    "patch": (PATCH, "not yet", "changes how answers are marked"),
    "calm": (CALM, "not yet", "should be"),
    "broken": (BROKEN, "not yet", "in line 1 of its cell: expected ':'"),
    "native": (NATIVE, "not yet", "ValueError: {-1} in []"),
}


def solved(names):
    """The package's own source for exercises, each with an import of what it needs."""
    sources = {}
    for name in names:
        solution = EXERCISES[name].solution
        source, module = inspect.getsource(solution), sys.modules[solution.__module__]
        read = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        needed = sorted(read & set(vars(module)) - {*names})
        head = f"from {module.__name__} import {', '.join(needed)}\n\n\n" if needed else ""
        sources[name] = head + source
    return sources


def asked(name):
    """The exercises of a notebook of the course."""
    text = (ROOT / "notebooks" / name).read_text()
    return [word for word in EXERCISES if f'"check({word})' in text]


def hostile(folder, names, port=9):
    """Hand in hostile notebooks, and beside them Ada's, with a file of the teacher's."""
    hand_in(folder, "ada", filled(OFTEN, {"squared_error": RIGHT}))
    (folder / "ada" / "marks.txt").write_text("secret 42")
    for name in names:
        source = HOSTILE[name][0].replace("PLACE", repr(str(folder))).replace("PORT", str(port))
        hand_in(folder, name, filled(OFTEN, {"squared_error": source}))


@pytest.fixture(scope="module")
def klass(tmp_path_factory):
    """Thirty and more notebooks, graded: each lesson solved, twins, the hostile, the unreadable."""
    folder = tmp_path_factory.mktemp("class")
    lessons = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        hostile(folder, HOSTILE, server.getsockname()[1])
        for name in lessons:
            hand_in(folder, f"solver of {name[:2]}", filled(name, solved(asked(name))), name)
        for k, source in enumerate(TWINS):
            hand_in(folder, f"<b>twin {k}", filled(OFTEN, {"squared_error": source}))
        for k in range(2):
            hand_in(folder, f"forgets {k}", filled(SESSION, {"train_step": FORGETS}), SESSION)
        written = solved(["adam"]) | {"encoder": EXIT, "decoder": QUIT}
        hand_in(folder, "exit", filled(SESSION, written), SESSION)
        hand_in(folder, "broken file", b"{not json")
        hand_in(folder, "empty", b"")
        hand_in(folder, "other course", json.dumps(OTHER).encode())
        before = sorted(folder.rglob("*"))
        rows, page = graded(folder)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()  # nobody has called
    added = {path.name for path in folder.rglob("*") if path not in before}
    assert added == {"grades.csv", "grades.html"} and all(path.exists() for path in before)
    assert sum(path.suffix == ".ipynb" for path in before) >= 30
    return SimpleNamespace(folder=folder, rows=rows, page=page, lessons=lessons)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_notebook_is_judged_and_reaches_nothing(klass, name):
    row = klass.rows[name, "squared_error"]
    assert row["verdict"] == HOSTILE[name][1] and HOSTILE[name][2] in row["sentence"]
    assert (klass.folder / "ada" / "marks.txt").read_text() == "secret 42"
    assert "secret 42" not in klass.page + (klass.folder / "grades.csv").read_text()
    assert klass.rows["ada", "squared_error"]["verdict"] == "right"
    assert "in namespaces of its own" in klass.page


def test_what_ends_the_process_costs_only_the_exercise_that_does(klass):
    rows = {name: klass.rows["exit", name] for name in asked(SESSION)}
    assert rows["encoder"]["sentence"] == "it ends the process that it runs in: use return."
    assert "it calls exit()" in rows["decoder"]["sentence"]
    assert rows["adam"]["verdict"] == "right" and rows["train"]["verdict"] == "not written"


def test_every_lesson_solved_is_right_and_the_page_says_so(klass):
    for name in klass.lessons:
        for word in asked(name):
            assert klass.rows[f"solver of {name[:2]}", word]["verdict"] == "right", word
    assert klass.page.count('<td class="right"') > 50


def test_the_page_names_common_mistakes_the_same_code_and_what_was_left_out(klass):
    page = klass.page
    common = page[page.index("<h2>Commonest") : page.index("<h2>The same")]
    assert "look at zero_grad" in common and "<td>forgets 0, forgets 1</td>" in common
    same = page[page.index("<h2>The same") : page.index("<h2>Not graded")]
    assert "&lt;b&gt;twin 0, &lt;b&gt;twin 1" in same and "<b>twin" not in page
    assert "solver of 06, the package (what solution(f) prints)" in same
    left_out = page[page.index("<h2>Not graded") :]
    for name in ("broken file", "empty", "other course"):
        assert f"<b>{name}/{OFTEN}</b>" in left_out
    assert klass.rows["empty", ""]["verdict"] == "not graded"


NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_mnt_namespaces; exec "$@"'
ELSEWHERE = {  # as a user without rights, and where the system gives no namespaces
    "in namespaces of its own": ["unshare", "-U", "--map-user=1000", "--map-group=1000"],
    "gives a program no namespaces": ["unshare", "-Ur", "sh", "-c", NO_NAMESPACES, "sh"],
}


@pytest.mark.parametrize("words", ELSEWHERE)
def test_as_a_plain_user_and_without_namespaces(words, tmp_path):
    before = ELSEWHERE[words]
    if subprocess.run([*before, "true"], capture_output=True).returncode:
        pytest.skip("this machine can't play that one")
    names = ["delete", "peek", "memory", "fork", "socket", "kill", "forge", "patch"]
    names += ["native"] * words.startswith("in")
    hostile(tmp_path, names)
    rows, page = graded(tmp_path, before)
    assert words in page and rows["ada", "squared_error"]["verdict"] == "right"
    assert (tmp_path / "ada" / "marks.txt").read_text() == "secret 42"
    for name in names:
        row = rows[name, "squared_error"]
        assert row["verdict"] == HOSTILE[name][1] and HOSTILE[name][2] in row["sentence"]


def attempts_in(*sources, name="mine.ipynb"):
    listed = [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]
    return cells.attempts(json.dumps({"cells": listed}).encode(), name)[0]


def run(attempt):
    """What an attempt's statements define, by Python alone."""
    space = {}
    for statement in attempt.statements:
        exec(compile(ast.Module([statement.node], []), "cell", "exec"), space)
    return space


def test_an_attempt_runs_with_what_it_needs_and_nothing_else():
    (attempt,) = attempts_in(
        "%matplotlib inline\n!echo hello\nimport math, torch\nfrom math import *",
        "x = load()  # a training\nfigure = [x for x in fit(x)]\nscale = 1",
        "def far(x, y):\n    return square(x - y) * scale + floor(0.5)",
        "scale = math.prod((1, 1))\ntable = {}\ntable['a'] = 1\nsquare = lambda d: d * d",
        "%%time\ndef squared_error(x, x_hat):\n    return far(x, x_hat) * table['a']",
        "check(squared_error)\nsquared_error = yours_or_ours(squared_error)",
        "scale = 1 / 0\ndef far(): pass",
    )
    assert attempt.name == "squared_error" and not attempt.error
    space = run(attempt)
    assert space["squared_error"](5, 2) == 9
    assert "x" not in space and "torch" in space  # one import, two names


def test_an_attempt_that_builds_on_another_exercise_gets_it_from_the_checks():
    found = {a.name: a for a in attempts_in(
        "from aecourse.checks import check, yours_or_ours",
        "def encoder(shape, d):\n    raise NotImplementedError\ncheck(encoder)",
        "encoder = yours_or_ours(encoder)",
        "def train(model):\n    return encoder\ncheck(train)",
    )}  # fmt: skip
    assert found["train"].others == {"encoder"} and found["encoder"].others == set()


def test_what_is_missing_or_written_twice():
    one, two = "def hebb(w, x, eta):\n    return 1", "def hebb(w, x, eta):\n    return 2"
    (last,) = attempts_in(one, two, "check(hebb)", "def hebb(): pass  # our text, after the check")
    assert run(last)["hebb"](0, 0, 0) == 2
    gone = {a.name: a for a in attempts_in("check(hebb)", name="03_neurons_learn_pca.ipynb")}
    assert set(gone) == {"hebb", "oja", "subspace", "sanger"} and not gone["oja"].statements
    (broken,) = attempts_in("def hebb(w):\n  return (\ncheck(hebb)")
    assert "its cell is no Python, in line 2" in broken.error
    with pytest.raises(cells.Unreadable, match="no exercise of the course"):
        attempts_in("print('hello')")
    for text in (b"", b"[]", b'{"cells": [1]}', b"[" * 100_000, b"\xff\xfe"):
        with pytest.raises(cells.Unreadable):
            cells.attempts(text, "x.ipynb")


@pytest.mark.parametrize("path, learner", [
    ("ada/06_lets_code_1.ipynb", "ada"),
    ("ada/notebooks/06_lets_code_1.ipynb", "ada"),
    ("06_lets_code_1/ada.ipynb", "ada"),
    ("ada_06_lets_code_1.ipynb", "ada"),
    ("06_lets_code_1_ada-Copy1.ipynb", "ada"),
    ("06_lets_code_1/Ada Lovelace_12_file_/06_lets_code_1 (1).ipynb", "Ada Lovelace_12_file_"),
    ("06_lets_code_1.ipynb", "06_lets_code_1"),
])  # fmt: skip
def test_whose_a_notebook_is(path, learner):
    assert grade.learners([Path(path)]) == [learner]


def test_links_checkpoints_and_hidden_files_are_left_alone_and_no_notebook_is_one_sentence(
    tmp_path, capsys
):
    for name in (".ipynb_checkpoints/a.ipynb", "__MACOSX/b.ipynb", "ada/c.ipynb"):
        hand_in(tmp_path, str(Path(name).parent), b"", Path(name).name)
    (tmp_path / "ada" / "link.ipynb").symlink_to(ROOT / "notebooks" / OFTEN)
    (tmp_path / "linked").symlink_to(ROOT / "notebooks")
    assert grade.collected(tmp_path) == [tmp_path / "ada" / "c.ipynb"]
    for folder in (tmp_path / "linked" / "nothing", tmp_path / ".ipynb_checkpoints" / "x"):
        assert grade.main([str(folder)]) == 2
        assert "give the folder of what came in" in capsys.readouterr().err


def test_a_record_is_kept_beside_the_notebook_and_what_was_right_stays(tmp_path):
    wrong = "def oja(w, x, eta):\n    return x\ncheck(oja)"
    ours = inspect.getsource(EXERCISES["hebb"].solution)
    sources = ["import torch\nfrom aecourse.checks import check, progress", f"{ours}\ncheck(hebb)"]
    sources += [wrong, wrong.replace("oja", "hebb"), "check(nothing := 3)", "progress()"]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [path.name for path in tmp_path.iterdir()] == [record.FILE]
    said = notebook.cells[-1].outputs[0].text
    assert "03  1 of 4  ✔ hebb ✘ oja … subspace … sanger" in said
    assert said.startswith(f"1 of {len(EXERCISES)} exercises") and "sent nowhere" in said


def test_a_record_never_disturbs_a_check(tmp_path, monkeypatch, capsys):
    import IPython

    monkeypatch.chdir(tmp_path)
    right = EXERCISES["hebb"].solution
    checks.check(right)
    assert not list(tmp_path.iterdir())  # no notebook
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=1))
    for text in ("", "[1]", "{", '{"oja": {}, "hebb": "forgotten"}'):
        Path(record.FILE).write_text(text)
        checks.check(right)
        assert record.read() == {"hebb": "right"}
    Path(record.FILE).unlink()
    Path(record.FILE).mkdir()  # can't be written
    checks.check(right), checks.progress()
    assert capsys.readouterr().out.count("✔ right: hebb") == 6
    for name in EXERCISES:
        assert record.overview().count(f" {name}") >= 1
