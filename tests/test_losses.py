"""Losses against torch.distributions, and their one convention of sums and means."""

import math

import pytest
import torch
from scipy import integrate
from torch.distributions import Bernoulli, ContinuousBernoulli, Laplace, Normal, kl_divergence

from aecourse import losses, models

SHAPE = (1, 4, 5)


@pytest.fixture
def x():
    return torch.rand(7, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def x_hat():
    return torch.rand(7, *SHAPE, generator=torch.Generator().manual_seed(1))


def test_squared_error_is_summed_over_pixels_and_averaged_over_images(x, x_hat):
    by_hand = sum(float(((a - b) ** 2).sum()) for a, b in zip(x, x_hat, strict=True)) / 7
    assert losses.squared_error(x, x_hat).item() == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_gaussian_is_the_distribution_s(x, x_hat, sigma):
    truth = -Normal(x_hat, sigma).log_prob(x).flatten(1).sum(1).mean()
    assert losses.gaussian_nll(x, x_hat, sigma).item() == pytest.approx(truth.item(), rel=1e-5)


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_laplace_is_the_distribution_s(x, x_hat, scale):
    truth = -Laplace(x_hat, scale).log_prob(x).flatten(1).sum(1).mean()
    assert losses.laplace_nll(x, x_hat, scale).item() == pytest.approx(truth.item(), rel=1e-5)


def test_laplace_is_least_at_the_median_and_gaussian_at_the_mean(x):
    guesses = torch.linspace(0, 1, 201)
    row = x[:, :, :1, :1]  # seven values of one pixel
    costs = [
        [loss(row, g.expand_as(row), 0.5) for g in guesses]
        for loss in (losses.laplace_nll, losses.gaussian_nll)
    ]
    best = guesses[torch.tensor(costs).argmin(1)]
    assert best[0].item() == pytest.approx(row.median().item(), abs=0.005)
    assert best[1].item() == pytest.approx(row.mean().item(), abs=0.005)
    assert abs(best[0] - best[1]) > 0.02


def test_bernoulli_is_the_distribution_s(x, x_hat):
    bits, logits = (x > 0.5).float(), 8 * x_hat - 4
    truth = -Bernoulli(logits=logits).log_prob(bits).flatten(1).sum(1).mean()
    assert losses.bernoulli_nll(bits, logits).item() == pytest.approx(truth.item(), rel=1e-5)


def test_bernoulli_on_grey_is_the_cross_entropy(x, x_hat):
    p = torch.sigmoid(x_hat)
    truth = -(x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1).mean()
    assert losses.bernoulli_nll(x, x_hat).item() == pytest.approx(truth.item(), rel=1e-5)


def test_bernoulli_is_exact_where_probabilities_round_to_one(x):
    far = torch.full_like(x, 200.0)
    assert losses.bernoulli_nll(torch.zeros_like(x), far).item() == pytest.approx(200 * 20)


def test_continuous_bernoulli_is_the_distribution_s(x, x_hat):
    logits = 30 * x_hat - 15
    truth = -ContinuousBernoulli(logits=logits.double()).log_prob(x.double()).sum() / 7
    came = losses.continuous_bernoulli_nll(x, logits).item()
    assert came == pytest.approx(truth.item(), rel=1e-5)


@pytest.mark.parametrize("logit", [-30.0, -1.0, -1e-5, 0.0, 1e-3, 2.0, 300.0])
def test_continuous_bernoulli_integrates_to_one_and_bernoulli_does_not(logit):
    def density(loss, value):
        pair = torch.tensor([[value], [logit]], dtype=torch.float64)
        return math.exp(-loss(pair[:1], pair[1:]))

    ends = {"points": [0.0, 0.01, 0.1, 0.9, 0.99], "limit": 200}
    area, _ = integrate.quad(lambda v: density(losses.continuous_bernoulli_nll, v), 0, 1, **ends)
    assert area == pytest.approx(1, abs=1e-6)
    area, _ = integrate.quad(lambda v: density(losses.bernoulli_nll, v), 0, 1, **ends)
    assert area < 0.5 + 1e-9


def test_continuous_bernoulli_has_finite_gradients_everywhere(x):
    logits = torch.linspace(-100, 100, x.numel()).view_as(x)
    logits[0] = 0
    logits.requires_grad_()
    losses.continuous_bernoulli_nll(x, logits).backward()
    assert logits.grad.isfinite().all()


def test_knowing_nothing_costs_log_2_a_pixel(x):
    cost = losses.bernoulli_nll(x, torch.zeros_like(x)).item()
    assert cost == pytest.approx(20 * math.log(2), rel=1e-5)


@pytest.mark.parametrize("loss", [losses.bernoulli_nll, losses.continuous_bernoulli_nll])
@pytest.mark.parametrize("bad", [1.5, -0.01, math.nan, math.inf])
def test_bernoulli_refuses_pixels_outside_0_1(x, bad, loss):
    x[3, 0, 1, 2] = bad
    words = r"needs x in \[0, 1\].*divide 8-bit images by 255"
    if not math.isfinite(bad):
        words = r"x contains NaN or infinity, 1 times, first at \(3, 0, 1, 2\)"
    with pytest.raises(ValueError, match=words):
        loss(x, torch.zeros_like(x))


@pytest.mark.parametrize("sigma", [0, -1, math.nan])
def test_gaussian_refuses_a_sigma_that_is_not_positive(x, sigma):
    with pytest.raises(ValueError, match="must be positive"):
        losses.gaussian_nll(x, x, sigma)


@pytest.mark.parametrize("scale", [0, -1, math.nan])
def test_laplace_refuses_a_scale_that_is_not_positive(x, scale):
    with pytest.raises(ValueError, match="must be positive"):
        losses.laplace_nll(x, x, scale)


def test_shapes_that_would_broadcast_are_refused(x):
    flat = x.flatten(1)
    ours = losses.squared_error, losses.bernoulli_nll, losses.continuous_bernoulli_nll
    for loss in (*ours, lambda x, x_hat: losses.laplace_nll(x, x_hat, 1.0)):
        with pytest.raises(ValueError, match=r"x is \(7, 1, 4, 5\), \w+ is \(7, 20\): "):
            loss(x, flat)


def test_losses_of_models_are_named_terms(x):
    torch.manual_seed(0)
    model = models.Autoencoder(SHAPE, (8,), 2)
    logits = model.logits(model.encode(x))
    (name, value), *rest = losses.bernoulli(model, x).items()
    assert name == "reconstruction" and not rest
    assert torch.equal(value, losses.bernoulli_nll(x, logits))
    terms = losses.laplace(model, x, scale=0.3)
    assert terms == {"reconstruction": losses.laplace_nll(x, model(x), 0.3)}
    terms = losses.gaussian(model, x, sigma=0.3)
    assert torch.equal(terms["reconstruction"], losses.gaussian_nll(x, model(x), 0.3))


@pytest.mark.parametrize("d", [1, 5])
def test_kl_divergence_is_the_distribution_s(d):
    generator = torch.Generator().manual_seed(0)
    mu, logvar = 2 * torch.randn(2, 9, d, generator=generator).double()
    q = Normal(mu, (logvar / 2).exp())
    truth = torch.distributions.kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean()
    assert losses.kl_divergence(mu, logvar).item() == pytest.approx(truth.item(), rel=1e-12)
    assert losses.kl_divergence(0 * mu, 0 * logvar) == 0


def test_a_reparameterised_sample_has_the_distribution_and_the_gradients():
    torch.manual_seed(0)
    mu, logvar = torch.tensor([[1.0, -2.0]]), torch.tensor([[-1.0, 0.5]])
    z = losses.reparameterise(mu, logvar, torch.randn(200_000, 2))
    assert torch.allclose(z.mean(0), mu, atol=0.02)
    assert torch.allclose(z.var(0), logvar.exp(), rtol=0.02)
    leaves = mu.requires_grad_(), logvar.requires_grad_()
    eps = torch.tensor([[0.3, -0.7]])
    slopes = torch.autograd.grad(losses.reparameterise(*leaves, eps).sum(), leaves)
    assert torch.allclose(slopes[0], torch.ones(1, 2))
    assert torch.allclose(slopes[1], (logvar / 2).exp() * eps / 2)


def test_negative_elbo_is_reconstruction_and_kl(x):
    torch.manual_seed(0)
    model = models.VAE(SHAPE, (8,), 2)
    mu, logvar = model.posterior(x)
    torch.manual_seed(1)
    z = losses.reparameterise(mu, logvar, torch.randn_like(mu))
    cases = [
        ({}, losses.bernoulli_nll(x, model.logits(z)), 1),
        ({"beta": 4.0}, losses.bernoulli_nll(x, model.logits(z)), 4),
        ({"sigma": 0.3}, losses.gaussian_nll(x, model.decode(z), 0.3), 1),
        ({"nll": losses.continuous_bernoulli_nll}, None, 1),
    ]
    for arguments, reconstruction, beta in cases:
        torch.manual_seed(1)
        terms = losses.negative_elbo(model, x, **arguments)
        if reconstruction is None:
            reconstruction = losses.continuous_bernoulli_nll(x, model.logits(z))
        assert torch.equal(terms["reconstruction"], reconstruction)
        assert torch.allclose(terms["kl"], beta * losses.kl_divergence(mu, logvar))


def test_l2_counts_weights_and_no_biases():
    model = models.LinearAutoencoder(SHAPE, 3)
    by_hand = (model.encoder.weight**2).sum() + (model.decoder.weight**2).sum()
    assert torch.allclose(losses.l2(model), by_hand)
    tied = models.LinearAutoencoder(SHAPE, 3, tied=True)
    assert torch.allclose(losses.l2(tied), (tied.encoder.weight**2).sum())


def test_l1_counts_weights_and_no_biases():
    model = models.LinearAutoencoder(SHAPE, 3)
    by_hand = model.encoder.weight.abs().sum() + model.decoder.weight.abs().sum()
    assert torch.allclose(losses.l1(model), by_hand)


@pytest.mark.parametrize("rho", [0.05, 0.3])
def test_activity_kl_is_the_distribution_s(x, rho):
    z = x.flatten(1)
    truth = kl_divergence(Bernoulli(torch.tensor(rho)), Bernoulli(z.mean(0))).sum().item()
    assert losses.activity_kl(z, rho).item() == pytest.approx(truth, rel=1e-5)
    assert losses.activity_kl(torch.full((7, 3), rho), rho).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("bad", [-0.1, 0.0, 1.0, 3.0, math.nan])
def test_activity_kl_refuses_units_that_are_no_rates(bad):
    with pytest.raises(ValueError, match="needs units between 0 and 1"):
        losses.activity_kl(torch.tensor([[0.5, bad], [0.5, bad]]), 0.05)


def test_contractive_is_the_squared_jacobian(x):
    torch.manual_seed(0)
    layer = torch.nn.Linear(20, 4).double()
    rows = x.flatten(1).double()
    jacobians = torch.vmap(torch.func.jacrev(lambda row: layer(row).sigmoid()))(rows)  # (7, 4, 20)
    truth = jacobians.square().sum((1, 2)).mean().item()
    assert losses.contractive(layer(rows).sigmoid(), layer.weight).item() == pytest.approx(truth)


def test_salt_and_pepper_replaces_its_part_and_leaves_the_rest():
    x = torch.full((100, *SHAPE), 0.5)
    noisy = losses.salt_and_pepper(
        x, 0.3, torch.rand(x.shape, generator=torch.Generator().manual_seed(0))
    )
    parts = [(noisy == value).float().mean().item() for value in (0, 0.5, 1)]
    assert parts == pytest.approx([0.15, 0.7, 0.15], abs=0.03) and (x == 0.5).all()
    assert torch.equal(losses.salt_and_pepper(x, 0.0, torch.rand_like(x)), x)
