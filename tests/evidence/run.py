"""Do the claims of the notebooks hold with other luck?

    python tests/evidence/run.py                     # all notebooks, all settings: an hour
    python tests/evidence/run.py 07 12 --setting processor --setting threads
    python tests/evidence/run.py 07 --store          # and its rows in data/results/evidence.json

Each notebook runs, unchanged, in a kernel that has been told before its first cell to
- shift the seeds 1 to 4 times: of torch.manual_seed (by which `fit` seeds its batches and noise),
  of generators, and of the draws of `data.load`;
- train for twice the epochs, wherever `fit` trains; loops of a notebook's own are left alone;
- compute as another processor would, one without vector instructions newer than SSE4;
- use two threads, which add up in another order.
A cell falls if it raises. What raises only because a cell before it fell, as a NameError does, is
told but not counted.
"""

import argparse
import ast
import json
import os
import platform
import re
import textwrap
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import datetime, timezone
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
STORED = ROOT / "data" / "results" / "evidence.json"
MARK = "<!-- evidence: written by tests/evidence/run.py -->\n"

SHIFT = """
import sys
import numpy as np
import torch

def _shifted(seeded, modules):
    def seed(*arguments):
        *rest, value = arguments
        caller = sys._getframe(1).f_globals["__name__"]
        return seeded(*rest, value + {shift} * (caller in modules))
    return seed

class _Generator(torch.Generator):
    manual_seed = _shifted(torch.Generator.manual_seed, ("__main__", "aecourse.data"))

torch.Generator = _Generator
torch.manual_seed = _shifted(torch.manual_seed, ("__main__", "aecourse.training"))
_rng = np.random.default_rng
np.random.default_rng = lambda seed=None: _rng(
    seed + {shift} * (sys._getframe(1).f_globals["__name__"] == "__main__")
    if isinstance(seed, int) else seed
)
"""
LONGER = """
import functools
import aecourse.training
_fit = aecourse.training.fit

@functools.wraps(_fit)
def _longer(model, x, loss, epochs=10, *rest, **settings):
    return _fit(model, x, loss, 2 * epochs, *rest, **settings)

aecourse.training.fit = _longer
"""
THREADS = "import aecourse, torch\ntorch.set_num_threads(2)"
PROCESSOR = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}
SETTINGS = {  # name: what the kernel runs first, and what stands in its environment
    **{f"seed {k}": (SHIFT.format(shift=1000 * k), {}) for k in (1, 2, 3, 4)},
    "epochs": (LONGER, {}),
    "processor": ("", PROCESSOR),
    "threads": (THREADS, {"OMP_WAIT_POLICY": "PASSIVE"}),  # two kernels spin on two cores else
}


def run(path, setting):
    """{"fell": [...], "follows": [...], "seconds": s} of one notebook under one setting."""
    first, environment = SETTINGS.get(setting, ("", {}))
    notebook = nbformat.read(path, 4)
    number = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    client = NotebookClient(
        notebook,
        timeout=1800,
        startup_timeout=300,
        allow_errors=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    start = time.perf_counter()
    client.execute(env=os.environ | environment)
    result = {"fell": [], "follows": [], "seconds": round(time.perf_counter() - start)}
    for k, cell in enumerate(number, 1):
        for output in cell.outputs:
            if output.output_type == "error":
                follows = result["fell"] and output.ename != "AssertionError"
                words = {"cell": k, "claim": claim(cell.source, output)}
                result["follows" if follows else "fell"].append(words)
    return result


def claim(source, error):
    """The assert that fell, as it stands in the cell, or the error and its line."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback))
    lines = [int(n) for n in re.findall(r"^-+> (\d+) ", plain, re.MULTILINE)] or [1]
    words = f"{error.ename}: {error.evalue}"
    if error.ename == "AssertionError" and not re.search(r"^\s*[!%]", source, re.MULTILINE):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Assert) and node.lineno <= lines[0] <= node.end_lineno:
                words = ast.unparse(node) + (f"  ({error.evalue})" if error.evalue else "")
    return textwrap.shorten(words, 200)


def claim_cells(path):
    """How many cells of a notebook claim something by an assert."""
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    return sum(bool(re.search(r"^\s*(assert |claim\()", source, re.MULTILINE)) for source in cells)


def table(record):
    """The record as a table in Markdown: how many of the claiming cells fell, by setting."""
    rows = ["| notebook | cells that claim | another seed | twice the epochs | another processor "]
    rows[0] += "| two threads |\n| --- | --- | --- | --- | --- | --- |"
    for name, row in sorted(record["notebooks"].items()):
        fell = {s: {f["cell"] for f in row["settings"][s]["fell"]} for s in SETTINGS}
        seeds = set.union(*(fell[s] for s in SETTINGS if s.startswith("seed")))
        counts = [
            len(cells) for cells in (seeds, fell["epochs"], fell["processor"], fell["threads"])
        ]
        cells = [f"`{Path(name).stem}`", row["cells that claim"], *counts]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows) + "\n"


def store(results):
    """Put results {notebook: {setting: result}} into the record, and its table into README."""
    record = json.loads(STORED.read_text()) if STORED.exists() else {"notebooks": {}}
    record["date"] = datetime.now(timezone.utc).date().isoformat()
    record["versions"] = {name: metadata.version(name) for name in ("torch", "numpy")}
    record["versions"]["python"] = platform.python_version()
    record["machine"] = platform.machine()
    for name, settings in results.items():
        row = record["notebooks"].setdefault(name, {"settings": {}})
        row["cells that claim"] = claim_cells(ROOT / "notebooks" / name)
        row["settings"] |= settings
    names = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    record["notebooks"] = {n: row for n, row in record["notebooks"].items() if n in names}
    STORED.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    readme = (ROOT / "README.md").read_text()
    whole = all(set(row["settings"]) == set(SETTINGS) for row in record["notebooks"].values())
    if whole and readme.count(MARK) == 2:  # the table stands between two marks
        before, _, after = readme.split(MARK)
        (ROOT / "README.md").write_text(before + MARK + table(record) + MARK + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", help="their numbers, such as 07; all by default")
    parser.add_argument("--setting", action="append", choices=SETTINGS, help="all by default")
    parser.add_argument("--jobs", type=int, default=2, help="kernels at a time")
    parser.add_argument("--store", action="store_true", help="in data/results and README")
    given = parser.parse_args()
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    paths = [p for p in paths if not given.notebooks or p.name[:2] in given.notebooks]
    results = {path.name: {} for path in paths}
    with ProcessPoolExecutor(given.jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        jobs = {pool.submit(run, p, s): (p, s) for s in given.setting or SETTINGS for p in paths}
        for job in as_completed(jobs):
            (path, setting), result = jobs[job], job.result()
            results[path.name][setting] = result
            said = [f"cell {f['cell']}: {f['claim']}" for f in result["fell"]]
            said += [f"cell {f['cell']} follows: {f['claim']}" for f in result["follows"]]
            words = "\n    ".join(said) or "all hold"
            print(f"{path.name[:2]}, {setting}, {result['seconds']} s\n    {words}", flush=True)
            if given.store:
                store({path.name: {setting: result}})
    fell = sum(len(r["fell"]) for settings in results.values() for r in settings.values())
    print(f"{len(jobs)} runs, {fell} cells fell")


if __name__ == "__main__":
    main()
