"""Results of papers at full scale, each by one command:  python -m aecourse.reproduce hinton
With several cores or GPUs:  torchrun --nproc-per-node 2 -m aecourse.reproduce hinton

A command trains for minutes or hours, on the GPU if there is one; interrupted, the same command
goes on where it stopped. It leaves two files in data/results: NAME.json has the numbers, with seed,
date, versions and seconds; NAME.npz has the weights, in half precision, with which they were
measured.
"""

import hashlib
import io
import json
import platform
import sys
from datetime import datetime, timezone

import numpy as np
import torch

from aecourse import data, parallel
from aecourse.recipes import BF16, Recipe, beta, depth, filters, hinton, memoriser, test_error, vaes

FOLDER = data.FOLDER / "results"
RECIPES = {
    "hinton": Recipe(hinton.build, hinton.train, test_error),
    "hinton_clean": Recipe(hinton.build, hinton.clean_train, test_error),
    "hinton_rbm": Recipe(hinton.build_sigmoid, hinton.rbm_train, test_error),
    "depth": Recipe(lambda: depth.build_all(depth.DEPTHS), depth.train, depth.measure),
    "codes": Recipe(lambda: depth.build_all(depth.CODES), depth.train, depth.measure),
    "filters": Recipe(filters.build, filters.train, filters.measure),
    "memoriser": Recipe(memoriser.build, memoriser.train, memoriser.measure),
    "vae": Recipe(lambda: vaes.build(40, 800), vaes.train(100, samples=500), vaes.measure),
    "vae2": Recipe(lambda: vaes.build(2, 400), vaes.train(30), vaes.measure),
    "beta": Recipe(beta.build, beta.train, beta.measure),
    "latents": Recipe(beta.build_latents, beta.train_latents, beta.measure_latents),
}


def reproduce(name, folder=FOLDER):
    """Run a recipe, or go on with it, and store its numbers and weights in folder. Of several
    processes the first one stores, and returns the numbers."""
    parallel.start()
    folder.mkdir(parents=True, exist_ok=True)
    recipe = RECIPES[name]
    model = recipe.build().to("cuda" if torch.cuda.is_available() else "cpu")
    numbers = recipe.train(model, lambda word: folder / f"{name}, {word}.pt")
    if parallel.rank():
        return {}
    file = io.BytesIO()
    np.savez_compressed(file, **{k: v.half().cpu().numpy() for k, v in model.state_dict().items()})
    (folder / f"{name}.npz").write_bytes(file.getvalue())
    _put(file.getvalue(), model)
    numbers = {"seed": 0} | numbers | recipe.measure(model)
    numbers |= {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "machine": _machine(),
        "trained in bfloat16": BF16,
        "sha256 of the weights": hashlib.sha256(file.getvalue()).hexdigest(),
    }
    (folder / f"{name}.json").write_text(json.dumps(numbers, indent=1) + "\n")
    for path in folder.glob(f"{name}, *.pt*"):
        path.unlink()
    return numbers


def load(name, folder=FOLDER):
    """(model, numbers) of a stored result. Raises ValueError when the weights are damaged."""
    numbers = json.loads((folder / f"{name}.json").read_text())
    content = (folder / f"{name}.npz").read_bytes()
    if hashlib.sha256(content).hexdigest() != numbers["sha256 of the weights"]:
        raise ValueError(f"{name}.npz is not the file that {name}.json describes: restore both.")
    return _put(content, RECIPES[name].build()), numbers


def _machine():
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{platform.machine()}, {torch.get_num_threads()} thread"


def _put(content, model):
    """The model with the weights of an npz file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as weights:
        model.load_state_dict({k: torch.from_numpy(v).float() for k, v in weights.items()})
    return model


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in RECIPES:
        sys.exit(f"python -m aecourse.reproduce {' | '.join(RECIPES)}")
    found = reproduce(sys.argv[1])
    if found:
        print(json.dumps(found, indent=1))
