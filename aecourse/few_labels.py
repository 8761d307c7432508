"""Few labels: drawing them, making more of them in code space, and comparing what they teach."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F


def stratified(labels, per_class):
    """Rows of the first `per_class` examples of each class, class after class: (C * per_class,).

    labels (N,) of C classes, in random order if the choice is to be random. Raises ValueError when
    a class has fewer examples.
    """
    rows = [(labels == k).nonzero()[:per_class, 0] for k in labels.unique()]
    if min(map(len, rows)) < per_class:
        raise ValueError(f"A class has {min(map(len, rows))} examples, not {per_class}.")
    return torch.cat(rows)


def nearest_in_class(z, labels, k):
    """Rows (N, k) of the k nearest codes of the same class, nearest first, never the row itself.

    z (N, d), labels (N,). Raises ValueError when a class has no more than k examples.
    """
    if labels.unique(return_counts=True)[1].min() <= k:
        raise ValueError(f"Each class needs more than k = {k} examples.")
    distance = torch.cdist(z, z).fill_diagonal_(torch.inf)
    distance[labels[:, None] != labels] = torch.inf
    return distance.argsort(dim=1, stable=True)[:, :k]


def extrapolate(z, labels, k, strength=0.5):
    """From each code away from each of its k nearest in class: z + strength * (z - neighbour).

    z (N, d), labels (N,) -> new codes (N, k, d), all of row i of the class of row i. A negative
    strength goes towards the neighbour, -0.5 to the middle. (DeVries & Taylor 2017)
    """
    neighbours = z[nearest_in_class(z, labels, k)]  # (N, k, d)
    return z[:, None] + strength * (z[:, None] - neighbours)


def paired_difference(a, b):
    """Mean of a - b and its standard error, a and b (n,) in pairs, such as errors by seed, n > 1."""
    difference = a - b
    return difference.mean(), difference.std() / len(difference) ** 0.5


class Classifiers(nn.Module):
    """`runs` classifiers of the same layers side by side, each with its own weights and data.

    x (N, runs, D) -> logits (N, runs, classes). One batched product does them all at once.
    """

    def __init__(self, runs, sizes):
        super().__init__()
        layers = list(pairwise(sizes))
        self.weights = nn.ParameterList(torch.randn(runs, a, b) * (2 / a) ** 0.5 for a, b in layers)
        self.biases = nn.ParameterList(torch.zeros(runs, 1, b) for _, b in layers)

    def forward(self, x):
        h = x.transpose(0, 1)  # (runs, N, D)
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(b, h.relu() if k else h, w)
        return h.transpose(0, 1)


def cross_entropy(model, x):
    """Loss of `Classifiers` on rows x (N, runs, D + 1), the label in the last column, in nats;
    summed over the runs, so that none minds the others, and averaged over the rows."""
    logits, labels = model(x[..., :-1]), x[..., -1].long()
    nats = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")
    return {"cross-entropy": nats / len(x)}
