"""Other ways to the right answers of notebook 12."""

import math
from itertools import combinations

import numpy as np
import torch
from sklearn import metrics
from sklearn.metrics.cluster import contingency_matrix


def stratified_in_numpy(labels, per_class):
    labels = labels.numpy()
    return np.concatenate([np.flatnonzero(labels == k)[:per_class] for k in np.unique(labels)])


def stratified_in_loops(labels, per_class):
    rows = []
    for k in sorted(set(labels.tolist())):
        rows += [i for i, label in enumerate(labels.tolist()) if label == k][:per_class]
    return torch.tensor(rows)


def purity_by_scikit_learn(clusters, labels):
    return contingency_matrix(labels, clusters).max(axis=0).sum() / len(labels)


def purity_in_loops(clusters, labels):
    right = 0
    for c in set(clusters.tolist()):
        members = [label for i, label in zip(clusters, labels.tolist(), strict=True) if i == c]
        right += max(members.count(k) for k in members)
    return right / len(labels)


def adjusted_rand_by_scikit_learn(clusters, labels):
    return metrics.adjusted_rand_score(labels, clusters)


def adjusted_rand_in_loops(clusters, labels):
    clusters, labels = clusters.tolist(), labels.tolist()
    pairs = list(combinations(range(len(labels)), 2))
    a = sum(bool(clusters[i] == clusters[j]) for i, j in pairs)
    b = sum(bool(labels[i] == labels[j]) for i, j in pairs)
    both = sum(bool(clusters[i] == clusters[j] and labels[i] == labels[j]) for i, j in pairs)
    return torch.tensor((both - a * b / len(pairs)) / ((a + b) / 2 - a * b / len(pairs)))


def stratified_as_a_list(labels, per_class):
    rows = []
    for k in labels.unique():
        rows += torch.where(labels == k)[0][:per_class].tolist()
    return rows


def purity_by_counting(clusters, labels):
    counts = torch.zeros(int(clusters.max()) + 1, int(labels.max()) + 1)
    for c, k in zip(clusters, labels, strict=True):
        counts[c, k] += 1
    return counts.max(dim=1).values.sum() / counts.sum()


def adjusted_rand_by_tables(clusters, labels):
    table = contingency_matrix(labels, clusters)
    both, rows, columns = (
        sum(math.comb(int(n), 2) for n in np.ravel(part))
        for part in (table, table.sum(1), table.sum(0))
    )
    chance = rows * columns / math.comb(len(labels), 2)
    return (both - chance) / ((rows + columns) / 2 - chance)


ALTERNATIVES = {
    "stratified": (stratified_in_numpy, stratified_in_loops, stratified_as_a_list),
    "purity": (purity_by_scikit_learn, purity_in_loops, purity_by_counting),
    "adjusted_rand": (
        adjusted_rand_by_scikit_learn,
        adjusted_rand_in_loops,
        adjusted_rand_by_tables,
    ),
}


def _named_by(pick):
    def purity(clusters, labels):
        members = [labels[clusters == c] for c in clusters.unique()]
        return sum((some == pick(some)).sum() for some in members) / len(labels)

    return purity


def _ten_clusters(clusters, labels):
    most = [labels[clusters == c].bincount().max() for c in range(10) if (clusters == c).any()]
    return sum(most) / len(labels)


def _ten_classes(labels, per_class):
    return torch.cat([(labels == k).nonzero()[:per_class, 0] for k in range(10)])


WRONG = {
    "stratified": {"ten classes, as the digits have": _ten_classes},
    "purity": {
        "ten clusters, as many as digits": _ten_clusters,
        "the first member names the cluster": _named_by(lambda some: some[0]),
        "the last one does": _named_by(lambda some: some[-1]),
        "the middle one does": _named_by(torch.median),
    },
}
