"""Models: `encode(x) -> z`, `decode(z) -> x_hat`, and `model(x) == decode(encode(x))`.

x is a batch of shape (N, *shape), z one of shape (N, d). The sizes come from the argument `shape`,
(1, 28, 28) for MNIST. A model whose x_hat are probabilities also has `logits(z)`, the numbers
before the sigmoid, for the losses that are exact and fast on them.
"""

import math
from itertools import pairwise

import torch
from torch import nn

from aecourse.inputs import examples
from aecourse.shapes import guard


def pca(x, d):
    """Mean, first d principal components, and the variance along each, by an exact SVD.

    x (N, *shape). Returns mean (D,), axes (d, D) as orthonormal rows in order of falling variance,
    variances (d,), the eigenvalues of the covariance with 1/N. The sign of an axis is arbitrary.
    Raises ValueError when d is not between 1 and min(N, D).
    Source: Pearson 1901; Eckart & Young 1936.
    """
    flat = x.flatten(1)  # (N, D)
    if not 1 <= d <= min(flat.shape):
        raise ValueError(f"d = {d}, but {tuple(flat.shape)} data have 1 to {min(flat.shape)} axes.")
    mean = flat.mean(0)
    _, s, axes = torch.linalg.svd(flat - mean, full_matrices=False)  # axes (min(N, D), D)
    return mean, axes[:d], s[:d] ** 2 / len(flat)


class PCA(nn.Module):
    """Principal component analysis as a model: codes are coordinates along the first d axes.

    Fitted to x (N, *shape) when it is built. x_hat may leave [0, 1] a little.
    """

    def __init__(self, x, d):
        super().__init__()
        x = examples(x)
        self.shape = tuple(x.shape[1:])
        mean, axes, variances = pca(x, d)
        self.register_buffer("mean", mean)
        self.register_buffer("axes", axes)
        self.register_buffer("variances", variances)

    def encode(self, x):
        return (x.flatten(1) - self.mean) @ self.axes.T  # (N, d)

    def decode(self, z):
        return (z @ self.axes + self.mean).unflatten(1, self.shape)

    def forward(self, x):
        return self.decode(self.encode(x))


def recover_axes(decoder_weight):
    """Principal axes (d, D) from the weight (D, d) of a trained linear decoder: its left singular
    vectors, in order of falling singular values.

    True only if the autoencoder was trained with L2 on both layers (Plaut 2018; Kunin et al. 2019).
    """
    u, _, _ = torch.linalg.svd(decoder_weight, full_matrices=False)  # (D, d)
    return u.T


def optimal_weights(x, d, lam=0.0):
    """Encoder (d, D) and decoder (D, d) weights at a global minimum of a linear autoencoder's loss,
    squared_error + lam * (sum of squared weights), lam >= 0.

    An axis of variance v is scaled by sqrt(1 - lam / v), to 0 if v < lam. (Kunin et al. 2019)
    """
    if lam < 0:
        raise ValueError(f"lam = {lam}: a penalty is 0 or more.")
    _, axes, variances = pca(x, d)
    kept = (1 - lam / variances).clamp(min=0) if lam else torch.ones_like(variances)
    encoder = kept.sqrt()[:, None] * axes
    return encoder, encoder.T


def linear_decoding(z, x):
    """The reconstructions (N, *shape) of x by the best linear decoder of the codes z (N, d), with a
    bias: least squares. Their error is at least that of PCA with d axes, whatever the codes.
    """
    z = torch.cat([z, torch.ones_like(z[:, :1])], 1)  # (N, d + 1)
    weight = torch.linalg.lstsq(z, x.flatten(1)).solution  # (d + 1, D)
    return (z @ weight).view_as(x)


class LinearAutoencoder(nn.Module):
    """One linear layer to d numbers and one back, each with a bias; x_hat may leave [0, 1].

    tied=True uses one matrix for both, decode(z) = W^T z + c. (Baldi & Hornik 1989)
    """

    def __init__(self, shape, d, tied=False):
        super().__init__()
        self.shape = tuple(shape)
        self.encoder = nn.Linear(math.prod(shape), d)  # weight (d, D)
        self.decoder = nn.Linear(d, math.prod(shape))  # weight (D, d)
        if tied:
            self.decoder.weight = None
        else:  # equally small weights in both layers learn at the same pace
            self.decoder.weight.data.copy_(self.encoder.weight.data.T)

    def encode(self, x):
        return self.encoder(x.flatten(1))  # (N, d)

    def decode(self, z):
        weight = self.encoder.weight.T if self.decoder.weight is None else self.decoder.weight
        return (z @ weight.T + self.decoder.bias).unflatten(1, self.shape)

    def forward(self, x):
        return self.decode(self.encode(x))


def mlp(sizes, activation=nn.ReLU):
    """Linear layers from sizes[0] to sizes[-1] with an activation between any two of them."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """An encoder of fully connected layers, and the same layers in reverse as decoder.

    hidden=(256, 64) gives D-256-64-d-64-256-D. x_hat lies in [0, 1]; output=nn.Identity is for
    tables, series and other x that do not.
    """

    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__()
        self.shape = tuple(shape)
        sizes = [math.prod(shape), *hidden, d]
        self.encoder = mlp(sizes, activation)
        self.decoder = mlp(sizes[::-1], activation)
        self.output = output()

    def encode(self, x):
        return self.encoder(x.flatten(1))  # (N, d)

    def logits(self, z):
        return self.decoder(z).unflatten(1, self.shape)  # (N, *shape)

    def decode(self, z):
        return self.output(self.logits(z))

    def forward(self, x):
        return self.decode(self.encode(x))


def through_points(t, y):
    """Output weights c (n - 1, D) of the network y[0] + relu(s - t[:-1]) @ c, of one input s and
    n - 1 ReLUs, that goes in straight lines through n points y (n, D) at t (n,), which must rise.
    """
    if len(t) < 2 or not (t.diff() > 0).all():
        raise ValueError("t must rise from one point to the next, two points at least.")
    slopes = y.diff(dim=0) / t.diff()[:, None]  # (n - 1, D)
    return torch.cat([slopes[:1], slopes.diff(dim=0)])


class VAE(Autoencoder):
    """A variational autoencoder: the encoder gives a mean and a log variance for each code number.

    encode(x) is the mean mu (N, d), so that plots, sliders and checks work on it as on any model.
    (Kingma & Welling 2014, appendix C)
    """

    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, activation, output)
        self.encoder = mlp([math.prod(shape), *hidden, 2 * d], activation)

    def posterior(self, x):
        """mu and logvar of q(z|x) = N(mu, diag(exp(logvar))), each (N, d)."""
        return self.encoder(x.flatten(1)).chunk(2, dim=1)

    def encode(self, x):
        return self.posterior(x)[0]


guard(globals(), t="n", y="n D", decoder_weight="D d")
