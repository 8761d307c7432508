"""What a VAE's bound leaves open: the log-likelihood itself, the weight of a loss's KL term, which
code numbers are used, the other way to a gradient, and where to look in latent space.

All in nats; z, mu, logvar are (N, d) as everywhere.
"""

import math

import torch
from torch.distributions import Normal
from torch.nn import functional as F

from aecourse.letters import count, number, positive
from aecourse.shapes import guard


def log_mean_exp(log_w):
    """log of the mean of exp(log_w) over the last dimension, without under- or overflow.

    log_w (..., K). Never below the mean of log_w, by Jensen's inequality.
    """
    return torch.logsumexp(log_w, -1) - math.log(log_w.shape[-1])


def log_weights(model, x, k):
    """log p(x|z) p(z) / q(z|x) for k samples z of q(z|x): (N, k), for a Bernoulli VAE.

    x (N, *shape) of 0 and 1. Their mean over k estimates the ELBO, their log_mean_exp a tighter
    bound on log p(x), which it reaches as k grows. (Burda, Grosse & Salakhutdinov 2016)
    """
    if x.min() < 0 or x.max() > 1:
        raise ValueError(
            f"x lies in [{x.min():.3g}, {x.max():.3g}]: a Bernoulli VAE is for [0, 1]."
        )
    mu, logvar = model.posterior(x)
    q, prior = Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)
    z = q.rsample((k,))  # (k, N, d)
    logits = model.logits(z.flatten(0, 1))  # (k N, *shape)
    targets = x.expand(k, *x.shape).flatten(0, 1)
    nll = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").flatten(1).sum(1)
    return ((prior.log_prob(z) - q.log_prob(z)).sum(2) - nll.view(k, -1)).T  # (N, k)


@torch.no_grad()
def log_likelihood(model, x, k, block=50_000):
    """Importance-sampled log p(x) of each row of x: (N,), from k samples; see `log_weights`.

    block  how many codes are decoded at once, so that all k of many images fit into memory
    """
    parts = [len(part) for part in torch.arange(k).split(block)]  # of the samples of an image
    return torch.cat(
        [
            log_mean_exp(torch.cat([log_weights(model, rows, n) for n in parts], 1))
            for rows in x.split(max(1, block // k))
        ]
    )


def effective_beta(pixels, d, reconstruction="sum", kl="sum", scale=1.0, weight=1.0):
    """Weight of the KL term of a loss, once both terms are summed over their dimensions.

    The loss is scale * reconstruction + weight * kl, both averaged over the batch.
    pixels, d           numbers a reconstruction and a code consist of (colours count)
    reconstruction, kl  "sum" or "mean": how each is reduced over pixels or latent dimensions

    With a cross-entropy 1 is the ELBO. With a squared error beta is the ELBO of a Gaussian of
    variance sigma^2 = beta / 2, and the scale of a Gaussian likelihood is 1 / (2 sigma^2).
    Raises ValueError for another reduction.
    """
    for reduction in (reconstruction, kl):
        if reduction not in ("sum", "mean"):
            raise ValueError(f'{reduction!r} is not a reduction: "sum" or "mean".')
    scale = scale / pixels if reconstruction == "mean" else scale
    weight = weight / d if kl == "mean" else weight
    return weight / scale


def active_units(mu, threshold=0.01):
    """Which of the d code numbers are in use: True where mu varies over the data, (d,).

    mu (N, d) is the mean of q(z|x) for each x; a unit is active if the variance of its mean is
    above the threshold. (Burda, Grosse & Salakhutdinov 2016)
    """
    return mu.var(0, correction=0) > threshold


def score_function_gradient(f, mu, logvar, z):
    """Estimates of the gradient of E[f(z)] for z ~ N(mu, diag(exp(logvar))) with respect to mu.

    f (N,), the values f(z), z (N, d), one sample a row; mu, logvar (d,). Returns (N, d), f times
    the gradient of log q(z). Needs no gradient of f. (Williams 1992, REINFORCE)
    """
    return f[:, None] * (z - mu) / logvar.exp()


def prior_grid(n):
    """n x n codes (n^2, 2) at which N(0, I) is cut into cells of equal probability, row by row.

    The coordinates are the quantiles (k + 1/2) / n; z_1 grows to the right, z_2 upwards.
    (Kingma & Welling 2014, figure 4)
    """
    places = Normal(0.0, 1.0).icdf((torch.arange(n) + 0.5) / n)  # (n,)
    rows, columns = torch.meshgrid(places.flip(0), places, indexing="ij")
    return torch.stack([columns, rows], -1).flatten(0, 1)


guard(
    globals(),
    log_w="* K",
    mu="N d",
    threshold=number,
    block=count,
    pixels=count,
    scale=positive,
    weight=number,
    effective_beta={"d": count},
    score_function_gradient={"f": "N", "mu": "d", "logvar": "d"},
)
