"""Exercises of notebook 12: drawing labels, and judging clusters by labels."""

import torch

from aecourse import few_labels
from aecourse.exercises import exercise


def _labels():
    """Labels in random order, of unequal classes, of other names than 0, 1, ..., of 26 classes."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (60,), generator=generator)
    many = torch.arange(26).repeat(3)[torch.randperm(78, generator=generator)]
    return [(labels, 3), (labels, 1), (torch.tensor([7, 2, 2, 5, 7, 5, 2, 5, 7]), 2), (many, 2)]


exercise(
    few_labels.stratified,
    cases=_labels,
    mistakes={
        "look at the classes: the first of all rows leave to chance how many each class gets.": (
            lambda labels, per_class: torch.arange(per_class * len(labels.unique()))
        ),
        "look at the end: these are the last ones of each class, not the first.": (
            lambda labels, per_class: torch.cat(
                [(labels == k).nonzero()[-per_class:, 0] for k in labels.unique()]
            )
        ),
        "look at the order: class after class, not in the order of the rows.": (
            lambda labels, per_class: few_labels.stratified(labels, per_class).sort()[0]
        ),
        "look at what is asked for: the rows, not their labels.": (
            lambda labels, per_class: labels[few_labels.stratified(labels, per_class)]
        ),
        "look at the shape: (classes * per_class,), one list, not one for each class.": (
            lambda labels, per_class: few_labels.stratified(labels, per_class).view(-1, per_class)
        ),
    },
    hints=(
        "labels.unique() are the classes; (labels == k).nonzero()[:, 0] the rows of class k.",
        "Take the first per_class of these rows, and torch.cat the lists.",
        "Try:  return torch.cat([(labels == k).nonzero()[:..., 0] for k in labels.unique()])",
    ),
)


def _partitions():
    """Clusters and labels: unequal sizes, more clusters than classes, fewer, and 26 of each."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (50,), generator=generator)
    near = torch.where(torch.rand(50, generator=generator) < 0.7, (labels + 1) % 3, 3)
    small = torch.tensor([0, 0, 1, 1, 1, 1, 1]), torch.tensor([0, 1, 1, 1, 2, 2, 0])
    mixed = (
        torch.tensor([0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2]),
        torch.tensor([2, 0, 0, 1, 2, 2, 0, 2, 0, 1, 1]),
    )
    many = torch.randint(26, (2, 1000), generator=generator)
    many[1, :400] = many[0, :400] = 25  # together more often than a byte can count
    many[0] += many[0] // 20  # there is no cluster 20
    return [(near, labels), small, (torch.arange(50) // 30, labels), mixed, (many[0], many[1])]


def _table(clusters, labels):
    """How often cluster c has label k, (clusters, classes)."""
    one_hot = torch.nn.functional.one_hot
    return one_hot(clusters).T.double() @ one_hot(labels).double()


def _largest_part(clusters, labels):
    table = _table(clusters, labels)
    return table[table.sum(1) > 0]


exercise(
    few_labels.purity,
    cases=_partitions,
    mistakes={
        "look at the mean: large clusters count more; sum the majorities, then divide by N.": (
            lambda clusters, labels: (
                _largest_part(clusters, labels).amax(1) / _largest_part(clusters, labels).sum(1)
            ).mean()
        ),
        "look at the direction: the commonest label of each cluster, not the other way round.": (
            lambda clusters, labels: few_labels.purity(labels, clusters)
        ),
        "look at the result: a part of the examples; divide by their number.": (
            lambda clusters, labels: few_labels.purity(clusters, labels) * len(labels)
        ),
        "look at the numbers of the clusters: they mean nothing; cluster 3 need not be class 3.": (
            lambda clusters, labels: (clusters == labels).double().mean()
        ),
    },
    hints=(
        "labels[clusters == c].bincount() says how often each label occurs in cluster c.",
        "The largest of these is the majority; sum it over clusters.unique(), divide by N.",
        "Try:  return sum(labels[clusters == c].bincount()... for c in clusters.unique()) / "
        "len(labels)",
    ),
)


def _pairs(n):
    return (n * (n - 1) / 2).sum()


def _rand(clusters, labels, pairs=_pairs, most=lambda a, b: (a + b) / 2, chance=1.0):
    """The adjusted Rand index, with one of its parts replaced."""
    table = _table(clusters, labels)
    a, b, both = pairs(table.sum(1)), pairs(table.sum(0)), pairs(table)
    expected = chance * a * b / pairs(table.sum())
    return (both - expected) / (most(a, b) - expected)


def _plain_rand(clusters, labels):
    """The part of all pairs on which the two agree."""
    same = [a[:, None] == a for a in (clusters, labels)]
    upper = torch.ones_like(same[0]).triu(1)
    return (same[0] == same[1])[upper].double().mean()


exercise(
    few_labels.adjusted_rand,
    cases=_partitions,
    mistakes={
        "look at chance: without what chance would give, this is the plain Rand index.": (
            _plain_rand
        ),
        "look at chance: subtract it above and below the line.": (
            lambda clusters, labels: _rand(clusters, labels, chance=0.0)
        ),
        "look at pairs: n things make n (n - 1) / 2 of them, not n ** 2.": (
            lambda clusters, labels: _rand(clusters, labels, pairs=lambda n: (n * n).sum())
        ),
        "look at the most possible: the mean of a and b, not the larger one.": (
            lambda clusters, labels: _rand(clusters, labels, most=torch.maximum)
        ),
    },
    hints=(
        "First the table: counts[c, k] says how often cluster c has label k, for example "
        "F.one_hot(clusters).T.double() @ F.one_hot(labels).double().",
        "pairs(n) = (n * (n - 1) / 2).sum() serves for the table, its row sums and column sums.",
        "chance = a * b / pairs(N), and the index is (both - chance) / ((a + b) / 2 - chance).",
        "Try:  return (both - chance) / (... - chance)",
    ),
)
