"""The tool that tries the notebooks with other luck finds what falls, and only that."""

import importlib.util
import json
from pathlib import Path

import nbformat
import pytest

PATH = Path(__file__).parent / "evidence" / "run.py"
SPEC = importlib.util.spec_from_file_location("evidence", PATH)
evidence = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(evidence)
RECORD = json.loads(evidence.STORED.read_text())

CELLS = (
    "import torch\n\nfrom aecourse import data, losses, models\nfrom aecourse.training import fit",
    "torch.manual_seed(0)\nlucky = torch.rand(1).item()\nassert 0.4962 < lucky < 0.4963, lucky",
    "assert torch.rand(1).item() < 1",
    "x = data.load('mnist', 'test', n=4).x\nassert x.sum().item() == {total}\nless = 1",
    "model = models.Autoencoder((1, 28, 28), (4,))\n"
    "history = fit(model, x, losses.bernoulli, epochs=2)\n"
    "assert history['epoch'] == [1, 2] and torch.get_num_threads() == 1\ndone = 1",
    "print(less + done)",
)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    from aecourse import data

    total = data.load("mnist", "test", n=4).x.sum().item()
    cells = [nbformat.v4.new_code_cell(cell.replace("{total}", str(total))) for cell in CELLS]
    path = tmp_path_factory.mktemp("notebooks") / "00_tiny.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.mark.parametrize(
    "setting, fell, follows",
    [
        ("seed 1", [2, 4], [6]),  # the draw, the draw of data, and what needs the latter's cell
        ("epochs", [5], [6]),
        ("threads", [5], [6]),
        ("processor", [], []),
    ],
)
def test_what_falls_is_found_and_what_only_follows_is_not_counted(notebook, setting, fell, follows):
    result = evidence.run(notebook, setting)
    assert [cell["cell"] for cell in result["fell"]] == fell
    assert [cell["cell"] for cell in result["follows"]] == follows
    for cell in result["fell"]:
        assert cell["claim"] in ast_of(notebook, cell["cell"]) or "lucky" in cell["claim"]


def ast_of(notebook, number):
    import ast

    return ast.unparse(ast.parse(nbformat.read(notebook, 4).cells[number - 1].source))


def test_the_table_counts_cells_and_not_runs():
    def row(**fell):
        settings = {s: {"fell": [], "follows": [], "seconds": 1} for s in evidence.SETTINGS}
        for name, cells in fell.items():
            settings[name.replace("_", " ")]["fell"] = [{"cell": c, "claim": ""} for c in cells]
        return {"cells that claim": 9, "settings": settings}

    record = {"notebooks": {"03_a.ipynb": row(seed_1=[4, 5], seed_2=[5, 6], epochs=[7])}}
    assert evidence.table(record).splitlines()[-1] == "| `03_a` | 9 | 3 | 1 | 0 | 0 |"


def test_every_notebook_has_a_row_of_all_settings_in_the_stored_run():
    stored = RECORD["notebooks"]
    notebooks = {path.name: path for path in (evidence.ROOT / "notebooks").glob("*.ipynb")}
    assert stored.keys() == notebooks.keys()
    for name, row in stored.items():
        assert row["settings"].keys() == evidence.SETTINGS.keys()
        assert row["cells that claim"] == evidence.claim_cells(notebooks[name])


def test_no_claim_hangs_on_the_processor_or_the_number_of_threads():
    for name, row in RECORD["notebooks"].items():
        for setting in ("processor", "threads"):
            assert row["settings"][setting]["fell"] == [], (name, setting)


def test_readme_shows_the_stored_run():
    readme = (evidence.ROOT / "README.md").read_text().split(evidence.MARK)
    assert readme[1] == evidence.table(RECORD)
