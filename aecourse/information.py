"""Information theory of Gaussians, in nats and in closed form.

The channel of this module: x ~ N(mean, cov) of D numbers, and a code of d noisy numbers,
z = w x + sigma * noise, with w (d, D) and noise ~ N(0, I).
"""

import math

import torch

from aecourse.letters import positive, single
from aecourse.shapes import guard


def gaussian_entropy(cov):
    """H(X) of N(mean, cov), cov (D, D): log det(2 pi e cov) / 2. Negative if cov is small."""
    return torch.logdet(2 * math.pi * math.e * cov) / 2


def mutual_information(w, cov, sigma):
    """I(X; Z) of the channel z = w x + sigma * noise: log det(1 + w cov w^T / sigma^2) / 2.

    w (d, D), cov (D, D), which may be singular. Raises ValueError unless sigma > 0: without noise
    it is infinite. Source: Cover & Thomas, Elements of Information Theory, section 9.4.
    """
    if not sigma > 0:
        raise ValueError(f"sigma = {sigma}: without noise the information is infinite.")
    signal = w @ cov @ w.T  # (d, d)
    return torch.logdet(torch.eye(len(w)).to(w) + signal / sigma**2) / 2


def gaussian_kl(mean, cov, other_mean, other_cov):
    """KL(N(mean, cov) || N(other_mean, other_cov)), means (D,), covariances (D, D).

    Never negative, and 0 only if the two are the same; not symmetric.
    """
    apart = other_mean - mean
    precision = torch.linalg.inv(other_cov)
    logs = torch.logdet(other_cov) - torch.logdet(cov)
    return ((precision @ cov).trace() + apart @ precision @ apart - len(mean) + logs) / 2


def best_decoder(w, cov, sigma):
    """The posterior q(x|z) = N(a z, s) of the channel, for x of mean 0: a (D, d), s (D, D)."""
    cov_z = w @ cov @ w.T + sigma**2 * torch.eye(len(w)).to(w)
    a = cov @ w.T @ torch.linalg.inv(cov_z)  # (D, d)
    return a, cov - a @ w @ cov


def bound(a, s, w, cov, sigma):
    """H(X) + E[log p(x|z)] <= I(X; Z), for any decoder p(x|z) = N(a z, s) and x of mean 0.

    a (D, d), s (D, D). The gap is the mean KL(q(x|z) || p(x|z)). (Barber & Agakov 2003)
    """
    cov_z = w @ cov @ w.T + sigma**2 * torch.eye(len(w)).to(w)
    mixed = a @ w @ cov
    error = cov - mixed - mixed.T + a @ cov_z @ a.T  # E[(x - a z)(x - a z)^T]
    log_p = -(torch.logdet(2 * math.pi * s) + (torch.linalg.inv(s) @ error).trace()) / 2
    return gaussian_entropy(cov) + log_p


guard(
    globals(),
    a="D d",
    s="D D of definite",
    mean="D",
    other_mean="D",
    other_cov="D D of definite",
    sigma=positive,
    mutual_information={"sigma": single},
    gaussian_entropy={"cov": "D D of definite"},
    gaussian_kl={"cov": "D D of definite"},
    bound={"cov": "D D of definite"},
)
