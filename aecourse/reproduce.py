"""Results of papers at full scale, each by one command:  python -m aecourse.reproduce hinton

A command trains for minutes or hours, with a progress bar; interrupted, the same command goes on
where it stopped. It leaves two files in data/results: NAME.json has the numbers, with seed, date,
versions and seconds; NAME.npz has the weights, in half precision, with which they were measured.
"""

import hashlib
import io
import json
import platform
import sys
from datetime import datetime, timezone
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from aecourse import data, losses, models
from aecourse.pretraining import start
from aecourse.training import evaluate, fit, one_cycle
from aecourse.variational import log_likelihood

FOLDER = data.FOLDER / "results"


class Recipe(NamedTuple):
    """How a result comes about."""

    build: object  # () -> model, with its first weights
    train: object  # (model, checkpoint) -> {name: number or list}; checkpoint(word) is a path for
    # `fit`, so that the training can be interrupted
    measure: object  # model -> {name: number}, on the test set


# ---- Hinton & Salakhutdinov 2006: 784-1000-500-250-30, test squared error 3.00 -----------------


def _hinton_model():
    return models.Autoencoder((1, 28, 28), (1000, 500, 250), 30, nn.GELU)


def _squared(model, x):
    return {"squared error": losses.squared_error(x, model(x))}


def _hinton_train(model, checkpoint):
    """The last 10,000 training images choose the number of epochs while the others train: 40, or
    where their cross-entropy was least, if it rises from there by more than half a nat. Then the
    model is trained for that many epochs on all of them."""
    x = data.load("mnist", "train").x
    settings = {"batch": 256, "lr": 3e-3, "schedule": one_cycle, "average": 0.998}
    settings |= {"loss": losses.bernoulli}
    trial, path = _hinton_model(), checkpoint("50000 images")
    for fresh in (trial, model):
        torch.manual_seed(0)
        start(fresh, x)
    print("40 epochs on 50,000 images; the other 10,000 choose when to stop:")
    first = fit(trial, x[:-10_000], valid=x[-10_000:], epochs=40, checkpoint=path, **settings)
    valid = first["valid reconstruction"]
    epochs = 40 if valid[-1] < min(valid) + 0.5 else 1 + valid.index(min(valid))
    print(f"{epochs} epochs on all 60,000 images:")
    path = checkpoint("60000 images")
    second = fit(model, x, epochs=epochs, checkpoint=path, **settings)
    return {
        "epochs": epochs,
        "validation squared error": evaluate(trial, x[-10_000:], _squared)["squared error"],
        "validation cross-entropy by epoch": valid,
        "training cross-entropy by epoch": second["reconstruction"],
        "seconds of choosing": first["seconds"][-1],
        "seconds of training": second["seconds"][-1],
    }


def _hinton_measure(model):
    error = evaluate(model, data.load("mnist", "test").x, _squared)["squared error"]
    return {"test squared error": error}


# ---- a VAE, beside Burda et al. 2016: 784-400-400-d, test log-likelihood -86.76 ----------------


def _vae_model(d):
    torch.manual_seed(0)
    return models.VAE((1, 28, 28), (400, 400), d, nn.GELU)


def _tossed(model, x):
    """Minus the ELBO, the grey pixels tossed anew to 0 or 1."""
    return losses.negative_elbo(model, torch.bernoulli(x))


def _tossed_test():
    """The 10,000 test images, tossed once."""
    torch.manual_seed(1)
    return torch.bernoulli(data.load("mnist", "test").x)


def _vae_train(epochs, samples=0):
    """Train for a fixed number of epochs; no image of the test set has a say in anything. Its first
    2,000 are measured after each epoch, for the record."""

    def train(model, checkpoint):
        x, test = data.load("mnist", "train").x, _tossed_test()
        settings = {"lr": 2e-3, "schedule": one_cycle, "average": 0.998, "valid": test[:2000]}
        history = fit(model, x, _tossed, epochs, checkpoint=checkpoint("60000 images"), **settings)
        numbers = {"epochs": epochs, "seconds of training": history["seconds"][-1]}
        for name in ("loss", "reconstruction", "kl", "valid reconstruction", "valid kl"):
            numbers[f"{name} by epoch"] = [round(value, 2) for value in history[name]]
        if samples:
            torch.manual_seed(3)
            log_p = log_likelihood(model.half().float(), test, samples)  # the weights as stored
            numbers[f"test log-likelihood, K = {samples}"] = log_p.mean().item()
        return numbers

    return train


def _vae_measure(model):
    """The ELBO of the tossed test set, a mean over ten samples of z an image."""
    torch.manual_seed(2)
    terms = [evaluate(model, _tossed_test(), losses.negative_elbo) for _ in range(10)]
    return {"test ELBO": -sum(sum(t.values()) for t in terms) / 10}


RECIPES = {
    "hinton": Recipe(_hinton_model, _hinton_train, _hinton_measure),
    "vae": Recipe(lambda: _vae_model(20), _vae_train(50, samples=500), _vae_measure),
    "vae2": Recipe(lambda: _vae_model(2), _vae_train(30), _vae_measure),
}


# ---- any recipe -------------------------------------------------------------------------------


def reproduce(name, folder=FOLDER):
    """Run a recipe, or go on with it, and store its numbers and weights in folder."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe = RECIPES[name]
    model = recipe.build()
    numbers = recipe.train(model, lambda word: folder / f"{name}, {word}.pt")
    file = io.BytesIO()
    np.savez_compressed(file, **{k: v.half().numpy() for k, v in model.state_dict().items()})
    (folder / f"{name}.npz").write_bytes(file.getvalue())
    _put(file.getvalue(), model)
    numbers |= recipe.measure(model) | {
        "seed": 0,
        "date": datetime.now(timezone.utc).date().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "machine": f"{platform.machine()}, {torch.get_num_threads()} thread",
        "sha256 of the weights": hashlib.sha256(file.getvalue()).hexdigest(),
    }
    (folder / f"{name}.json").write_text(json.dumps(numbers, indent=1) + "\n")
    for path in folder.glob(f"{name}, *.pt"):
        path.unlink()
    return numbers


def load(name, folder=FOLDER):
    """(model, numbers) of a stored result. Raises ValueError when the weights are damaged."""
    numbers = json.loads((folder / f"{name}.json").read_text())
    content = (folder / f"{name}.npz").read_bytes()
    if hashlib.sha256(content).hexdigest() != numbers["sha256 of the weights"]:
        raise ValueError(f"{name}.npz is not the file that {name}.json describes: restore both.")
    return _put(content, RECIPES[name].build()), numbers


def _put(content, model):
    """The model with the weights of an npz file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as weights:
        model.load_state_dict({k: torch.from_numpy(v).float() for k, v in weights.items()})
    return model


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in RECIPES:
        sys.exit(f"python -m aecourse.reproduce {' | '.join(RECIPES)}")
    print(json.dumps(reproduce(sys.argv[1]), indent=1))
