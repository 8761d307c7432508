"""Losses. One convention: *summed over pixels or latent dimensions, averaged over the batch,
in nats where it is a likelihood*.

A loss is `loss(model, x) -> {"reconstruction": r, ...}`, named terms whose sum is minimised.
Terms join with `|`:  gaussian(model, x, sigma=0.1) | {"L2": 0.01 * l2(model)}.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from aecourse.letters import number, single
from aecourse.shapes import guard


def squared_error(x, x_hat):
    """Squared distance ||x - x_hat||^2, summed over the pixels, averaged over the batch.

    x, x_hat (N, *shape). Raises ValueError when their shapes differ (PyTorch would broadcast).
    """
    return (x - x_hat).square().sum() / len(x)


def gaussian_nll(x, x_hat, sigma):
    """-log N(x; x_hat, sigma^2 I) in nats, summed over the D pixels, averaged over the batch.

    sigma > 0 is in the units of x. Equals squared_error / (2 sigma^2) + D log(sigma sqrt(2 pi)).
    """
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma = {sigma}: the standard deviation of the pixels must be positive.")
    constant = x[0].numel() * math.log(sigma * math.sqrt(2 * math.pi))
    return squared_error(x, x_hat) / (2 * sigma**2) + constant


def bernoulli_nll(x, logits):
    """-log Bernoulli(x; sigmoid(logits)) in nats, summed over pixels, averaged over the batch.

    This is the cross-entropy: a likelihood for x in {0, 1}, a score for grey x in [0, 1]
    (Loaiza-Ganem & Cunningham 2019). Raises ValueError for x outside [0, 1] or NaN.
    """
    low, high = x.aminmax()
    if low < 0 or high > 1:
        raise ValueError(
            f"A Bernoulli loss needs x in [0, 1], these lie in [{low:.3g}, {high:.3g}]: "
            "divide 8-bit images by 255, or use a Gaussian loss."
        )
    return F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)


def laplace_nll(x, x_hat, scale):
    """-log Laplace(x; x_hat, scale) in nats, summed over the D pixels, averaged over the batch.

    scale > 0 is in the units of x, the mean of |x - x_hat|. The best x_hat is a median, not a mean.
    """
    if not 0 < scale < math.inf:
        raise ValueError(f"scale = {scale}: the mean deviation of the pixels must be positive.")
    constant = x[0].numel() * math.log(2 * scale)
    return (x - x_hat).abs().sum() / len(x) / scale + constant


def continuous_bernoulli_nll(x, logits):
    """-log of the Bernoulli made a density of grey x in [0, 1], in nats, summed and averaged alike.

    The cross-entropy less the log of the normaliser l / tanh(l / 2), which makes the density
    integrate to 1 over [0, 1]. (Loaiza-Ganem & Cunningham 2019)
    """
    size = logits.abs().clamp(min=1e-3)  # at 0 it would be 0 / 0; the limit is 2
    return bernoulli_nll(x, logits) - (size / (size / 2).tanh()).log().sum() / len(x)


def kl_divergence(mu, logvar):
    """KL(N(mu, diag(exp(logvar))) || N(0, I)) in nats, summed over the d latent dimensions,
    averaged over the batch. mu, logvar (N, d). (Kingma & Welling 2014, appendix B)
    """
    return (mu.square() + logvar.exp() - 1 - logvar).sum() / 2 / len(mu)


def reparameterise(mu, logvar, eps):
    """A sample of N(mu, diag(exp(logvar))) as a function of mu and logvar that has a gradient.

    mu, logvar, eps (N, d); eps is standard normal noise. (Kingma & Welling 2014, section 2.4)
    """
    return mu + (logvar / 2).exp() * eps


def l2(model):
    """Sum of all squared weights; biases, which are vectors, are left alone."""
    return sum(p.square().sum() for p in model.parameters() if p.ndim > 1)


def l1(model):
    """Sum of the sizes of all weights; biases, which are vectors, are left alone."""
    return sum(p.abs().sum() for p in model.parameters() if p.ndim > 1)


def activity_kl(z, rho):
    """KL(Bernoulli(rho) || Bernoulli(rate)) in nats, summed over the units; rate is the mean of a
    unit over the batch, which should be as small as rho, 0 < rho < 1.

    z (N, d) in [0, 1], such as sigmoid units. Raises ValueError for other or stuck units.
    (Lee, Ekanadham & Ng 2008; Ng 2011)
    """
    if not 0 < rho < 1:
        raise ValueError(f"rho = {rho}: the rate of a unit lies between 0 and 1.")
    rate = z.mean(0)  # (d,)
    if not ((rate > 0) & (rate < 1)).all():
        raise ValueError("activity_kl needs units between 0 and 1, as sigmoids are, none stuck.")
    return (rho * (rho / rate).log() + (1 - rho) * ((1 - rho) / (1 - rate)).log()).sum()


def contractive(z, weight):
    """Squared entries of the Jacobian dz/dx of a layer z = sigmoid(W x + b), summed over all of
    them, averaged over the batch. z (N, d), weight W (d, D). (Rifai et al. 2011)
    """
    slope = z * (1 - z)  # (N, d)
    return (slope.square() @ weight.square().sum(1)).mean()


def salt_and_pepper(x, p, u):
    """x with a part p of its pixels replaced: by 0 where u < p / 2, by 1 where u > 1 - p / 2.

    u is uniform noise in [0, 1] of the shape of x, 0 <= p <= 1. (Vincent et al. 2010, section 3.3)
    """
    return x.masked_fill(u < p / 2, 0.0).masked_fill(u > 1 - p / 2, 1.0)


def gaussian(model, x, sigma):
    """Reconstruction as a Gaussian negative log-likelihood, see `gaussian_nll`."""
    _reachable(model, x)
    return {"reconstruction": gaussian_nll(x, model(x), sigma)}


def bernoulli(model, x):
    """Reconstruction as a cross-entropy, see `bernoulli_nll`; the model needs `logits`."""
    return {"reconstruction": bernoulli_nll(x, model.logits(model.encode(x)))}


def laplace(model, x, scale):
    """Reconstruction as a Laplace negative log-likelihood, see `laplace_nll`."""
    _reachable(model, x)
    return {"reconstruction": laplace_nll(x, model(x), scale)}


def denoising(model, x, corrupt):
    """Cross-entropy of the clean x and the reconstruction of corrupt(x). (Vincent et al. 2008)"""
    return {"reconstruction": bernoulli_nll(x, model.logits(model.encode(corrupt(x))))}


def negative_elbo(model, x, beta=1.0, sigma=None, nll=bernoulli_nll):
    """The two terms of minus the ELBO of a VAE in nats, one sample of z an example.

    beta   weight of the KL term; 1 makes it the ELBO. (Kingma & Welling 2014; Higgins et al. 2017)
    sigma  of a Gaussian likelihood with mean decode(z), in the units of x; None takes nll
    nll    nll(x, logits(z)), the decoder's raw output: any likelihood, such as a mixed one
    """
    mu, logvar = model.posterior(x)
    z = reparameterise(mu, logvar, torch.randn_like(mu))
    if sigma is None:
        reconstruction = nll(x, model.logits(z))
    else:
        reconstruction = gaussian_nll(x, model.decode(z), sigma)
    return {"reconstruction": reconstruction, "kl": beta * kl_divergence(mu, logvar)}


def _reachable(model, x):
    """Say so where x leaves [0, 1] and x_hat, which comes out of a sigmoid, can't."""
    if isinstance(getattr(model, "output", None), nn.Sigmoid):
        low, high = (bound.item() for bound in x.aminmax())
        if low < -1e-3 or high > 1.001:
            raise ValueError(
                f"x lies in [{low:.3g}, {high:.3g}], x_hat can only reach [0, 1]: scale x, or "
                "build the model with output=nn.Identity."
            )


guard(
    globals(),
    z="N d or NaN",
    u="N *shape",
    weight="d D",
    scale=single,
    rho=number,
    p=number,
    reparameterise={"mu": "*d or NaN", "logvar": "*d or NaN", "eps": "* or NaN"},
)
