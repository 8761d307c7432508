"""Exercises of notebook 10: what a VAE's bound leaves open, and the weight of its terms."""

import math

import torch
from torch.distributions import Normal

from aecourse import variational
from aecourse.exercises import exercise


def _log_weights():
    """Logs of weights: moderate, so small or so large that exp gives 0 or infinity, and a batch of
    batches."""
    generator = torch.Generator().manual_seed(0)
    log_w = torch.randn(4, 7, generator=generator)
    apart = log_w - torch.tensor([0.0, 300.0, 0.0, 900.0])[:, None]  # no maximum serves all rows
    large = 150 * torch.randn(2, 3, 5, generator=generator) + 800  # and far from each other
    words = ("moderate", "small", "large", "rows that differ by hundreds")
    return dict(zip(words, [(log_w,), (3 * log_w - 900,), (large,), (apart,)], strict=True))


exercise(
    variational.log_mean_exp,
    cases=_log_weights,
    mistakes={
        "look at the order: the mean of the logs is the ELBO; take the log of the mean.": (
            lambda log_w: log_w.mean(-1)
        ),
        "look at the mean: logsumexp is the log of the sum; divide by K, subtract log K.": (
            lambda log_w: torch.logsumexp(log_w, -1)
        ),
        "look at exp: it is 0 or infinite for these weights; torch.logsumexp never forms it.": (
            lambda log_w: log_w.exp().mean(-1).log()
        ),
        "look at the dimension: the K samples of an image lie along the last one.": (
            lambda log_w: torch.logsumexp(log_w, 0) - math.log(len(log_w))
        ),
        "look at the dimension: one number for each image, not one for all.": (
            lambda log_w: torch.logsumexp(log_w.flatten(), 0) - math.log(log_w.numel())
        ),
        "look at K: it is the length of the last dimension, not of the first.": (
            lambda log_w: torch.logsumexp(log_w, -1) - math.log(len(log_w))
        ),
        "look at log K: a sum becomes a mean when it is divided; subtract K's logarithm, not K.": (
            lambda log_w: torch.logsumexp(log_w, -1) - log_w.shape[-1]
        ),
        "look at the sign: the logarithm of a mean of weights, without a minus.": (
            lambda log_w: -variational.log_mean_exp(log_w)
        ),
    },
    hints=(
        "log(sum / K) = log(sum) - log(K), and the log of a sum of exp has a function of its own.",
        "torch.logsumexp(log_w, -1) subtracts the largest number first, so nothing underflows.",
        "K is log_w.shape[-1].",
        "Try:  return torch.logsumexp(log_w, -1) - ...",
    ),
)


def _samples():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n, d in [(6, 3), (2, 2), (5, 1)]:
        mu, logvar = torch.randn(2, d, generator=generator)
        z = mu + (logvar / 2).exp() * torch.randn(n, d, generator=generator)
        cases.append((10 * torch.randn(n, generator=generator) - 50, mu, logvar, z))
    return cases


exercise(
    variational.score_function_gradient,
    cases=_samples,
    mistakes={
        "look at the division: by the variance, which is exp(logvar), not by sigma.": (
            lambda f, mu, logvar, z: f[:, None] * (z - mu) / (logvar / 2).exp()
        ),
        "look at the division: by the variance; logvar is its logarithm.": (
            lambda f, mu, logvar, z: f[:, None] * (z - mu) / logvar
        ),
        "look at the division: the score is (z - mu) over the variance.": (
            lambda f, mu, logvar, z: f[:, None] * (z - mu)
        ),
        "look at the sign: it pushes mu towards the z whose f is large, z - mu.": (
            lambda f, mu, logvar, z: f[:, None] * (mu - z) / logvar.exp()
        ),
        "look at f: each sample's score counts as much as its f.": (
            lambda f, mu, logvar, z: (z - mu) / logvar.exp()
        ),
        "look at the mean: one estimate a row is wanted, their mean is taken later.": (
            lambda f, mu, logvar, z: (f[:, None] * (z - mu) / logvar.exp()).mean(0)
        ),
        "look at the sum: one number for each latent dimension, (N, d).": (
            lambda f, mu, logvar, z: (f[:, None] * (z - mu) / logvar.exp()).sum(1)
        ),
        "look at log q: its gradient, not log q itself, is multiplied by f.": (
            lambda f, mu, logvar, z: f[:, None] * Normal(mu, (logvar / 2).exp()).log_prob(z)
        ),
    },
    hints=(
        "f(z) times the gradient of log q(z); the formula above has both factors.",
        "f is (N,) and must multiply rows of (N, d): f[:, None].",
        "The variance is logvar.exp().",
        "Try:  return f[:, None] * (z - mu) / ...",
    ),
)


def _beta_with(pixels_power=1, d_power=1, invert=False, swap=False, scale_power=1):
    def effective_beta(pixels, d, reconstruction="sum", kl="sum", scale=1.0, weight=1.0):
        first, second = (kl, reconstruction) if swap else (reconstruction, kl)
        beta = weight / scale**scale_power
        beta *= pixels**pixels_power if first == "mean" else 1
        beta /= d**d_power if second == "mean" else 1
        return 1 / beta if invert else beta

    return effective_beta


exercise(
    variational.effective_beta,
    cases=lambda: [
        (300, 7, "mean", "mean", 2.0, 3.0),
        (784, 20, "mean"),
        (100, 5, "sum", "mean"),
        (784, 20),
        (12288, 128, "mean", "sum", 1.0, 0.00025),
        (784, 20, "sum", "sum", 1.0, 0.0),
    ],
    mistakes={
        "look at the reductions: a mean over pixels is the sum divided by their number.": (
            _beta_with(pixels_power=0)
        ),
        "look at the KL: its mean over latent numbers is the sum divided by d.": (
            _beta_with(d_power=0)
        ),
        "look at the direction: a mean over pixels makes the KL heavier beside it, not lighter.": (
            _beta_with(pixels_power=-1)
        ),
        "look at the direction: a mean over latent numbers makes the KL lighter.": (
            _beta_with(d_power=-1)
        ),
        "look at the fraction: beta is the KL's factor over the reconstruction's.": (
            _beta_with(invert=True)
        ),
        "look at the reductions: each belongs to its own term.": _beta_with(swap=True),
        "look at scale: it stands before the reconstruction, so divide by it.": (
            _beta_with(scale_power=-1)
        ),
        "look at scale: dividing the loss by it leaves beta before the KL.": (
            _beta_with(scale_power=0)
        ),
    },
    hints=(
        "Write both terms as sums: a mean over n numbers is the sum times 1 / n.",
        "Then the loss is a * reconstruction + b * kl; divide it by a.",
        "a is scale, or scale / pixels; b is weight, or weight / d; the answer is b / a.",
        "Try:  a = scale / pixels if reconstruction == 'mean' else scale,  likewise  b = ...,  "
        "and  return b / a",
    ),
)


def _means():
    """Codes of which some units vary and some don't, though their means are far from 0."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.tensor([1.0, 0.05, 0.2, 0.0, 0.06, 3.0])
    mu = torch.randn(400, 6, generator=generator) * spread
    shifted = mu + torch.tensor([0.0, 2.0, 0.0, -1.0, 0.05, 0.0])
    slow = mu.sort(0).values  # neighbours are alike
    return [(mu,), (shifted,), (shifted, 0.5), (shifted[:, :2], 1e-4), (slow,)]


exercise(
    variational.active_units,
    cases=_means,
    mistakes={
        "look at the variance: a large mean that never moves carries nothing.": (
            lambda mu, threshold=0.01: mu.square().mean(0) > threshold
        ),
        "look at the variance: the threshold is for it, not for its square root.": (
            lambda mu, threshold=0.01: mu.std(0) > threshold
        ),
        "look at the dimension: the variance is over the N examples, one answer a unit.": (
            lambda mu, threshold=0.01: mu.var(1) > threshold
        ),
        "look at the comparison: active is above the threshold.": (
            lambda mu, threshold=0.01: mu.var(0) < threshold
        ),
        "look at the threshold: it is an argument, not always 0.01.": (
            lambda mu, threshold=0.01: mu.var(0) > 0.01
        ),
        "look at the result: which units, (d,), not how many.": (
            lambda mu, threshold=0.01: (mu.var(0) > threshold).sum()
        ),
        "look at the mean: near 0 or not, what counts is whether mu moves.": (
            lambda mu, threshold=0.01: mu.mean(0).abs() > threshold
        ),
        "look at the result: True or False for each unit, not its variance.": (
            lambda mu, threshold=0.01: mu.var(0)
        ),
    },
    hints=(
        "Each column of mu is a unit; how much does it vary from image to image?",
        "mu.var(0) is (d,).",
        "Try:  return mu.var(...) > threshold",
    ),
)
