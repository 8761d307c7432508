"""Other ways to the right answers of notebook 07."""

from itertools import pairwise

import numpy as np
import torch


def through_points_by_solving(t, y):
    return torch.linalg.solve((t[1:, None] - t[:-1]).relu(), y[1:] - y[0])


def through_points_in_a_loop(t, y):
    t, y, weights = t.numpy(), y.numpy(), []
    for k in range(len(t) - 1):
        slope = (y[k + 1] - y[k]) / (t[k + 1] - t[k])
        weights.append(slope - sum(weights))
    return np.array(weights)


def contractive_by_automatic_differentiation(z, weight):
    def layer(logit_of_z):
        return logit_of_z.sigmoid()

    total = 0.0
    for row in z.double():
        total += (torch.func.jacrev(layer)(row.logit()) @ weight.double()).square().sum()
    return total / len(z)


def contractive_in_numpy(z, weight):
    z, weight = z.numpy().astype(np.float64), weight.numpy().astype(np.float64)
    jacobians = (z * (1 - z))[:, :, None] * weight  # (N, d, D)
    return (jacobians**2).sum((1, 2)).mean()


def through_points_as_a_list(t, y):
    slopes = [(y[k + 1] - y[k]) / (t[k + 1] - t[k]) for k in range(len(t) - 1)]
    return [slopes[0], *[b - a for a, b in pairwise(slopes)]]


def contractive_by_units(z, weight):
    total = 0
    for j in range(z.shape[1]):
        slope = z[:, j] - z[:, j] ** 2
        total = total + (slope**2).mean() * (weight[j] ** 2).sum()
    return total


def contractive_by_einsum(z, weight):
    return torch.einsum("nj,jd->njd", z * (1 - z), weight).pow(2).sum() / len(z)


ALTERNATIVES = {
    "through_points": (
        through_points_by_solving,
        through_points_in_a_loop,
        through_points_as_a_list,
    ),
    "contractive": (
        contractive_by_automatic_differentiation,
        contractive_in_numpy,
        contractive_by_units,
        contractive_by_einsum,
    ),
}
