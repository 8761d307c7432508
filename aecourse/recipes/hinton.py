"""Hinton & Salakhutdinov 2006: 784-1000-500-250-30, test squared error 3.00."""

import torch
from torch import nn

from aecourse import data, losses, models
from aecourse.pretraining import pretrain_rbm, start
from aecourse.recipes import BF16, SHAPE, device, error, test_error
from aecourse.training import fit, one_cycle

TODAY = {"loss": losses.bernoulli, "batch": 256, "lr": 3e-3, "schedule": one_cycle}
TODAY |= {"average": 0.998, "bf16": BF16}
FINE_TUNING = {"loss": losses.bernoulli, "epochs": 200, "batch": 250, "lr": 2e-3}
FINE_TUNING |= {"schedule": one_cycle, "average": 0.998, "bf16": BF16}


def build(unit=nn.GELU):
    return models.Autoencoder(SHAPE, (1000, 500, 250), 30, unit)


def _both(model, seed, choose, checkpoint):
    """Train on 50,000 images, let the other 10,000 choose the number of epochs, at most 40, by
    `choose`, and train the model for as many on all of them. Returns both histories, and the
    squared error on the 10,000."""
    x = data.load("mnist", "train").x
    trial, kept = build().to(device(model)), x[-10_000:]
    for fresh in (trial, model):
        torch.manual_seed(seed)
        start(fresh, x)
    path = checkpoint("50000 images")
    first = fit(trial, x[:-10_000], epochs=40, valid=kept, seed=seed, checkpoint=path, **TODAY)
    epochs, path = choose(first["valid reconstruction"]), checkpoint("60000 images")
    second = fit(model, x, epochs=epochs, seed=seed, checkpoint=path, **TODAY)
    return first, second, error(trial, kept)


def _least(valid):
    """The number of epochs after which the cross-entropy was least."""
    return 1 + valid.index(min(valid))


def _forty(valid):
    """40 epochs, or where the cross-entropy was least if it rises by half a nat from there."""
    return 40 if valid[-1] < min(valid) + 0.5 else _least(valid)


def train(model, checkpoint):
    first, second, kept = _both(model, 0, _forty, checkpoint)
    return {
        "epochs": len(second["epoch"]),
        "validation squared error": kept,
        "validation cross-entropy by epoch": first["valid reconstruction"],
        "training cross-entropy by epoch": second["reconstruction"],
        "seconds of choosing": first["seconds"][-1],
        "seconds of training": second["seconds"][-1],
    }


# ---- the same under a rule that was fixed before the runs --------------------------------------


def clean_row(model, seed, checkpoint):
    """Another seed, and as many epochs as make the cross-entropy on the images kept aside least."""

    def of_seed(word):
        return checkpoint(f"seed {seed}, {word}")

    first, second, kept = _both(model, seed, _least, of_seed)
    row = {"epochs": len(second["epoch"]), "kept-aside squared error": kept} | test_error(model)
    return row | {"seconds": first["seconds"][-1] + second["seconds"][-1]}


def clean_train(model, checkpoint):
    """Three seeds, all shown; the weights of the first are kept."""
    nets = {1: model, 2: build().to(device(model)), 3: build().to(device(model))}
    rows = {f"seed {seed}": clean_row(net, seed, checkpoint) for seed, net in nets.items()}
    seconds = sum(row["seconds"] for row in rows.values())
    return {"seed": [1, 2, 3], "rows": rows, "seconds of training": seconds}


# ---- their own way: RBMs, sigmoid units, fine-tuning -------------------------------------------


def build_sigmoid():
    torch.manual_seed(0)
    return build(nn.Sigmoid)


def from_random(model, checkpoint):
    """The 200 epochs of fine-tuning without the pretraining."""
    net = build_sigmoid().to(device(model))
    path = checkpoint("random weights")
    fit(net, data.load("mnist", "train").x, checkpoint=path, **FINE_TUNING)
    return test_error(net)["test squared error"]


def fine_tuned(model, checkpoint):
    """50 epochs of CD-1 a level, 200 of fine-tuning, as in the paper; but both by Adam, where they
    had momentum and conjugate gradients."""
    x, path = data.load("mnist", "train").x, checkpoint("RBM")
    rbms = pretrain_rbm(model, x, epochs=50, batch=250, lr=2e-3, checkpoint=path)
    pretrained, path = test_error(model)["test squared error"], checkpoint("fine-tuning")
    record = fit(model, x, checkpoint=path, **FINE_TUNING)
    return {
        "test squared error, pretrained only": pretrained,
        "training cross-entropy by epoch": record["reconstruction"],
        "seconds of pretraining": sum(rbm["seconds"][-1] for rbm in rbms),
        "seconds of training": record["seconds"][-1],
    }


def rbm_train(model, checkpoint):
    random = from_random(model, checkpoint)
    name = "test squared error, fine-tuned from random weights"
    return fine_tuned(model, checkpoint) | {name: random}
