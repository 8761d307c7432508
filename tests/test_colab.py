"""The cell with which each notebook begins, run as on Colab, with a local clone and no network."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
CELL = next(
    cell.source
    for cell in nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", 4).cells
    if cell.cell_type == "code"
)
PROGRAM = """
import sys, types
if len(sys.argv) > 1:
    sys.modules["google.colab"] = types.ModuleType("google.colab")
from IPython.core.interactiveshell import InteractiveShell
result = InteractiveShell.instance().run_cell(open("cell").read())
result.raise_error()
import aecourse, aecourse.data
print(aecourse.__file__)
print(len(aecourse.data.load("faces").x))
"""


@pytest.fixture
def machine(tmp_path):
    """A folder with the cell, a git that finds the course here, and a pip that only takes notes."""
    (tmp_path / "cell").write_text(CELL)
    (tmp_path / "bin").mkdir()
    pip = tmp_path / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/pip.log\n')
    pip.chmod(0o755)
    address = "https://example.org/aecourse.git"
    for line in (ROOT / "pyproject.toml").read_text().splitlines():
        if line.startswith("Repository"):
            address = line.split('"')[1]
    environment = os.environ | {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }

    def run(*arguments):
        command = [sys.executable, "-c", PROGRAM, *arguments]
        options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
        return subprocess.run(command, check=True, **options).stdout.split()

    return run, tmp_path


def test_on_colab_it_fetches_the_course_with_its_data_and_leaves_torch_alone(machine):
    run, folder = machine
    path, faces = run("colab")[-2:]
    assert Path(path).resolve() == folder / "aecourse" / "aecourse" / "__init__.py"
    assert faces == "400"
    (installed,) = (folder / "pip.log").read_text().splitlines()
    assert "--no-deps" in installed.split() and installed.split()[-1] == "aecourse"


def test_elsewhere_it_does_nothing(machine):
    run, folder = machine
    path, _ = run()[-2:]
    assert Path(path).resolve() == ROOT / "aecourse" / "__init__.py"
    assert not (folder / "pip.log").exists() and not (folder / "aecourse").exists()
