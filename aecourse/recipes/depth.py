"""Error against depth at equal size, which half of the network buys what, and error against the
length of the code."""

from itertools import pairwise

import torch
from torch import nn

from aecourse import data, losses, models
from aecourse.pretraining import start
from aecourse.recipes import BF16, SHAPE, device, error
from aecourse.training import fit, one_cycle

BUDGET = 200_000  # weights and biases of a network, at most
SETTINGS = {"loss": losses.bernoulli, "batch": 250, "lr": 5e-3, "schedule": one_cycle}
SETTINGS |= {"average": 0.998, "bf16": BF16}
RUNS = {"seed 0": (0, 30), "seed 0, half the epochs": (0, 15), "seed 1": (1, 30)}

# "2+1, 30": two hidden layers before a code of 30 numbers, one behind it
DEPTHS = ["0+0, 30"] + [f"{a}+{b}, 30" for n in (1, 2, 4) for a, b in ((n, n), (n, 0), (0, n))]
CODES = [f"{n}+{n}, {d}" for d in (2, 4, 8, 16) for n in (0, 2)]


def build(name):
    """The network of that name. All its hidden layers have one width, the largest in the budget."""
    encoder, decoder, d = (int(number) for number in name.replace("+", ",").split(","))

    def sizes(width):
        return [784, *[width] * encoder, d], [d, *[width] * decoder, 784]

    def size(width):
        return sum((a + 1) * b for half in sizes(width) for a, b in pairwise(half))

    width = max(w for w in range(1, 1000) if size(w) <= BUDGET) if encoder + decoder else 0
    model = models.Autoencoder(SHAPE, (), d)
    model.encoder, model.decoder = (models.mlp(half, nn.GELU) for half in sizes(width))
    return model


def build_all(names):
    return nn.ModuleDict({name: build(name) for name in names})


def train_one(net, name, run, checkpoint):
    """Returns the history. run is a name in RUNS."""
    x, (seed, epochs) = data.load("mnist", "train").x, RUNS[run]
    torch.manual_seed(seed)
    start(net, x)
    path = checkpoint(f"{name}, {run}")
    return fit(net, x, epochs=epochs, seed=seed, checkpoint=path, **SETTINGS)


def train(nets, checkpoint):
    """Two seeds, and the first also for half the epochs, to see whether more would matter."""
    found, seconds = {}, 0
    for run in RUNS:
        for name in nets:
            net = nets[name] if run == "seed 0" else build(name).to(device(nets))
            seconds += train_one(net, name, run, checkpoint)["seconds"][-1]
            for part in ("train", "test"):
                value = error(net, data.load("mnist", part).x)
                found.setdefault(f"{part} squared error, {run}", {})[name] = value
    sizes = {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}
    return found | {"sizes": sizes, "seconds of training": seconds}


def measure(nets):
    x = data.load("mnist", "test").x
    return {"test squared error, seed 0": {name: error(net, x) for name, net in nets.items()}}
