"""A variational autoencoder that is told the class of each image."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from aecourse.models import Autoencoder, mlp


class ConditionalVAE(Autoencoder):
    """A VAE whose networks are told the class: behind the pixels and behind the code stands the
    label y (N,), a whole number from 0 to classes - 1, as a one-hot row.

    The code need not say what it is then, only how it is drawn. (Sohn, Lee & Yan 2015)
    """

    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__(shape, hidden, d, activation)
        self.classes = classes
        self.encoder = mlp([math.prod(shape) + classes, *hidden, 2 * d], activation)
        self.decoder = mlp([d + classes, *hidden[::-1], math.prod(shape)], activation)

    def posterior(self, x, y):
        """mu and logvar of q(z|x, y), each (N, d)."""
        rows = torch.cat([x.flatten(1), F.one_hot(y, self.classes)], 1)  # (N, D + classes)
        return self.encoder(rows).chunk(2, dim=1)

    def logits(self, z, y):
        rows = torch.cat([z, F.one_hot(y, self.classes)], 1)  # (N, d + classes)
        return self.decoder(rows).unflatten(1, self.shape)

    def decode(self, z, y):
        return self.logits(z, y).sigmoid()


class Given:
    """A conditional model with its label filled in: one for all images, or one for each, (N,).

    So it has the methods of every model, for losses, figures and sliders.
    """

    def __init__(self, model, y):
        self.model, self.y = model, torch.as_tensor(y)

    def posterior(self, x):
        return self.model.posterior(x, self.y.expand(len(x)))

    def encode(self, x):
        return self.posterior(x)[0]

    def logits(self, z):
        return self.model.logits(z, self.y.expand(len(z)))

    def decode(self, z):
        return self.model.decode(z, self.y.expand(len(z)))
