"""How long an ordinary network with one code number takes to remember n digits."""

import torch
from torch import nn

from aecourse import data, models
from aecourse.recipes import error, squared
from aecourse.training import fit, one_cycle

STEPS = 100_000
SIZES = ("16", "64", "256")  # digits to remember


def digits(n):
    """The first n training digits of 14 x 14 pixels: (n, 1, 14, 14)."""
    return nn.functional.avg_pool2d(data.load("mnist", "train", n=n).x, 2)


def build():
    """Three networks 196-128-64-1-64-128-196 with the same first weights: nets["16"]."""
    nets = {}
    for n in SIZES:
        torch.manual_seed(0)
        nets[n] = models.Autoencoder((1, 14, 14), (128, 64), 1, nn.GELU, nn.Identity)
    return nn.ModuleDict(nets)


def train(nets, checkpoint):
    """Each step sees all n digits. The errors are stored at steps 1, 2, 3, ... 100,000, sixty of
    them at equal ratios. A training of minutes keeps no checkpoint."""
    kept = sorted({round(STEPS ** (k / 59)) for k in range(60)})
    found, seconds = {}, 0
    for n, net in nets.items():
        x = digits(int(n))
        history = fit(net, x, squared, STEPS, batch=int(n), lr=2e-3, schedule=one_cycle)
        found[n] = [round(history["squared error"][step - 1], 4) for step in kept]
        seconds += history["seconds"][-1]
    return {"steps": kept, "error after so many steps": found, "seconds of training": seconds}


def measure(nets):
    """Errors on the digits that were to be remembered."""
    return {"squared error in the end": {n: error(nets[n], digits(int(n))) for n in nets}}
