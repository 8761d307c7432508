"""Starting values for a deep autoencoder: drawn at random, or learnt from one shallow model after
the other.

A level of an Autoencoder is a layer of its encoder and the layer of its decoder that undoes it.
`pretrain` trains each level as an autoencoder of its own, `pretrain_rbm` each as a restricted
Boltzmann machine; both on the codes of the levels below, in place, by `fit`.
"""

import math
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from aecourse.losses import bernoulli_nll, squared_error
from aecourse.shapes import guard
from aecourse.training import fit


def he(noise):
    """First weights of a ReLU layer from standard normal noise (n_out, n_in): variance 2 / n_in, so
    that the layer keeps the mean square of what comes in. (He et al. 2015)
    """
    return noise * math.sqrt(2 / noise.shape[1])


@torch.no_grad()
def start(model, x):
    """The start that made pretraining needless, in place: `he` for all weights of an Autoencoder,
    no biases, except the last, by which it begins near the mean of the images x (N, *shape).
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    for layer in layers:
        layer.weight.copy_(he(torch.randn_like(layer.weight)))
        layer.bias.zero_()
    mean = x.mean(0).flatten()
    sigmoid = isinstance(model.output, nn.Sigmoid)
    layers[-1].bias.copy_(mean.clamp(0.001, 0.999).logit() if sigmoid else mean)


class Level(nn.Module):
    """Level k of a deep autoencoder as an autoencoder of one layer each way. The layers are the
    deep model's own, so that to train the level is to train them.

    x (N, *shape) are images for k = 0, else codes of level k - 1; z (N, size of the layer).
    """

    def __init__(self, model, k):
        super().__init__()
        self.encoder = model.encoder[2 * k : 2 * k + 2]  # Linear and activation; no activation last
        self.decoder = model.decoder[-1 - 2 * k]  # Linear
        self.activation = model.encoder[2 * k - 1] if k else model.output  # where x comes from
        self.shape = (self.decoder.out_features,) if k else model.shape

    def encode(self, x):
        return self.encoder(x.flatten(1))

    def logits(self, z):
        return self.decoder(z).unflatten(1, self.shape)

    def decode(self, z):
        return self.activation(self.logits(z))

    def forward(self, x):
        return self.decode(self.encode(x))


def levels(model):
    """The levels of an Autoencoder, from the pixels to the code."""
    return [Level(model, k) for k in range((len(model.encoder) + 1) // 2)]


def level_loss(level, x, corrupt=None):
    """Cross-entropy where x are pixels or codes of sigmoid units, which lie in [0, 1]; else squared
    error, before the activation: behind a ReLU, units that are off would not learn.
    With corrupt, x is rebuilt from corrupt(x). (Vincent et al. 2010, section 2.2)
    """
    z = level.encode(corrupt(x) if corrupt else x)
    if isinstance(level.activation, nn.Sigmoid):
        return {"reconstruction": bernoulli_nll(x, level.logits(z))}
    return {"reconstruction": squared_error(x, level.logits(z))}


def pretrain(model, x, corrupt=None, **settings):
    """Train the levels of an Autoencoder one after the other, each on the codes of those below.

    x (N, *shape) in [0, 1]. corrupt is a function of images, and of codes (N, d), that adds noise:
    a stack of denoising autoencoders (Vincent et al. 2010); only the level in training sees noise.
    settings go to `fit`: epochs, batch, lr, ... Returns the history of each level.
    Source: Bengio et al. 2007; Ballard 1987.
    """
    histories = []
    loss = partial(level_loss, corrupt=corrupt)
    for k, level in enumerate(levels(model)):
        histories.append(fit(level, x, loss, **_settings_of(k, settings)))
        x = _codes(level, x)
    return histories


class RBM(nn.Module):
    """A restricted Boltzmann machine: D visible units in [0, 1] and d hidden ones, either binary
    or, with linear=True, real with variance 1. Its energy for binary units is
    E(v, h) = - c^T v - b^T h - h^T W v, with W (d, D).

    encode(v) is the mean of h given v, decode(h) that of v given h, in [0, 1]. (Hinton 2002)
    """

    def __init__(self, shape, d, linear=False):
        super().__init__()
        self.shape, self.linear = tuple(shape), linear
        self.weight = nn.Parameter(0.01 * torch.randn(d, math.prod(shape)))  # W
        self.hidden_bias = nn.Parameter(torch.zeros(d))  # b
        self.visible_bias = nn.Parameter(torch.zeros(math.prod(shape)))  # c

    def inputs(self, v):
        """What the hidden units receive, (N, d)."""
        return v.flatten(1) @ self.weight.T + self.hidden_bias

    def encode(self, v):
        return self.inputs(v) if self.linear else self.inputs(v).sigmoid()

    def sample(self, v):
        """h drawn from p(h|v), (N, d)."""
        h = self.encode(v)
        return h + torch.randn_like(h) if self.linear else torch.bernoulli(h)

    def decode(self, h):
        return (h @ self.weight + self.visible_bias).sigmoid().unflatten(1, self.shape)

    def forward(self, v):
        return self.decode(self.encode(v))

    def free_energy(self, v):
        """F(v) = -log of the sum over all h of exp(-E(v, h)), (N,): p(v) is exp(-F(v)) / Z."""
        a = self.inputs(v)
        hidden = a.square() / 2 if self.linear else F.softplus(a)
        return -v.flatten(1) @ self.visible_bias - hidden.sum(1)


def cd1(w, b, c, v, u):
    """Changes of w, b, c by contrastive divergence with one step of Gibbs sampling, for binary h.

    w (d, D), b (d,) and c (D,) as in `RBM`; v (N, D) in [0, 1]; u (N, d) uniform noise: h is 1
    where u is below its probability. The changes, of the shapes of w, b and c, are averaged over
    the batch and are to be added, times a step size. (Hinton 2002; Hinton & Salakhutdinov 2006)
    """
    h = (v @ w.T + b).sigmoid()  # (N, d)
    v_hat = ((u < h).to(v) @ w + c).sigmoid()  # (N, D)
    h_hat = (v_hat @ w.T + b).sigmoid()
    dw = (h.T @ v - h_hat.T @ v_hat) / len(v)
    return dw, (h - h_hat).mean(0), (v - v_hat).mean(0)


def contrastive_divergence(rbm, v):
    """A loss whose gradient is minus the changes of `cd1`: the free energy of the data less that of
    what the RBM makes of them in one step. It measures nothing itself, and may have either sign.
    """
    with torch.no_grad():
        v_hat = rbm.decode(rbm.sample(v))
    return {"free energy gap": rbm.free_energy(v).mean() - rbm.free_energy(v_hat).mean()}


def pretrain_rbm(model, x, **settings):
    """Train an RBM for each level of an Autoencoder of sigmoid units, each on the codes of those
    below, and copy it: W and b into the encoder, W^T and c into the decoder.

    x (N, *shape) in [0, 1]. settings go to `fit`: epochs, batch, lr, ... Returns the history of
    each RBM. Raises ValueError for units that are not sigmoid. (Hinton & Salakhutdinov 2006)
    """
    histories = []
    for k, level in enumerate(levels(model)):
        if not isinstance(level.activation, nn.Sigmoid):
            kind = type(level.activation).__name__
            raise ValueError(f"RBMs start sigmoid units, these are {kind}: use pretrain(model, x).")
        layer = level.encoder[0]
        rbm = RBM(level.shape, layer.out_features, linear=len(level.encoder) == 1).to(layer.weight)
        histories.append(fit(rbm, x, contrastive_divergence, **_settings_of(k, settings)))
        with torch.no_grad():
            layer.weight.copy_(rbm.weight)
            layer.bias.copy_(rbm.hidden_bias)
            level.decoder.weight.copy_(rbm.weight.T)
            level.decoder.bias.copy_(rbm.visible_bias)
        x = _codes(level, x)
    return histories


def _settings_of(k, settings):
    """The settings with a checkpoint for level k alone."""
    path = settings.get("checkpoint")
    return settings | {"checkpoint": path and f"{path}, level {k}"}


@torch.no_grad()
def _codes(level, x):
    """Codes (N, d) of all x, in batches, on the device of the level."""
    return torch.cat([level.encode(rows.to(level.decoder.weight)) for rows in x.split(1000)])


guard(globals(), noise="d D", b="d", c="D", v="N D", u="N d")
