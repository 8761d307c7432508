"""The speed table of the README:  .venv/bin/python tests/benchmarks/speed.py

    .venv/bin/python tests/benchmarks/speed.py ../before    # and the `fit` of another tree

One epoch of MNIST for the autoencoder 784-400-20-400-784 in batches of 128, on one thread: (z) the
bare matrix products of its steps, (fit) our training, also in bfloat16, (a) the loop that everybody
copies. They take turns in one process, so that a busy machine slows all of them; what counts is the
median ratio.
"""

import importlib
import io
import statistics
import sys
import time
from contextlib import redirect_stdout
from functools import partial

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import ToTensor

from aecourse import data, losses, models, training

ROUNDS, BATCH, SHAPE = 7, 128, (1, 28, 28)


class MNIST(datasets.MNIST):
    """torchvision's MNIST over our file: each 8-bit image becomes a PIL image becomes a tensor."""

    def __init__(self, x):
        self.data = (x * 255).round().byte().squeeze(1)
        self.targets = torch.zeros(len(x))
        self.transform, self.target_transform = ToTensor(), None


def model(models=models):
    torch.manual_seed(0)
    return models.Autoencoder(SHAPE, (400,), 20)


@torch.no_grad()
def products(x):
    """The matrix products of an epoch's steps, forwards and backwards, and nothing else."""
    weights = [p for p in model().parameters() if p.ndim == 2]  # each (n_out, n_in)
    for rows in x.flatten(1).split(BATCH):
        layers = [rows]
        for w in weights:
            layers.append(layers[-1] @ w.T)
        gradients = [layers[-1]]  # of the layers from the last to the first, then of the weights
        for w in weights[:0:-1]:
            gradients.append(gradients[-1] @ w)
        gradients += [g.T @ a for g, a in zip(gradients, layers[-2::-1], strict=True)]


def ours(x, training=training, losses=losses, models=models, **settings):
    trained = model(models)
    training.fit(trained, x, losses.bernoulli, epochs=1, batch=BATCH, **settings)
    return trained


def of_tree(folder):
    """The modules of `ours` from the package in another folder, imported beside this one's."""
    here = {name: m for name, m in sys.modules.items() if name.split(".")[0] == "aecourse"}
    for name in here:
        del sys.modules[name]
    sys.path.insert(0, folder)
    names = ("training", "losses", "models")
    theirs = {name: importlib.import_module(f"aecourse.{name}") for name in names}
    sys.path.remove(folder)
    sys.modules.update(here)
    if theirs["training"].__file__ == training.__file__:
        sys.exit(f"There is no package aecourse in {folder}.")
    return theirs


def everybody(x):
    trained = model()
    optimizer = torch.optim.Adam(trained.parameters(), lr=1e-3)
    loader = DataLoader(MNIST(x), batch_size=BATCH, shuffle=True)
    total = 0
    for images, _ in loader:
        optimizer.zero_grad()
        x_hat = trained(images)
        loss = F.binary_cross_entropy(x_hat, images, reduction="sum") / len(images)
        loss.backward()
        total += loss.item()
        optimizer.step()
    return trained


def main():
    torch.set_num_threads(1)
    train, test = data.load("mnist", "train").x, data.load("mnist", "test").x
    ways = {"(z)": products, "fit": ours, "bf16": partial(ours, bf16=True), "(a)": everybody}
    ways |= {"before": partial(ours, **of_tree(sys.argv[1]))} if len(sys.argv) > 1 else {}
    seconds, loss = {name: [] for name in ways}, {}
    for round_ in range(ROUNDS + 1):  # the first is a warm-up: imports, caches
        for name, way in ways.items():
            start = time.perf_counter()
            with redirect_stdout(io.StringIO()):
                trained = way(train if round_ else train[:5000])
            seconds[name].append(time.perf_counter() - start)
            if trained and round_:
                loss[name] = training.evaluate(trained, test, losses.bernoulli)["reconstruction"]
        print(f"round {round_} of {ROUNDS}", file=sys.stderr)
    rows = {
        "(z)": "the bare matrix products of the same steps",
        "fit": "`aecourse.training.fit`, with progress bar and history",
        "bf16": "`fit(..., bf16=True)`",
        "(a)": "the loop everybody copies: `DataLoader`, `ToTensor`, plain Adam, `.item()`",
        "before": "`fit` of the other working tree",
    }
    print("| one epoch of MNIST, 784-400-20, one thread | seconds | x products | test loss |")
    print("| --- | --- | --- | --- |")
    for name in ways:
        s = statistics.median(seconds[name][1:])
        ratios = [a / z for a, z in zip(seconds[name][1:], seconds["(z)"][1:], strict=True)]
        value = f"{loss[name]:.1f}" if name in loss else ""
        print(f"| {rows[name]} | {s:.1f} | {statistics.median(ratios):.2f} | {value} |")
    for name in [*ways][2:]:  # all but the products and fit itself
        gains = [a / f for a, f in zip(seconds[name][1:], seconds["fit"][1:], strict=True)]
        print(f"\nfit is {statistics.median(gains):.2f} times as fast as {name}.")


if __name__ == "__main__":
    main()
