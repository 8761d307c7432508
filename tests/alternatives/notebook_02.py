"""Other ways to the right answers of notebook 02."""

import math

import numpy as np
import torch
from scipy import stats


def gaussian_nll_of_torch(x, x_hat, sigma):
    return -torch.distributions.Normal(x_hat, sigma).log_prob(x).flatten(1).sum(1).mean()


def gaussian_nll_of_scipy(x, x_hat, sigma):
    return -stats.norm.logpdf(x.numpy(), x_hat.numpy(), sigma).sum() / len(x)


def gaussian_nll_in_loops(x, x_hat, sigma):
    total = 0.0
    for a, b in zip(x.flatten().tolist(), x_hat.flatten().tolist(), strict=True):
        total += (a - b) ** 2 / (2 * sigma**2) + 0.5 * math.log(2 * math.pi * sigma**2)
    return total / len(x)


def laplace_nll_of_torch(x, x_hat, scale):
    return -torch.distributions.Laplace(x_hat, scale).log_prob(x).flatten(1).sum(1).mean()


def laplace_nll_of_scipy(x, x_hat, scale):
    return -stats.laplace.logpdf(x.numpy(), x_hat.numpy(), scale).sum() / len(x)


def laplace_nll_in_double_precision(x, x_hat, scale):
    error = (x.double() - x_hat.double()).abs().flatten(1).sum(1)
    return (error / scale + x[0].numel() * math.log(2 * scale)).mean()


def bernoulli_nll_in_numpy(x, logits):
    x, logits = x.numpy(), logits.numpy().astype(np.float64)
    cost = np.maximum(logits, 0) - x * logits + np.log1p(np.exp(-np.abs(logits)))
    return cost.reshape(len(x), -1).sum(1).mean()


def bernoulli_nll_by_softplus(x, logits):
    softplus = torch.nn.functional.softplus
    return (x * softplus(-logits) + (1 - x) * softplus(logits)).flatten(1).sum(1).mean()


def bernoulli_nll_of_torch(x, logits):
    truth = torch.distributions.Bernoulli(logits=logits.double(), validate_args=False)
    return -truth.log_prob(x.double()).sum() / x.shape[0]


def bernoulli_nll_in_loops(x, logits):
    total = 0.0
    for a, b in zip(x.flatten().tolist(), logits.flatten().tolist(), strict=True):
        total += max(b, 0) - a * b + math.log1p(math.exp(-abs(b)))
    return total / len(x)


ALTERNATIVES = {
    "gaussian_nll": (gaussian_nll_of_torch, gaussian_nll_of_scipy, gaussian_nll_in_loops),
    "laplace_nll": (laplace_nll_of_torch, laplace_nll_of_scipy, laplace_nll_in_double_precision),
    "bernoulli_nll": (
        bernoulli_nll_in_numpy,
        bernoulli_nll_by_softplus,
        bernoulli_nll_of_torch,
        bernoulli_nll_in_loops,
    ),
}
