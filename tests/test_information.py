"""Information of Gaussians against torch.distributions, SciPy's integrals, samples and theorems."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.distributions import MultivariateNormal, kl_divergence

from aecourse import information


def random(*sizes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*sizes, generator=generator, dtype=torch.float64)


def covariance(size, seed=0):
    root = random(size, size, seed=seed)
    return root @ root.T + 0.1 * torch.eye(size)


CHANNELS = [
    (random(d, size, seed=seed), covariance(size, seed + 9), sigma)
    for seed, (d, size, sigma) in enumerate([(1, 2, 0.5), (2, 2, 2.0), (3, 5, 0.3), (4, 3, 1.0)])
]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_entropy_is_the_distribution_s(size):
    cov = covariance(size)
    truth = MultivariateNormal(torch.zeros(size).double(), cov).entropy()
    assert torch.allclose(information.gaussian_entropy(cov), truth)


def test_entropy_of_one_number_by_integration():
    truth = stats.norm(3, 0.2).entropy()
    assert information.gaussian_entropy(torch.tensor([[0.04]])).item() == pytest.approx(truth)
    assert truth < 0


@pytest.mark.parametrize("w, cov, sigma", CHANNELS)
def test_information_is_what_the_entropies_leave(w, cov, sigma):
    """I = H(X) + H(Z) - H(X, Z), from the joint covariance, by NumPy."""
    w, cov = w.numpy(), cov.numpy()
    cov_z = w @ cov @ w.T + sigma**2 * np.eye(len(w))
    joint = np.block([[cov, cov @ w.T], [w @ cov, cov_z]])
    logs = [np.linalg.slogdet(a)[1] for a in (cov, cov_z, joint)]
    came = information.mutual_information(*map(torch.from_numpy, (w, cov)), sigma).item()
    assert came == pytest.approx((logs[0] + logs[1] - logs[2]) / 2, rel=1e-9)


def test_information_of_one_number_by_integration():
    """x ~ N(0, 1), z = 2 x + noise: the integral of q(x, z) log q(x, z) / q(x) q(z)."""

    def integrand(z, x):
        given = stats.norm.pdf(z, 2 * x, 1)
        return stats.norm.pdf(x) * given * math.log(given / stats.norm.pdf(z, 0, math.sqrt(5)))

    lower, upper = (lambda x: 2 * x - 8), (lambda x: 2 * x + 8)
    truth, _ = integrate.dblquad(integrand, -6, 6, lower, upper, epsabs=1e-6)
    one = torch.ones(1, 1, dtype=torch.float64)
    assert information.mutual_information(2 * one, one, 1.0).item() == pytest.approx(truth, 1e-4)


def test_information_of_a_singular_covariance():
    cov = torch.diag(torch.tensor([3.0, 0.0]))
    came = information.mutual_information(torch.eye(2), cov, 1.0).item()
    assert came == pytest.approx(math.log(4) / 2)


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan])
def test_a_channel_without_noise_is_refused(sigma):
    with pytest.raises(ValueError, match="without noise the information is infinite"):
        information.mutual_information(torch.eye(2), torch.eye(2), sigma)


@pytest.mark.parametrize("size", [1, 2, 6])
def test_kl_is_the_distributions_s(size):
    p = random(size), covariance(size)
    q = random(size, seed=1), covariance(size, 1)
    truth = kl_divergence(MultivariateNormal(*p), MultivariateNormal(*q))
    assert torch.allclose(information.gaussian_kl(*p, *q), truth)
    assert abs(information.gaussian_kl(*p, *p)) < 1e-12


@pytest.mark.parametrize("w, cov, sigma", CHANNELS)
def test_the_best_decoder_is_the_posterior_and_reaches_the_information(w, cov, sigma):
    """The other formula of the posterior: precisions add."""
    a, s = information.best_decoder(w, cov, sigma)
    posterior = torch.linalg.inv(torch.linalg.inv(cov) + w.T @ w / sigma**2)
    assert torch.allclose(s, posterior)
    assert torch.allclose(a, posterior @ w.T / sigma**2)
    truth = information.mutual_information(w, cov, sigma)
    assert torch.allclose(information.bound(a, s, w, cov, sigma), truth, rtol=1e-10)


@pytest.mark.parametrize("w, cov, sigma", CHANNELS)
def test_the_gap_of_any_decoder_is_the_kl_of_the_joint_distributions(w, cov, sigma):
    best, posterior = information.best_decoder(w, cov, sigma)
    cov_z = w @ cov @ w.T + sigma**2 * torch.eye(len(w))

    def joint(a, s):  # of (x, z), with z as it is and x drawn by the decoder
        return torch.cat(
            [torch.cat([a @ cov_z @ a.T + s, a @ cov_z], 1), torch.cat([cov_z @ a.T, cov_z], 1)]
        )

    nothing = torch.zeros(len(w) + len(cov)).double()
    for seed in range(5):
        a, s = best + random(*best.shape, seed=seed), covariance(len(cov), seed)
        pair = (MultivariateNormal(nothing, joint(*q)) for q in [(best, posterior), (a, s)])
        gap = information.mutual_information(w, cov, sigma) - information.bound(a, s, w, cov, sigma)
        assert gap > 0
        assert torch.allclose(gap, kl_divergence(*pair), rtol=1e-8)


def test_the_bound_is_what_samples_say():
    (w, cov, sigma), a, s = CHANNELS[2], random(5, 3, seed=4) / 5, covariance(5, 4)
    torch.manual_seed(0)
    x = MultivariateNormal(torch.zeros(5).double(), cov).sample((20_000,))
    z = x @ w.T + sigma * torch.randn(20_000, 3)
    log_p = MultivariateNormal(z @ a.T, s).log_prob(x)
    came = information.bound(a, s, w, cov, sigma) - information.gaussian_entropy(cov)
    assert abs(log_p.mean() - came) < 3 * log_p.std() / 20_000**0.5
