"""Small VAEs, 784-100-d: rate and distortion for each weight of the KL term, and ELBO against
epochs for each number of latent numbers (Kingma & Welling 2014, figure 2), on 1,000 digits."""

from copy import deepcopy
from fractions import Fraction
from functools import partial

import torch
from torch import nn

from aecourse import data, losses, models
from aecourse.recipes import BF16, SHAPE, device
from aecourse.recipes.vaes import loss, tossed
from aecourse.training import evaluate, fit, one_cycle
from aecourse.variational import active_units

# the weight of the KL term; with 784 the reconstruction is a mean over pixels, the KL a sum
BETAS = ("1/10", "1/3", "1", "3", "10", "784")
HALVES = ("1", "10")  # trained for half the epochs too, to see whether more would matter
SETTINGS = {"batch": 128, "lr": 3e-3, "schedule": one_cycle, "average": 0.998, "bf16": BF16}
EPOCHS = 40

LATENTS = ("20", "200")
# a constant rate: each epoch could be the last
LONG = {"epochs": 200, "batch": 50, "lr": 2e-3, "bf16": BF16}


def build_one(d):
    torch.manual_seed(0)
    return models.VAE(SHAPE, (100,), d, nn.GELU)


def build():
    return nn.ModuleDict({name: build_one(20) for name in BETAS})


def train_one(net, name, epochs, checkpoint):
    """Returns the seconds that it took."""
    x, weighted = data.load("mnist", "train").x, partial(loss, beta=float(Fraction(name)))
    path = checkpoint(f"beta {name.replace('/', ' by ')}, {epochs} epochs")
    return fit(net, x, weighted, epochs, checkpoint=path, **SETTINGS)["seconds"][-1]


def train(nets, checkpoint):
    half = nn.ModuleDict({name: deepcopy(nets[name]) for name in HALVES})
    seconds = sum(train_one(net, name, EPOCHS // 2, checkpoint) for name, net in half.items())
    seconds += sum(train_one(net, name, EPOCHS, checkpoint) for name, net in nets.items())
    found = {f"{what}, half the epochs": value for what, value in measure(half).items()}
    return {"epochs": EPOCHS, "seconds of training": seconds} | found


@torch.no_grad()
def measure(nets):
    """Rate, which is the KL term, and distortion in nats a test image, and the active units."""
    x, found = tossed("test"), {"test rate": {}, "test distortion": {}, "active units": {}}
    x = x.to(device(nets))
    for name, model in nets.items():
        torch.manual_seed(2)
        terms = evaluate(model, x, losses.negative_elbo)
        found["test rate"][name] = round(terms["kl"], 3)
        found["test distortion"][name] = round(terms["reconstruction"], 3)
        found["active units"][name] = active_units(model.encode(x)).sum().item()
    return found


def build_latents():
    return nn.ModuleDict({d: build_one(int(d)) for d in LATENTS})


def train_latents(nets, checkpoint):
    """A thousand digits, long; then once more, up to the epoch that is best on 1,000 others of the
    training set: these weights are stored."""
    x, seconds, found = tossed("train"), 0, {"epochs": LONG["epochs"]}
    few, aside = x[:1000], x[1000:2000]
    for d, model in nets.items():
        longest = deepcopy(model)
        path = checkpoint(f"{d} latent numbers")
        record = fit(longest, few, losses.negative_elbo, valid=aside, checkpoint=path, **LONG)
        seconds += record["seconds"][-1]
        pairs = zip(record["valid reconstruction"], record["valid kl"], strict=True)
        curves = {"train": [-v for v in record["loss"]], "aside": [-r - k for r, k in pairs]}
        best = 1 + max(range(LONG["epochs"]), key=curves["aside"].__getitem__)
        fit(model, few, losses.negative_elbo, **LONG | {"epochs": best})
        found.setdefault("best epoch", {})[d] = best
        found.setdefault("train ELBO at the end", {})[d] = elbo(longest, few)
        found.setdefault("test ELBO at the end", {})[d] = elbo(longest, tossed("test"))
        for part, curve in curves.items():
            found.setdefault(f"{part} ELBO by epoch", {})[d] = [round(v, 2) for v in curve]
    return found | {"seconds of training": seconds}


def elbo(model, x):
    """In nats an image, from one code each."""
    torch.manual_seed(2)
    return -sum(evaluate(model, x, losses.negative_elbo).values())


def measure_latents(nets):
    x = tossed("test")
    return {"test ELBO at the best epoch": {d: elbo(net, x) for d, net in nets.items()}}
