"""Filters of denoising autoencoders against the noise, beside Vincent et al. 2010."""

from functools import partial

import torch
from torch import nn

from aecourse import data, losses, models
from aecourse.recipes import BF16, SHAPE, test_error
from aecourse.training import fit, one_cycle

SETTINGS = {"epochs": 60, "batch": 250, "lr": 3e-3, "schedule": one_cycle, "bf16": BF16}
PERCENT = ("0", "10", "25", "50", "75")  # of the pixels that are erased


class SigmoidAutoencoder(models.LinearAutoencoder):
    """One layer of sigmoid units and tied weights: x_hat = sigmoid(W^T z + c)."""

    def __init__(self, shape, d):
        super().__init__(shape, d, tied=True)

    def encode(self, x):
        return super().encode(x).sigmoid()

    def logits(self, z):
        return super().decode(z)

    def decode(self, z):
        return self.logits(z).sigmoid()


def erased(x, percent):
    """Masking noise: each pixel becomes 0 with this chance."""
    return x * (torch.rand_like(x) >= percent / 100)


def build():
    """Five networks of 144 units with the same first weights: nets["25"].encoder.weight."""
    torch.manual_seed(0)
    first = SigmoidAutoencoder(SHAPE, 144)
    nets = {percent: SigmoidAutoencoder(SHAPE, 144) for percent in PERCENT}
    for net in nets.values():
        net.load_state_dict(first.state_dict())
    return nn.ModuleDict(nets)


def train_one(nets, percent, checkpoint):
    loss = partial(losses.denoising, corrupt=partial(erased, percent=int(percent)))
    x, path = data.load("mnist", "train").x, checkpoint(f"{percent} percent")
    return fit(nets[percent], x, loss, checkpoint=path, **SETTINGS)


def train(nets, checkpoint):
    records = [train_one(nets, percent, checkpoint) for percent in nets]
    seconds = sum(record["seconds"][-1] for record in records)
    return {"epochs": SETTINGS["epochs"], "seconds of training": seconds}


def measure(nets):
    """Errors of images that are given whole."""
    errors = {percent: test_error(net)["test squared error"] for percent, net in nets.items()}
    return {"test squared error": errors}
