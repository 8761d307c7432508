"""Few labels: drawing them, making more of them in code space, and measuring what they teach."""

import functools
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from aecourse.letters import number, whole
from aecourse.shapes import guard


def stratified(labels, per_class):
    """Rows of the first `per_class` examples of each class, class after class: (C * per_class,).

    labels (N,) of C classes, in random order if the choice is to be random. Raises ValueError when
    a class has fewer examples.
    """
    classes, sizes = labels.unique(return_counts=True)
    if not 1 <= per_class <= sizes.min():
        raise ValueError(f"per_class = {per_class}: a class has {sizes.min()} examples.")
    return torch.cat([(labels == k).nonzero()[:per_class, 0] for k in classes])


def purity(clusters, labels):
    """The part of the examples that have the commonest label of their cluster, in (0, 1].

    clusters, labels (N,), integers. It is the accuracy of naming each cluster after its majority,
    and reaches 1 when every example is a cluster of its own. (Manning et al. 2008, chapter 16)
    """
    majorities = [labels[clusters == c].bincount().max() for c in clusters.unique()]
    return torch.stack(majorities).sum() / len(labels)


def adjusted_rand(clusters, labels):
    """Adjusted Rand index of two partitions: 1 if they agree, 0 on average by chance.

    clusters, labels (N,), integers >= 0. Of the pairs that share a cluster, those that share the
    label, less what chance would give, over the most possible less the same. (Hubert & Arabie 1985)
    """
    counts = F.one_hot(clusters).T.double() @ F.one_hot(labels).double()  # (clusters, classes)

    def pairs(n):
        return (n * (n - 1) / 2).sum()

    a, b, both = pairs(counts.sum(1)), pairs(counts.sum(0)), pairs(counts)
    if a == b == both:  # the same partition, also where chance leaves nothing to gain
        return torch.ones_like(a)
    chance = a * b / pairs(counts.sum())
    return (both - chance) / ((a + b) / 2 - chance)


def paired_difference(a, b):
    """Mean of a - b and its standard error, a and b (n,) measured in pairs, such as the errors of
    two ways by draw, n >= 2."""
    if len(a) < 2:
        raise ValueError("a and b have one pair: a standard error needs two at least.")
    difference = a - b
    return difference.mean(), difference.std() / len(difference) ** 0.5


def nearest_in_class(z, labels, k):
    """Rows (N, k) of the k nearest codes of the same class, nearest first, never the row itself.

    z (N, d), labels (N,). Raises ValueError when a class has no more than k examples.
    """
    if not 1 <= k < labels.unique(return_counts=True)[1].min():
        raise ValueError(f"k = {k}: each class needs more examples than that.")
    distance = torch.cdist(z, z).fill_diagonal_(torch.inf)
    distance[labels[:, None] != labels] = torch.inf
    return distance.argsort(dim=1)[:, :k]


def extrapolate(z, labels, k, strength=0.5):
    """From each code away from each of its k nearest in class: z + strength * (z - neighbour).

    z (N, d), labels (N,) -> new codes (N, k, d); those of row i have the label of row i. A negative
    strength goes towards the neighbour, -0.5 to the middle. (DeVries & Taylor 2017)
    """
    neighbours = z[nearest_in_class(z, labels, k)]  # (N, k, d)
    return z[:, None] + strength * (z[:, None] - neighbours)


class Classifiers(nn.Module):
    """draws x ways classifiers of the same layers side by side, each with its own weights and data.

    x (N, draws, ways, D) -> logits (N, draws, ways, classes); where all see the same x, a size may
    be 1. The ways of one draw start from the same weights, so that they can be compared in pairs.
    """

    def __init__(self, draws, ways, sizes, activation=torch.relu):
        super().__init__()
        self.activation = activation
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for a, b in pairwise(sizes):
            start = torch.randn(draws, 1, a, b) * (2 / a) ** 0.5  # He et al. 2015
            self.weights.append(start.repeat(1, ways, 1, 1))
            self.biases.append(torch.zeros(draws, ways, 1, b))

    def forward(self, x):
        h = x.movedim(0, 2)  # (draws, ways, N, D)
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = (self.activation(h) if k else h) @ w + b
        return h.movedim(2, 0)

    @torch.no_grad()
    def errors(self, x, labels):
        """Per cent of x (N, D) that each classifier takes for another class: (draws, ways)."""
        wrong = 0
        for rows, truth in zip(x.split(500), labels.split(500), strict=True):
            answers = self(rows[:, None, None]).argmax(3)
            wrong += (answers != truth[:, None, None]).sum(0)
        return 100 * wrong / len(x)


def cross_entropy(model, x):
    """Loss of `Classifiers` on rows x (N, draws, ways, D + 1) with the label in the last column.

    In nats, averaged over the rows and summed over the classifiers, so that none minds the others.
    """
    logits, labels = model(x[..., :-1].float()), x[..., -1].long()
    nats = F.cross_entropy(logits.flatten(0, 2), labels.flatten(), reduction="sum")
    return {"cross-entropy": nats / len(x)}


def _fitting(loss):
    """The loss, which says so where rows or labels do not fit the classifiers."""

    @functools.wraps(loss)
    def fitting(model, x):
        numbers, classes = len(model.weights[0][0, 0]), model.biases[-1].shape[3]
        if x.ndim != 4 or x.shape[3] != numbers + 1:
            wanted = f"(N, draws, ways, {numbers + 1}), the label in the last column"
            raise ValueError(f"x is {tuple(x.shape)}: it must be {wanted}.")
        low, high = x[..., -1].min().item(), x[..., -1].max().item()
        if low < 0 or high >= classes:
            raise ValueError(f"The labels in x are {low} to {high}: 0 to {classes - 1}.")
        return loss(model, x)

    return fitting


cross_entropy = _fitting(cross_entropy)


guard(globals(), clusters="N of labels", a="n", b="n", per_class=whole, strength=number)
