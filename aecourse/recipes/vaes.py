"""VAEs on tossed digits: 784-800-800-40 beside Burda et al. 2016, test log p(x) -86.76, and one
with two latent numbers.

Width and epochs of the first were chosen on 10,000 training images kept aside: 800 units and 100
epochs on the other 50,000 gave them an ELBO of -90.4, a net of 500 units had been 1.5 nats behind
after a quarter of its epochs.
"""

import torch
from torch import nn

from aecourse import data, losses, models
from aecourse.recipes import BF16, SHAPE, device
from aecourse.training import evaluate, fit, one_cycle
from aecourse.variational import log_likelihood


def build(d, width):
    torch.manual_seed(0)
    return models.VAE(SHAPE, (width, width), d, nn.GELU)


def loss(model, x, beta=1.0):
    """Minus the ELBO, its KL term weighted by beta, the grey pixels tossed anew to 0 or 1."""
    return losses.negative_elbo(model, torch.bernoulli(x), beta)


def tossed(part):
    """All images of a part, their grey pixels tossed once."""
    torch.manual_seed(1)
    return torch.bernoulli(data.load("mnist", part).x)


def train(epochs, samples=0):
    """Train for a fixed number of epochs; no image of the test set has a say in anything. Its first
    2,000 are measured after each epoch, for the record."""

    def train(model, checkpoint):
        x, test = data.load("mnist", "train").x, tossed("test")
        settings = {"lr": 2e-3, "schedule": one_cycle, "average": 0.998, "bf16": BF16}
        settings["valid"] = test[:2000]
        history = fit(model, x, loss, epochs, checkpoint=checkpoint("60000 images"), **settings)
        numbers = {"epochs": epochs, "seconds of training": history["seconds"][-1]}
        for name in ("loss", "reconstruction", "kl", "valid reconstruction", "valid kl"):
            numbers[f"{name} by epoch"] = [round(value, 2) for value in history[name]]
        if samples:
            torch.manual_seed(3)
            rounded = model.half().float()  # the weights as stored
            log_p = log_likelihood(rounded, test.to(device(model)), samples)
            numbers[f"test log-likelihood, K = {samples}"] = log_p.mean().item()
        return numbers

    return train


def measure(model):
    """The ELBO of the tossed test set, a mean over ten samples of z an image."""
    torch.manual_seed(2)
    terms = [evaluate(model, tossed("test"), losses.negative_elbo) for _ in range(10)]
    return {"test ELBO": -sum(sum(t.values()) for t in terms) / 10}
