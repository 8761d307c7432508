"""Other ways to the right answers of notebook 01."""

import math

import numpy as np
import torch
from scipy import stats
from torch.distributions import MultivariateNormal


def mutual_information_in_numpy(w, cov, sigma):
    w, cov = w.numpy(), cov.numpy()
    return np.log(np.linalg.det(np.eye(len(w)) + w @ cov @ w.T / sigma**2)) / 2


def mutual_information_by_eigenvalues(w, cov, sigma):
    total = 0.0
    for value in torch.linalg.eigvalsh(w @ cov @ w.T).tolist():
        total += 0.5 * math.log(1 + value / sigma**2)
    return total


def mutual_information_as_a_difference_of_entropies(w, cov, sigma):
    noise = sigma**2 * torch.eye(len(w)).double()
    both = [
        MultivariateNormal(torch.zeros(len(w)).double(), s) for s in (w @ cov @ w.T + noise, noise)
    ]
    return both[0].entropy() - both[1].entropy()


def gaussian_kl_of_torch(mean, cov, other_mean, other_cov):
    pair = MultivariateNormal(mean, cov), MultivariateNormal(other_mean, other_cov)
    return torch.distributions.kl_divergence(*pair)


def gaussian_kl_in_numpy(mean, cov, other_mean, other_cov):
    mean, cov, other_mean, other_cov = (a.numpy() for a in (mean, cov, other_mean, other_cov))
    apart = mean - other_mean
    trace = np.trace(np.linalg.solve(other_cov, cov))
    logs = np.log(np.linalg.det(other_cov) / np.linalg.det(cov))
    return 0.5 * (trace + apart.dot(np.linalg.solve(other_cov, apart)) - apart.size + logs)


def gaussian_kl_by_whitening(mean, cov, other_mean, other_cov):
    root = torch.linalg.cholesky(other_cov)
    z = torch.linalg.solve_triangular(root, (mean - other_mean)[:, None], upper=False)
    white = torch.linalg.solve_triangular(root, torch.linalg.cholesky(cov), upper=False)
    return (white.square().sum() + z.square().sum() - len(mean)) / 2 - white.diagonal().log().sum()


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
    "mutual_information": (
        mutual_information_in_numpy,
        mutual_information_by_eigenvalues,
        mutual_information_as_a_difference_of_entropies,
    ),
    "gaussian_kl": (gaussian_kl_of_torch, gaussian_kl_in_numpy, gaussian_kl_by_whitening),
    "gaussian_nll": (gaussian_nll_of_torch, gaussian_nll_of_scipy, gaussian_nll_in_loops),
    "laplace_nll": (laplace_nll_of_torch, laplace_nll_of_scipy, laplace_nll_in_double_precision),
    "bernoulli_nll": (
        bernoulli_nll_in_numpy,
        bernoulli_nll_by_softplus,
        bernoulli_nll_of_torch,
        bernoulli_nll_in_loops,
    ),
}
