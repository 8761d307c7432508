"""The numbers of the notebooks: they run on without a gap, and are moved in one go."""

import json
import re
import shutil
from pathlib import Path

import pytest
from renumber import Renumber, moves_of

ROOT = Path(__file__).parents[1]


def tree(folder):
    """A copy of all that speaks of notebooks."""
    for pattern in ("notebooks/*.ipynb", "*.md", "aecourse/**/*.py", "tests/**/*.py", "data/*.md"):
        for path in ROOT.glob(pattern):
            copy = folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    return folder


def texts(root):
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def prose(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def faults(root):
    """Where the numbers of the notebooks of a tree do not fit each other, in words."""
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    stems = [path.stem for path in paths]
    for n, path in enumerate(paths):
        text = prose(path)
        if int(path.stem[:2]) != n:
            yield f"{path.stem} is number {n}"
        if not text.startswith(f"# {n}. "):
            yield f"{path.stem} has the title {text.splitlines()[0]}"
        for kind in (r"^## (\d+\.\d+)", r"\*\*Exercise (\d+\.\d+)"):
            found = re.findall(kind, text, re.MULTILINE)
            if found != [f"{n}.{k}" for k in range(1, len(found) + 1)]:
                yield f"{path.stem} has {found}"
    for name, text in texts(root).items():
        if name.startswith(("notebooks", "README", "data")):
            links = set(re.findall(r"\b\d\d_\w+(?=\.ipynb)", text))
            yield from (f"{name} speaks of {link}" for link in links - set(stems))
            known = re.findall(r"[Nn]otebook (\d\d)\b", text)
            yield from (f"{name} speaks of {k}" for k in known if int(k) >= len(paths))
    rows = re.findall(r"^\| \[`(\w+)`\]\(notebooks/(\w+)\.ipynb\)", texts(root)["README.md"], re.M)
    if rows != [(stem, stem) for stem in stems]:
        yield f"the map of README has {rows}"
    for folder in ("aecourse/exercises", "tests/alternatives"):
        modules = {int(path.stem[-2:]) for path in (root / folder).glob("notebook_*.py")}
        yield from (f"{folder} has {n}" for n in modules if n >= len(paths))
        for n in modules:
            module = (root / folder / f"notebook_{n:02d}.py").read_text(encoding="utf-8")
            if f"notebook {n:02d}" not in module.splitlines()[0]:
                yield f"{folder}/notebook_{n:02d}.py is {module.splitlines()[0]}"


def test_the_numbers_run_on_without_a_gap_and_the_map_is_true(tmp_path):
    assert list(faults(tree(tmp_path))) == []


def test_moved_and_moved_back_every_file_is_what_it_was(tmp_path):
    root = tree(tmp_path)
    before = texts(root)
    last = sorted(name for name in before if name.startswith("notebooks"))[-1]
    there, back = f"02-{last[10:12]}=03", f"03-{int(last[10:12]) + 1:02d}=02"
    Renumber(root, [there])()
    moved = texts(root)
    assert len(set(before) & set(moved)) < len(before) == len(moved)
    Renumber(root, [back])()
    assert texts(root) == before


def test_after_a_split_only_the_new_notebook_is_missing(tmp_path):
    root = tree(tmp_path)
    numbers = sorted(int(path.stem[:2]) for path in (root / "notebooks").glob("*.ipynb"))
    Renumber(root, [f"02-{numbers[-1]:02d}=03", "01=01_infomax"])()
    moved = sorted(int(path.stem[:2]) for path in (root / "notebooks").glob("*.ipynb"))
    assert moved == [0, 1, *range(3, numbers[-1] + 2)]
    second = next((root / "notebooks").glob("01_*.ipynb"))
    assert second.stem == "01_infomax"
    shutil.copy(second, root / "notebooks" / "02_likelihood.ipynb")  # what the author would write
    text = (root / "notebooks" / "02_likelihood.ipynb").read_text(encoding="utf-8")
    text = re.sub(r"(?<=## |se )1(?=\.\d)", "2", text).replace('"# 1. ', '"# 2. ')
    (root / "notebooks" / "02_likelihood.ipynb").write_text(text, encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    row = "| [`02_likelihood`](notebooks/02_likelihood.ipynb) | Which loss follows? | ready |\n"
    third = readme.index("| [`03_")
    (root / "README.md").write_text(readme[:third] + row + readme[third:], encoding="utf-8")
    assert list(faults(root)) == []


PROSE = [  # in notebook 07, where 02 to 12 move up by one
    ("# 7. VAEs\n\nAfter 06 and 10, notebook 12.", "# 8. VAEs\n\nAfter 07 and 11, notebook 13."),
    ("*Before: 00 and 01; 04 helps.*", "*Before: 00 and 01; 05 helps.*"),
    (
        "## 7.2 A bound\n\n**Exercise 7.1** (10 min).",
        "## 8.2 A bound\n\n**Exercise 8.1** (10 min).",
    ),
    ("As 7.2 says, $7.2$ is not 7.25, 7.3 s is.", "As 8.2 says, $7.2$ is not 7.25, 7.3 s is."),
    ("[back](06_b.ipynb)", "[back](07_b.ipynb)"),
    ("`rate=0.05`, 10 %, 04:30, 2026-11-08, 1e-05", "`rate=0.05`, 10 %, 04:30, 2026-11-08, 1e-05"),
    ("Notebooks 09 to 11 (12 bits)", "Notebooks 10 to 12 (12 bits)"),
]


def small(folder, text, code="x = 7.2"):
    """A tree of three notebooks; `text` is the prose of 07."""
    (folder / "notebooks").mkdir()
    for stem, content in {"06_b": "# 6. B", "07_c": text, "12_d": "# 12. D"}.items():
        known = {"cell_type": "markdown", "source": ["## 7.2 A\n\n", "**Exercise 7.1**"]}
        cells = [{"cell_type": "markdown", "source": content.splitlines(keepends=True)}]
        cells += [known] * (stem == "07_c")
        cells += [{"cell_type": "code", "source": [code], "outputs": [{"text": ["in 7.2 s\n"]}]}]
        path = folder / "notebooks" / f"{stem}.ipynb"
        path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return folder


def moved(root):
    change = Renumber(root, ["06=07", "07=08", "12=13"])
    change.number |= {4: 5, 9: 10, 10: 11, 11: 12}  # as if these were there too
    change()
    path = root / "notebooks" / "08_c.ipynb"
    return change, json.loads(path.read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize("before, after", PROSE)
def test_references_move_and_other_numbers_stay(tmp_path, before, after):
    _, cells = moved(small(tmp_path, before))
    assert "".join(cells[0]["source"]) == after
    assert "".join(cells[2]["source"]) == "x = 7.2"


def test_what_is_not_certain_is_left_and_told(tmp_path):
    change, cells = moved(
        small(tmp_path, "# 7. C\n\nNotebook 06 has it; 12 asks. 10 %.\n\n12 bits.")
    )
    assert "".join(cells[0]["source"]) == "# 8. C\n\nNotebook 07 has it; 12 asks. 10 %.\n\n12 bits."
    doubts = [doubt for doubt in change.doubts if "07_c" in doubt]
    assert len(doubts) == 2 and "[12] asks" in doubts[0] and "in [7.2] s" in doubts[1]


def test_sheets_and_readme(tmp_path):
    root = small(tmp_path, "# 7. C")
    (root / "data").mkdir()
    sheet, readme = (
        "Tunes (12). | 04, 12 | 86(12)",
        "In 7.2, see 12 and 3.2. The 06 page; (7.1, 7.2).",
    )
    (root / "data" / "README.md").write_text(sheet, encoding="utf-8")
    (root / "README.md").write_text(readme, encoding="utf-8")
    moved(root)
    came = [(root / name).read_text(encoding="utf-8") for name in ("data/README.md", "README.md")]
    assert came[0] == "Tunes (13). | 05, 13 | 86(12)"
    assert came[1] == "In 7.2, see 12 and 3.2. The 07 page; (8.1, 8.2)."


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["1=2"], "'1=2' is not like"),
        (["06-07=08_both"], "is not like"),
        (["05=06"], "There is no notebook 05"),
        (["06=07"], "Two notebooks would have one number"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_touched(tmp_path, arguments, words):
    before = texts(small(tmp_path, "# 7. C"))
    with pytest.raises(ValueError, match=re.escape(words)):
        Renumber(tmp_path, arguments)()
    assert texts(tmp_path) == before


def test_a_name_alone_may_change():
    assert moves_of(["07=07_e"], {7: "07_c"}) == {7: (7, "e")}
