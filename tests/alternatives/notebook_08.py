"""Other ways to the right answers of notebook 08."""

import math
from statistics import NormalDist

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


def prior_grid_in_a_loop(n):
    places = [NormalDist().inv_cdf((k + 0.5) / n) for k in range(n)]
    return np.array([[z1, z2] for z2 in places[::-1] for z1 in places])


def prior_grid_in_numpy(n):
    places = special.ndtri(np.linspace(0.5, n - 0.5, n) / n)
    z1, z2 = np.meshgrid(places, -places)
    return np.c_[z1.ravel(), z2.ravel()]


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


def tone_in_a_loop(frequency, seconds, rate=11_025):
    samples = []
    for n in range(round(seconds * rate)):
        t, s = n / rate, 0.0
        for k in range(1, 7):
            s += 0.6 / k**2 * math.exp(-2 * k * t) * math.sin(2 * math.pi * k * frequency * t)
        samples.append(min(1, t / 0.005, (seconds - t) / 0.03) * s)
    return np.array(samples)


def tone_in_pytorch(frequency, seconds, rate=11_025):
    t = torch.arange(round(seconds * rate)) / rate  # float32
    k = torch.arange(1, 7)[:, None]
    wave = 0.6 / k**2 * (-2 * k * t).exp() * (2 * torch.pi * k * frequency * t).sin()
    return wave.sum(0) * torch.minimum(t / 0.005, (seconds - t) / 0.03).clamp(max=1)


def tone_by_complex_powers(frequency, seconds, rate=11_025):
    """exp(-2 k t) sin(2 pi k f t) is the imaginary part of q^k."""
    t = np.arange(round(seconds * rate)) / rate
    q = np.exp((2j * np.pi * frequency - 2) * t)
    envelope = np.interp(t, [0, 0.005], [0, 1])
    envelope = np.where(envelope < (seconds - t) / 0.03, envelope, (seconds - t) / 0.03)
    return envelope * sum(0.6 / k**2 * q**k for k in range(1, 7)).imag


def score_in_a_loop(f, mu, logvar, z):
    rows = []
    for value, sample in zip(f.tolist(), z, strict=True):
        rows.append(value * (sample - mu) * torch.exp(-logvar))
    return rows


def prior_grid_by_product(n):
    places = torch.distributions.Normal(0, 1).icdf(torch.linspace(1, 2 * n - 1, n) / (2 * n))
    pairs = torch.cartesian_prod(-places, places)  # z_2 first, falling
    return pairs[:, [1, 0]]


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
    "prior_grid": (prior_grid_in_a_loop, prior_grid_in_numpy, prior_grid_by_product),
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
    "tone": (tone_in_a_loop, tone_in_pytorch, tone_by_complex_powers),
}


def _less(top):
    def log_mean_exp(log_w):
        a = top(log_w)
        return (log_w - a).exp().mean(-1).log() + (a if a.ndim == 0 else a[..., 0])

    return log_mean_exp


def _product_of_ramps(frequency, seconds, rate=11_025):
    t = np.arange(round(seconds * rate)) / rate
    wave = sum(
        0.6 / k**2 * np.exp(-2 * k * t) * np.sin(2 * np.pi * k * frequency * t) for k in range(1, 7)
    )
    return wave * (t / 0.005).clip(0, 1) * ((seconds - t) / 0.03).clip(0, 1)


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
    "tone": {"the product of the two ramps": _product_of_ramps},
}
