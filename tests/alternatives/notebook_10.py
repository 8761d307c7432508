"""Other ways to the right answers of notebook 10."""

import math

import numpy as np
import torch
from scipy import special


def log_mean_exp_in_numpy(log_w):
    a = log_w.numpy().astype(np.float64)
    top = a.max(-1, keepdims=True)
    return np.log(np.exp(a - top).mean(-1)) + top[..., 0]


def log_mean_exp_of_scipy(log_w):
    return special.logsumexp(log_w.double().numpy(), axis=-1, b=1 / log_w.shape[-1])


def log_mean_exp_in_a_loop(log_w):
    total = log_w[..., 0].double()
    for k in range(1, log_w.shape[-1]):
        total = torch.logaddexp(total, log_w[..., k].double())
    return total - math.log(log_w.shape[-1])


def score_by_autograd(f, mu, logvar, z):
    rows = []
    for value, sample in zip(f, z, strict=True):
        m = mu.clone().requires_grad_()
        q = torch.distributions.Normal(m, (logvar / 2).exp())
        (score,) = torch.autograd.grad(q.log_prob(sample).sum(), m)
        rows.append(value * score)
    return torch.stack(rows)


def score_in_numpy(f, mu, logvar, z):
    f, mu, logvar, z = (a.numpy().astype(np.float64) for a in (f, mu, logvar, z))
    sigma = np.exp(0.5 * logvar)
    return f.reshape(-1, 1) * ((z - mu) / sigma) / sigma


def effective_beta_in_tensors(pixels, d, reconstruction="sum", kl="sum", scale=1.0, weight=1.0):
    """The ratio of the derivatives of the loss with respect to the two sums."""
    r, k = (torch.ones(n, dtype=torch.float64, requires_grad=True) for n in (pixels, d))
    loss = scale * getattr(r, reconstruction)() + weight * getattr(k, kl)()
    loss.backward()
    return k.grad[0] / r.grad[0]


def effective_beta_by_cases(pixels, d, reconstruction="sum", kl="sum", scale=1.0, weight=1.0):
    return {
        ("sum", "sum"): weight / scale,
        ("mean", "sum"): weight * pixels / scale,
        ("sum", "mean"): weight / d / scale,
        ("mean", "mean"): weight * pixels / d / scale,
    }[reconstruction, kl]


def active_units_in_numpy(mu, threshold=0.01):
    return np.var(mu.numpy(), axis=0) > threshold


def active_units_with_n_minus_1(mu, threshold=0.01):
    return (mu - mu.mean(0)).square().sum(0) / (len(mu) - 1) > threshold


def active_units_in_a_loop(mu, threshold=0.01):
    return np.array([int(torch.cov(column.double()) > threshold) for column in mu.T])


def score_in_a_loop(f, mu, logvar, z):
    rows = []
    for value, sample in zip(f.tolist(), z, strict=True):
        rows.append(value * (sample - mu) * torch.exp(-logvar))
    return rows


def effective_beta_step_by_step(pixels, d, reconstruction="sum", kl="sum", scale=1.0, weight=1.0):
    beta = weight
    if kl == "mean":
        beta = beta / d
    if reconstruction == "mean":
        beta = beta * pixels
    return torch.tensor(beta / scale)


def active_units_as_a_list(mu, threshold=0.01):
    return [bool(unit.var() > threshold) for unit in mu.T]


ALTERNATIVES = {
    "log_mean_exp": (log_mean_exp_in_numpy, log_mean_exp_of_scipy, log_mean_exp_in_a_loop),
    "score_function_gradient": (score_by_autograd, score_in_numpy, score_in_a_loop),
    "effective_beta": (
        effective_beta_in_tensors,
        effective_beta_by_cases,
        effective_beta_step_by_step,
    ),
    "active_units": (
        active_units_in_numpy,
        active_units_with_n_minus_1,
        active_units_in_a_loop,
        active_units_as_a_list,
    ),
}


def _less(top):
    def log_mean_exp(log_w):
        a = top(log_w)
        return (log_w - a).exp().mean(-1).log() + (a if a.ndim == 0 else a[..., 0])

    return log_mean_exp


def _above(measure):
    return lambda mu, threshold=0.01: measure(mu) > threshold


WRONG = {
    "log_mean_exp": {
        "the largest of all taken out": _less(torch.max),
        "the smallest taken out": _less(lambda log_w: log_w.amin(-1, keepdim=True)),
        "the mean taken out": _less(lambda log_w: log_w.mean(-1, keepdim=True)),
    },
    "active_units": {
        "range": _above(lambda mu: mu.amax(0) - mu.amin(0)),
        "mean deviation": _above(lambda mu: (mu - mu.mean(0)).abs().mean(0)),
        "sum of squares": _above(lambda mu: (mu - mu.mean(0)).square().sum(0)),
        "mean of the sizes": _above(lambda mu: mu.abs().mean(0)),
        "threshold squared": lambda mu, threshold=0.01: mu.var(0) > threshold**2,
        "variance of all": lambda mu, threshold=0.01: (mu.var() > threshold).expand(mu.shape[1]),
    },
}
