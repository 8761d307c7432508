"""The stored results: what the json says comes out of the stored weights. The command: a tiny
recipe, interrupted, resumed, stored and loaded."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from aecourse import data, losses, models, reproduce
from aecourse.training import fit

STORED = sorted(path.stem for path in reproduce.FOLDER.glob("*.npz"))


@pytest.mark.parametrize("name", STORED)
def test_the_stored_numbers_come_from_the_stored_weights(name):
    model, numbers = reproduce.load(name)
    for what, value in reproduce.RECIPES[name].measure(model).items():
        assert value == pytest.approx(numbers[what], rel=1e-3), what


@pytest.mark.parametrize("name", STORED)
def test_a_stored_result_says_how_it_came_about_and_is_small(name):
    numbers = json.loads((reproduce.FOLDER / f"{name}.json").read_text())
    assert {"seed", "date", "versions", "seconds of training"} <= set(numbers)
    path = reproduce.FOLDER / f"{name}.npz"
    assert path.stat().st_size < 6e6
    with np.load(path, allow_pickle=False) as weights:
        assert {w.dtype for w in weights.values()} == {np.dtype("float16")}


def test_hinton_beats_the_paper_with_the_epochs_that_validation_chose():
    """The squared error with NumPy alone, on one half of the test set and on the other."""
    numbers = json.loads((reproduce.FOLDER / "hinton.json").read_text())
    assert numbers["test squared error"] <= 3.00
    valid = numbers["validation cross-entropy by epoch"]
    assert valid[numbers["epochs"] - 1] < min(valid) + 0.5
    assert len(numbers["training cross-entropy by epoch"]) == numbers["epochs"]
    x = data.load("mnist", "test").x.flatten(1).numpy()
    with np.load(reproduce.FOLDER / "hinton.npz", allow_pickle=False) as w:
        halves = [((rows - through(w, rows)) ** 2).sum() for rows in np.split(x, 2)]
    assert sum(halves) / len(x) == pytest.approx(numbers["test squared error"], rel=1e-3)


def through(w, x):
    """784-1000-500-250-30-250-500-1000-784, written out."""
    for part in ("encoder", "decoder"):
        for k in (0, 2, 4, 6):
            x = x @ w[f"{part}.{k}.weight"].T.astype("f4") + w[f"{part}.{k}.bias"]
            if k < 6:
                x = torch.nn.functional.gelu(torch.from_numpy(x)).numpy()
    return 1 / (1 + np.exp(-x))


# ---- the command ------------------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch):
    """A recipe of milliseconds; its training can be stopped at a given call of the loss."""
    x = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    calls, stop = [], {"call": None}

    def build():
        torch.manual_seed(0)
        return models.Autoencoder((1, 4, 4), (8,), 2)

    def loss(model, x):
        calls.append(1)
        if len(calls) == stop["call"]:
            raise SystemExit  # as when the machine goes down
        return losses.bernoulli(model, x)

    def train(model, checkpoint):
        record = fit(model, x, loss, epochs=6, batch=10, checkpoint=checkpoint("all"))
        return {"loss": record["loss"], "seconds of training": record["seconds"][-1]}

    def measure(model):
        return {"error": losses.squared_error(x, model(x)).item()}

    recipe = reproduce.Recipe(build, train, measure)
    monkeypatch.setitem(reproduce.RECIPES, "tiny", recipe)
    return recipe, stop


def test_a_result_is_stored_and_loaded_again(tiny, tmp_path):
    numbers = reproduce.reproduce("tiny", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.json", "tiny.npz"]
    assert len(numbers["date"]) == 10 and numbers["versions"]["torch"] == torch.__version__
    model, stored = reproduce.load("tiny", tmp_path)
    assert stored == json.loads(json.dumps(numbers))
    assert tiny[0].measure(model)["error"] == pytest.approx(numbers["error"], rel=1e-6)


def test_an_interrupted_command_goes_on_to_the_same_numbers(tiny, tmp_path):
    _, stop = tiny
    whole = reproduce.reproduce("tiny", tmp_path / "whole")
    stop["call"] = 24 + 15  # of 24 steps
    with pytest.raises(SystemExit):
        reproduce.reproduce("tiny", tmp_path / "parts")
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["tiny, all.pt"]
    parts = reproduce.reproduce("tiny", tmp_path / "parts")
    assert parts["loss"] == whole["loss"] and parts["error"] == whole["error"]
    assert parts["sha256 of the weights"] == whole["sha256 of the weights"]


def test_damaged_weights_are_refused(tiny, tmp_path):
    reproduce.reproduce("tiny", tmp_path)
    path = tmp_path / "tiny.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match=r"tiny\.npz is not the file that tiny\.json describes"):
        reproduce.load("tiny", tmp_path)


def test_an_unknown_name_gets_the_list():
    command = [sys.executable, "-m", "aecourse.reproduce", "goethe"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=data.FOLDER.parent)
    assert done.returncode == 1
    assert done.stderr.startswith("python -m aecourse.reproduce hinton")
