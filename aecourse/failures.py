"""Six ways to break an autoencoder, and the signs by which each is known.

The networks are those of notebook 06, ours, trained for some seconds on digits: so the signs are
the same whatever a learner has written.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from aecourse import losses
from aecourse.exercises import notebook_06 as healthy

EPOCHS, BATCH, RATE = 5, 64, 4e-3


def straight_encoder(shape, d):
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 64), nn.Linear(64, d))


def straight_decoder(shape, d):
    layers = nn.Linear(d, 64), nn.Linear(64, math.prod(shape))
    return nn.Sequential(*layers, nn.Unflatten(1, shape))


def forgetful(model, x, loss, optimizer):
    total = sum(loss(model, x).values())
    total.backward()
    optimizer.step()
    return total.item()


def twice(model, x):
    return {"reconstruction": losses.bernoulli_nll(x, model(x))}  # model(x) are pixels


def too_bright(model, x):
    logits = model.logits(model.encode(x))  # losses.bernoulli_nll would refuse 255 * x
    nats = F.binary_cross_entropy_with_logits(logits, 255 * x, reduction="sum")
    return {"reconstruction": nats / len(x)}


class Signs(NamedTuple):
    """What can be seen of a patient, in numbers."""

    first: float  # the mean loss of the first epoch, nats an image
    last: float  # and of the last
    mean_image: float  # the loss of the mean image
    grey: float  # the loss of grey pixels, log 2 a pixel
    d: int  # numbers in a code
    spread: float  # their standard deviation over the images, averaged over the d
    plane: float  # share of the pictures' variance in two principal components; 0 if all are alike


class Failure(NamedTuple):
    change: dict  # what of a training is changed
    line: str  # the line of code that is to blame
    sign: str  # how one knows it
    seen: str  # how the same looks in this patient, filled in with its signs
    shows: Callable  # whether a patient shows it: a function of its signs


FAILURES = {
    "learning rate too large": Failure(
        {"rate": 250 * RATE},
        "train(model, x, bernoulli, train_step, epochs, batch, lr=1.0)",
        "the loss of the first epoch is above a million",
        "the loss of the first epoch is {first:.4g}",
        lambda s: s.first > 1e6,
    ),
    "no nonlinearity": Failure(
        {"encoder": straight_encoder, "decoder": straight_decoder},
        "nn.Linear(math.prod(shape), 64), nn.Linear(64, d)",
        "the loss falls below that of the mean image, and the pictures lie near a plane: two "
        "principal components hold more than 85 % of their variance",
        "the loss ends at {last:.4g}, and two components hold {plane:.0%}",
        lambda s: s.d > 1 and 0 < s.last < s.mean_image and s.plane > 0.85,
    ),
    "code of one number": Failure(
        {"d": 1},
        "EncoderDecoder(encoder(shape, 1), decoder(shape, 1))",
        "a code is one number, so that all lie on a level line of the map",
        "the codes have {d} numbers",
        lambda s: s.d == 1,
    ),
    "zero_grad forgotten": Failure(
        {"step": forgetful},
        "total.backward(); optimizer.step()",
        "all codes are equal, and the loss never was above a million",
        "the spread of the codes is {spread:.3g}, and the first loss {first:.4g}",
        lambda s: s.spread < 1e-3 and abs(s.first) < 1e6,
    ),
    "sigmoid twice": Failure(
        {"loss": twice},
        "F.binary_cross_entropy_with_logits(model(x), x, ...)",
        "the loss stays near that of plain grey, log 2 a pixel, from first to last",
        "the loss goes from {first:.4g} to {last:.4g}, and plain grey costs {grey:.4g}",
        lambda s: all(abs(loss / s.grey - 1) < 0.05 for loss in (s.first, s.last)),
    ),
    "pixels of 0 to 255": Failure(
        {"loss": too_bright},
        "F.binary_cross_entropy_with_logits(logits, 255 * x, ...)",
        "the loss is negative",
        "the loss ends at {last:.4g}",
        lambda s: s.last < 0,
    ),
}


def rule(signs):
    """The names of the failures whose sign a patient shows: of each of the six, its own alone."""
    return [name for name, failure in FAILURES.items() if failure.shows(signs)]


class Patient:
    """An autoencoder that has been trained on x, healthy or with one failure."""

    def __init__(self, x, name=None):
        self.name = name
        change = {"encoder": healthy.encoder, "decoder": healthy.decoder, "d": 2, "rate": RATE}
        change |= {"loss": losses.bernoulli, "step": healthy.train_step}
        change |= FAILURES[name].change if name else {}
        shape, d = tuple(x.shape[1:]), change["d"]
        parts = change["encoder"](shape, d), change["decoder"](shape, d)
        self.model = healthy.EncoderDecoder(*parts)
        given = change["loss"], change["step"], EPOCHS, BATCH, change["rate"]
        self.losses = healthy.train(self.model, x, *given)
        self.model.eval()
        with torch.no_grad():
            self.z, self.pictures = self.model.encode(x), self.model(x)
        self.signs = self._signs(x)

    def _signs(self, x):
        flat = self.pictures.flatten(1)
        variances = torch.linalg.svdvals(flat - flat.mean(0)).square()
        guess = x.mean(0, keepdim=True).logit(eps=1e-6).expand_as(x)
        alike = variances.sum() < 1e-3 * (x - x.mean(0)).square().sum()
        return Signs(
            first=self.losses[0],
            last=self.losses[-1],
            mean_image=float(losses.bernoulli_nll(x, guess)),
            grey=x[0].numel() * math.log(2),
            d=self.z.shape[1],
            spread=float(self.z.std(0).mean()),
            plane=0.0 if alike else float(variances[:2].sum() / variances.sum()),
        )
