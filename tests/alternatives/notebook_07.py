"""Other ways to the right answers of notebook 07."""

import math
from itertools import pairwise

import numpy as np
import torch
from torch.distributions import Bernoulli, kl_divergence


def through_points_by_solving(t, y):
    return torch.linalg.solve((t[1:, None] - t[:-1]).relu(), y[1:] - y[0])


def through_points_in_a_loop(t, y):
    t, y, weights = t.numpy(), y.numpy(), []
    for k in range(len(t) - 1):
        slope = (y[k + 1] - y[k]) / (t[k + 1] - t[k])
        weights.append(slope - sum(weights))
    return np.array(weights)


def activity_kl_of_torch(z, rho):
    return kl_divergence(Bernoulli(torch.tensor(rho)), Bernoulli(z.mean(0))).sum()


def activity_kl_in_a_loop(z, rho):
    total = 0.0
    for unit in z.T.tolist():
        rate = sum(unit) / len(unit)
        total += rho * math.log(rho / rate) + (1 - rho) * math.log((1 - rho) / (1 - rate))
    return total


def salt_and_pepper_in_numpy(x, p, u):
    x, u = x.numpy(), u.numpy()
    return np.where(u < p / 2, 0, np.where(u > 1 - p / 2, 1, x))


def salt_and_pepper_in_place_of_a_copy(x, p, u):
    x = x.clone()
    x[u < p / 2] = 0
    x[1 - u < p / 2] = 1
    return x


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


def activity_kl_by_cross_entropy(z, rho):
    rate = z.mean(0)
    cross = torch.nn.functional.binary_cross_entropy(
        rate, torch.full_like(rate, rho), reduction="sum"
    )
    return cross + len(rate) * (rho * math.log(rho) + (1 - rho) * math.log(1 - rho))


def activity_kl_unit_by_unit(z, rho):
    total = 0
    for unit in z.T:
        r = unit.sum() / len(unit)
        total = total - rho * torch.log(r / rho) - (1 - rho) * torch.log((1 - r) / (1 - rho))
    return total


def salt_and_pepper_by_where(x, p, u):
    return torch.where(u < p / 2, 0.0, torch.where(u > 1 - p / 2, 1.0, x))


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
    "activity_kl": (
        activity_kl_of_torch,
        activity_kl_in_a_loop,
        activity_kl_by_cross_entropy,
        activity_kl_unit_by_unit,
    ),
    "salt_and_pepper": (
        salt_and_pepper_in_numpy,
        salt_and_pepper_in_place_of_a_copy,
        salt_and_pepper_by_where,
    ),
    "contractive": (
        contractive_by_automatic_differentiation,
        contractive_in_numpy,
        contractive_by_units,
        contractive_by_einsum,
    ),
}


WRONG = {
    "activity_kl": {
        "rates clamped": lambda z, rho: activity_kl_unit_by_unit(z.clamp(0.1, 0.9), rho),
        "the mean's rates clamped": lambda z, rho: activity_kl_unit_by_unit(
            z.mean(0, keepdim=True).clamp(0.1, 0.9), rho
        ),
    },
}
