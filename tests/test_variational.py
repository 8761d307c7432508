"""The bounds of a VAE against integrals, SciPy, NumPy and automatic differentiation."""

import numpy as np
import pytest
import torch
from scipy import special, stats
from torch.distributions import Normal
from torch.nn import functional as F

from aecourse import losses, models, variational

SHAPE = (1, 3, 4)


@pytest.fixture
def x():
    """50 binary images."""
    return torch.bernoulli(torch.rand(50, *SHAPE, generator=torch.Generator().manual_seed(0)))


@pytest.fixture
def model():
    """A VAE of one latent number whose posteriors and images do vary."""
    torch.manual_seed(0)
    model = models.VAE(SHAPE, (8,), 1, torch.nn.Tanh).double()
    with torch.no_grad():
        for p in model.parameters():
            p *= 2
    return model.requires_grad_(False)


def integral(model, x):
    """log p(x) of each row by the trapezoidal rule over z in [-10, 10]."""
    z = torch.linspace(-10, 10, 4001, dtype=torch.float64)[:, None]
    images = torch.distributions.Bernoulli(logits=model.logits(z)[:, None])  # (4001, 1, *SHAPE)
    log_joint = images.log_prob(x).flatten(2).sum(2) + Normal(0.0, 1.0).log_prob(z)
    return np.log(np.trapezoid(log_joint.exp().numpy(), z[:, 0].numpy(), axis=0))


def test_log_mean_exp_is_scipys():
    log_w = 10 * torch.randn(5, 3, 40, generator=torch.Generator().manual_seed(0)).double()
    truth = special.logsumexp(log_w.numpy() - 900, axis=-1, b=1 / 40)
    np.testing.assert_allclose(variational.log_mean_exp(log_w - 900), truth, rtol=1e-12)


def test_the_mean_weight_is_the_integral(model, x):
    """The weights are unbiased: their mean is p(x) within four standard errors, not its log."""
    torch.manual_seed(0)
    ratio = variational.log_weights(model, x.double(), 20_000).exp().numpy()
    ratio /= np.exp(integral(model, x.double()))[:, None]  # (50, 20000), mean 1
    error = ratio.std(1) / 20_000**0.5
    assert (np.abs(ratio.mean(1) - 1) < 4 * error).all() and error.max() < 0.1


def test_the_mean_log_weight_is_the_elbo(model, x):
    x = x.double()
    torch.manual_seed(0)
    log_w = variational.log_weights(model, x, 5000)
    torch.manual_seed(1)
    rows = x.repeat_interleave(5000, 0)
    elbo = -sum(losses.negative_elbo(model, rows).values())
    assert log_w.shape == (50, 5000)
    assert log_w.mean().item() == pytest.approx(elbo.item(), abs=4 * log_w.std().item() / 500)


def test_more_samples_are_a_tighter_bound_and_reach_the_integral(model, x):
    x = x.double()
    torch.manual_seed(0)
    bounds = [variational.log_likelihood(model, x, k).mean().item() for k in (1, 10, 2000)]
    assert bounds[0] + 0.01 < bounds[1] < bounds[2]
    assert bounds[2] == pytest.approx(integral(model, x).mean(), abs=0.01)


def test_log_likelihood_does_not_depend_on_the_block(model, x):
    x = x.double()
    torch.manual_seed(0)
    one = variational.log_likelihood(model, x, 1000, block=50_000)
    assert one.shape == (50,)
    many = variational.log_likelihood(model, x, 1000, block=3000)
    assert torch.allclose(one, many, atol=0.2)


LOSSES = {  # a loss as people write it -> the arguments that describe it
    "sums": (lambda r, k: r.sum() + k.sum(), {}),
    "means": (lambda r, k: r.mean() + k.mean(), {"reconstruction": "mean", "kl": "mean"}),
    "mean and sum": (lambda r, k: r.mean() + k.sum(), {"reconstruction": "mean"}),
    "weighted": (
        lambda r, k: 0.5 * r.sum() + 3 * k.mean(),
        {"kl": "mean", "scale": 0.5, "weight": 3},
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_effective_beta_is_the_ratio_of_the_gradients(name):
    loss, arguments = LOSSES[name]
    pixels, code = torch.rand(30, requires_grad=True), torch.rand(4, requires_grad=True)
    loss(pixels, code).backward()
    truth = (code.grad / pixels.grad[0]).mean().item()
    assert variational.effective_beta(30, 4, **arguments) == pytest.approx(truth, rel=1e-5)


def test_beta_of_a_squared_error_is_twice_the_variance(x):
    """||x - x_hat||^2 + beta KL has the gradient of the Gaussian ELBO with sigma^2 = beta / 2."""
    x_hat = torch.full_like(x, 0.3, requires_grad=True)
    beta = variational.effective_beta(12, 4, reconstruction="mean", weight=0.05)
    (gradient,) = torch.autograd.grad(12 / beta * F.mse_loss(x_hat, x), x_hat)
    (truth,) = torch.autograd.grad(losses.gaussian_nll(x, x_hat, (beta / 2) ** 0.5), x_hat)
    assert torch.allclose(gradient, truth, rtol=1e-5)


@pytest.mark.parametrize("where", ["reconstruction", "kl"])
def test_effective_beta_names_a_reduction_that_it_does_not_know(where):
    with pytest.raises(ValueError, match="'none' is not a reduction"):
        variational.effective_beta(784, 20, **{where: "none"})


def test_active_units_are_those_that_move():
    mu = np.random.default_rng(0).normal(size=(1000, 5)) * [1, 0.2, 0.09, 0.01, 0] + [0, 3, 9, 0, 1]
    active = variational.active_units(torch.from_numpy(mu))
    assert active.tolist() == (np.var(mu, axis=0) > 0.01).tolist() == [True, True] + 3 * [False]
    assert variational.active_units(torch.from_numpy(mu), 0.5).tolist() == [True] + 4 * [False]


@pytest.mark.parametrize("k, block", [(3, 7), (7, 7), (20, 7)])
def test_no_more_codes_than_a_block_are_decoded_at_once(model, x, k, block, monkeypatch):
    decoded, logits = [], model.logits
    monkeypatch.setattr(model, "logits", lambda z: decoded.append(len(z)) or logits(z))
    variational.log_likelihood(model, x, k, block=block)
    assert sum(decoded) == k * len(x) and max(decoded) <= block


def test_the_variance_of_a_unit_is_that_of_the_data_not_an_estimate():
    mu = torch.tensor([[0.0], [0.18]])  # 0.0081 over the data, 0.0162 as an estimate
    assert variational.active_units(mu).tolist() == [False]


def test_log_weights_are_those_of_torch_distributions():
    torch.manual_seed(0)
    model = models.VAE((1, 2, 2), (4,), 3)
    x = torch.bernoulli(torch.rand(5, 1, 2, 2))
    torch.manual_seed(1)
    log_w = variational.log_weights(model, x, 2)
    torch.manual_seed(1)
    mu, logvar = model.posterior(x)
    q = torch.distributions.MultivariateNormal(mu, torch.diag_embed(logvar.exp()))
    prior = torch.distributions.MultivariateNormal(torch.zeros(3), torch.eye(3))
    z = mu + (logvar / 2).exp() * torch.randn(2, 5, 3)
    for k in range(2):
        p = torch.distributions.Bernoulli(logits=model.logits(z[k]))
        expected = p.log_prob(x).sum((1, 2, 3)) + prior.log_prob(z[k]) - q.log_prob(z[k])
        torch.testing.assert_close(log_w[:, k], expected)


def test_the_score_function_gradient_is_unbiased():
    """E[(a z)^2] has the gradient 2 a^2 mu."""
    torch.manual_seed(0)
    a = torch.tensor([1.0, -2.0, 0.5])
    mu, logvar = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([-1.0, 0.0, 0.5])
    z = losses.reparameterise(mu, logvar, torch.randn(400_000, 3))
    g = variational.score_function_gradient((a * z).square().sum(1), mu, logvar, z)
    assert g.shape == (400_000, 3)
    error = g.std(0) / len(g) ** 0.5
    assert ((g.mean(0) - 2 * a**2 * mu).abs() < 4 * error).all() and error.max() < 0.1


@pytest.mark.parametrize("n", [1, 4, 15])
def test_the_prior_grid_lies_at_the_quantiles(n):
    z = variational.prior_grid(n).view(n, n, 2).numpy()
    places = stats.norm.ppf((np.arange(n) + 0.5) / n)
    np.testing.assert_allclose(z[0, :, 0], places, atol=1e-6)
    np.testing.assert_allclose(z[:, 0, 1], places[::-1], atol=1e-6)
    assert (z[..., 0] == z[:1, :, 0]).all() and (z[..., 1] == z[:, :1, 1]).all()
