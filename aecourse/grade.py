"""Grades the notebooks that a class has handed in:  python -m aecourse.grade FOLDER

FOLDER holds ada/06_lets_code_1.ipynb, or 06_lets_code_1/ada.ipynb, or ada_06_lets_code_1.ipynb.
Only the exercises are run, each notebook in a process of its own that is shut in. Written are
grades.csv and grades.html.
"""

import argparse
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from aecourse.grading import report
from aecourse.progress import bar

LARGEST = 64 << 20  # bytes of a notebook
WARM = ["aecourse.grading.judge", "torch._dynamo", "scipy.stats", "sklearn.metrics", "matplotlib"]
WARM += ["sklearn.neighbors", "sklearn.cluster", "sklearn.decomposition", "torch.utils.data"]
NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
ENDED = {"unreadable": "this notebook ended the process that graded it."}


def main(arguments=None):
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser("python -m aecourse.grade", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="the collected notebooks, in any layout")
    parser.add_argument("--out", type=Path, help="where to write; by default, in the folder")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="notebooks at a time")
    given = parser.parse_args(arguments)
    if not hasattr(os, "fork"):
        return _stop("Grading forks a process for each notebook: it needs Linux, macOS, or WSL.")
    paths = collected(given.folder) if given.folder.is_dir() else []
    if not paths:
        return _stop(f"There is no notebook in {given.folder}: give the folder of what came in.")
    begin = time.monotonic()
    results = grade(paths, max(1, given.jobs))
    names = learners([path.relative_to(given.folder) for path in paths])
    rows, left_out, alone = [], [], True
    for path, name, result in zip(paths, names, results, strict=True):
        where = path.relative_to(given.folder).as_posix()
        alone = alone and result.get("alone", True)
        if "unreadable" in result:
            left_out.append((name, where, result["unreadable"]))
        rows += [report.Row(name, where, **found) for found in result.get("attempts", ())]
    out = given.out or given.folder
    out.mkdir(parents=True, exist_ok=True)
    report.table(out / "grades.csv", rows, left_out)
    report.page(out / "grades.html", rows, left_out, alone, time.monotonic() - begin)
    some = f"{len(paths)} notebook{'s' * (len(paths) > 1)}"
    print(f"✔ {some}: {out / 'grades.html'} and {out / 'grades.csv'}")
    return 0


def collected(folder):
    """The notebooks below a folder; no checkpoints, nothing hidden, no links to elsewhere."""
    paths = sorted(folder.rglob("*.ipynb"), key=lambda path: str(path).lower())
    parts = {path: path.relative_to(folder).parts for path in paths}
    return [
        path
        for path in paths
        if path.is_file()
        and not any(place.is_symlink() for place in (path, *path.parents[: len(parts[path]) - 1]))
        and not any(part.startswith((".", "__MACOSX")) for part in parts[path])
    ]


def learners(paths):
    """Whose each notebook is: the first part of its path that is more than a lesson's name."""
    lessons = "|".join(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    known = re.compile(rf"-Copy\d+|\s*\(\d+\)|[ _-]*({lessons})[ _-]*")
    parts = [[known.sub("", part) for part in (*path.parts[:-1], path.stem)] for path in paths]
    return [next(filter(None, p), path.stem) for p, path in zip(parts, paths, strict=True)]


def grade(paths, jobs):
    """What came of each notebook, as `judge.notebook` sends it; so many at a time."""
    for name in ("OMP", "MKL", "OPENBLAS"):  # what is forked can't start threads
        os.environ[f"{name}_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("forkserver")  # imports PyTorch once, for all of them
    context.set_forkserver_preload(WARM)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place,
        ThreadPoolExecutor(jobs) as pool,
        bar(len(paths)) as shown,
    ):
        os.chmod(place, 0o711)

        def one(path):
            result = _graded(context, path, tempfile.mkdtemp(dir=place))
            shown.update()
            return result

        return list(pool.map(one, paths))


def _graded(context, path, folder):
    from aecourse.grading import judge  # Windows has not what it needs

    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        return {"unreadable": f"this file can't be read: {error.strerror}."}
    if len(text) > LARGEST:
        return {"unreadable": f"this file is larger than {LARGEST >> 20} MB."}
    os.chmod(folder, 0o755)
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=judge.notebook, args=(writer, text, path.name, folder))
    process.start()
    writer.close()
    try:
        if reader.poll(judge.BUDGET + 2 * judge.WALL):
            return json.loads(reader.recv_bytes(1 << 24))
        return ENDED
    except (EOFError, OSError):
        return ENDED
    finally:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()


def _stop(sentence):
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
