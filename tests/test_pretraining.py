"""Pretraining against machines small enough to enumerate, closed forms, scikit-learn and PCA."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.neural_network import BernoulliRBM
from torch import nn

from aecourse import models, pretraining
from aecourse.losses import squared_error
from aecourse.training import fit

SHAPE = (1, 2, 3)


def binary(n):
    """All 2^n binary vectors of n numbers."""
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)), dtype=torch.float64)


@pytest.fixture
def rbm():
    """6 visible and 4 hidden units with weights of size 1, in double precision."""
    torch.manual_seed(0)
    rbm = pretraining.RBM(SHAPE, 4).double()
    for p in rbm.parameters():
        nn.init.normal_(p)
    return rbm


@pytest.fixture
def v():
    """40 images of which half are nearly all 1 and half nearly all 0."""
    torch.manual_seed(1)
    p = torch.tensor([0.9, 0.1]).repeat(20)[:, None]
    return torch.bernoulli(p.expand(40, 6)).unflatten(1, SHAPE).double()


def log_joint(rbm):
    """-E(v, h) for all 64 v and 16 h, from the definition."""
    v, h = binary(6), binary(4)
    w, b, c = rbm.weight, rbm.hidden_bias, rbm.visible_bias
    return (v @ c)[:, None] + h @ b + v @ w.T @ h.T  # (64, 16)


def log_likelihood(rbm, v):
    """Mean of log p(v) by enumeration of all v."""
    log_z = torch.logsumexp(-rbm.free_energy(binary(6).unflatten(1, SHAPE)), 0)
    return (-rbm.free_energy(v) - log_z).mean()


def test_the_free_energy_is_the_sum_over_all_hidden_states(rbm):
    enumerated = -log_joint(rbm).logsumexp(1)
    assert torch.allclose(rbm.free_energy(binary(6).unflatten(1, SHAPE)), enumerated)


def test_the_free_energy_of_linear_units_is_the_integral_over_h(rbm):
    """One unit of variance 1: exp(-E) = exp(c v + (b + w v) h - h^2 / 2) / sqrt(2 pi)."""
    one = pretraining.RBM(SHAPE, 1, linear=True).double()
    nn.init.normal_(one.weight)
    v = binary(6).unflatten(1, SHAPE)
    h = torch.linspace(-30, 30, 20001, dtype=torch.float64)
    density = torch.exp(one.inputs(v) * h - h**2 / 2) / (2 * torch.pi) ** 0.5
    integral = torch.trapezoid(density, h, dim=1)
    assert torch.allclose(one.free_energy(v), -integral.log() - v.flatten(1) @ one.visible_bias)


def test_encode_and_decode_are_the_conditional_means(rbm):
    joint = log_joint(rbm).exp()
    h_given_v = joint @ binary(4) / joint.sum(1, keepdim=True)
    v_given_h = joint.T @ binary(6) / joint.sum(0)[:, None]
    assert torch.allclose(rbm.encode(binary(6).unflatten(1, SHAPE)), h_given_v)
    assert torch.allclose(rbm.decode(binary(4)).flatten(1), v_given_h)


def test_encode_is_scikit_learns(rbm):
    theirs = BernoulliRBM(4)
    theirs.components_ = rbm.weight.detach().numpy()
    theirs.intercept_hidden_ = rbm.hidden_bias.detach().numpy()
    theirs.intercept_visible_ = rbm.visible_bias.detach().numpy()
    v = binary(6)
    np.testing.assert_allclose(theirs.transform(v.numpy()), rbm.encode(v).detach(), rtol=1e-6)


@pytest.mark.parametrize("linear", [False, True])
def test_samples_have_the_mean_and_the_variance_of_their_units(linear):
    torch.manual_seed(0)
    rbm = pretraining.RBM(SHAPE, 4, linear)
    nn.init.normal_(rbm.weight)
    v = torch.rand(1, *SHAPE)
    p = rbm.encode(v)
    h = rbm.sample(v.expand(100_000, *SHAPE))
    assert torch.allclose(h.mean(0), p[0], atol=0.02)
    variance = torch.ones(4) if linear else (p * (1 - p))[0]
    assert torch.allclose(h.var(0), variance, atol=0.02)


def test_the_positive_half_of_cd1_is_the_gradient_of_the_free_energy(rbm, v):
    """When the reconstruction has no influence, at v_hat = 0, cd1 is -dF/dw, and <h> - h(0)."""
    w, b = rbm.weight.detach(), rbm.hidden_bias.detach()
    c = torch.full((6,), -1e4, dtype=torch.float64)  # all visible units off
    dw, db, dc = pretraining.cd1(w, b, c, v.flatten(1), torch.rand(40, 4).double())
    rbm.free_energy(v).mean().backward()
    assert torch.allclose(dw, -rbm.weight.grad)
    assert torch.allclose(db, -rbm.hidden_bias.grad - b.sigmoid())
    assert torch.allclose(dc, v.flatten(1).mean(0))


def test_the_gradient_of_the_loss_is_cd1(rbm, v, monkeypatch):
    u = torch.rand(40, 4).double()
    monkeypatch.setattr(torch, "bernoulli", lambda p: (u < p).double())
    (loss,) = pretraining.contrastive_divergence(rbm, v).values()
    loss.backward()
    w, b, c = rbm.parameters()
    changes = pretraining.cd1(*(p.detach() for p in (w, b, c)), v.flatten(1), u)
    for p, change in zip((w, b, c), changes, strict=True):
        assert torch.allclose(p.grad, -change)


def test_cd1_climbs_the_likelihood(rbm, v):
    """Its mean direction has a positive part along the exact gradient, at a distance from it."""
    log_likelihood(rbm, v).backward()
    exact = torch.cat([p.grad.flatten() for p in rbm.parameters()])
    many = v.repeat(500, 1, 1, 1).flatten(1)
    u = torch.rand(len(many), 4, generator=torch.Generator().manual_seed(0)).double()
    changes = pretraining.cd1(*(p.detach() for p in rbm.parameters()), many, u)
    mean = torch.cat([change.flatten() for change in changes])
    assert torch.cosine_similarity(exact, mean, dim=0) > 0.8


def test_an_rbm_trained_by_fit_knows_its_data(v):
    torch.manual_seed(0)
    rbm = pretraining.RBM(SHAPE, 4).double()
    before = log_likelihood(rbm, v).item()
    fit(rbm, v, pretraining.contrastive_divergence, epochs=300, batch=20, lr=0.02)
    independent = v.flatten(1).mean(0)  # the best of all models whose pixels know nothing
    best = (independent * independent.log() + (1 - independent) * (1 - independent).log()).sum()
    assert log_likelihood(rbm, v) > best + 0.5 > before


# ---- a random start ---------------------------------------------------------------------------


def test_he_is_torchs_kaiming_and_keeps_the_mean_square():
    torch.manual_seed(0)
    theirs = nn.init.kaiming_normal_(torch.empty(400, 300), nonlinearity="relu")
    weight = pretraining.he(torch.randn(400, 300))
    assert weight.std().item() == pytest.approx(theirs.std().item(), rel=0.02)
    y = torch.randn(500, 300)
    kept = (y @ weight.T).relu().square().mean() / y.square().mean()
    assert kept.item() == pytest.approx(1, abs=0.05)


def test_start_begins_near_the_mean_image(x):
    model = stack(nn.ReLU, hidden=(64, 32), d=3)
    torch.manual_seed(0)
    pretraining.start(model, x)
    for layer in [*model.encoder[::2], *model.decoder[::2]]:
        assert layer.weight.var().item() == pytest.approx(2 / layer.in_features, rel=0.4)
    assert torch.allclose(model.decode(torch.zeros(1, 3))[0], x.mean(0), atol=1e-5)
    assert all((layer.bias == 0).all() for layer in model.encoder[::2])


# ---- a stack ----------------------------------------------------------------------------------


@pytest.fixture
def x():
    """300 smooth images of 8 x 8."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(300, 1, 2, 2, generator=generator)
    return nn.functional.interpolate(coarse, size=(8, 8), mode="bilinear")


def stack(activation, hidden=(16, 8), d=3):
    torch.manual_seed(0)
    return models.Autoencoder((1, 8, 8), hidden, d, activation)


def test_the_levels_in_order_are_the_model(x):
    model = stack(nn.Sigmoid)
    codes = [x]
    parts = pretraining.levels(model)
    for level in parts:
        codes.append(level.encode(codes[-1]))
    assert torch.equal(codes[-1], model.encode(x))
    x_hat = codes[-1]
    for level in parts[::-1]:
        x_hat = level.decode(x_hat)
    assert torch.allclose(x_hat, model(x), atol=1e-6)
    shared = [p for level in parts for p in level.parameters()]
    assert {id(p) for p in shared} == {id(p) for p in model.parameters()}


def test_no_hidden_layer_is_one_level(x):
    (level,) = pretraining.levels(stack(nn.Sigmoid, hidden=()))
    assert torch.allclose(level(x), stack(nn.Sigmoid, hidden=())(x))


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.ReLU, nn.Tanh, nn.GELU])
def test_pretraining_rebuilds_far_better_than_a_random_start(x, activation):
    model = stack(activation, (32, 16), 4)
    before = squared_error(x, model(x)).item()
    histories = pretraining.pretrain(model, x, epochs=80, batch=50, lr=0.005)
    assert [len(h["epoch"]) for h in histories] == [80] * 3
    assert all(h["loss"][-1] < h["loss"][0] for h in histories)
    mean = squared_error(x, x.mean(0).expand_as(x)).item()
    assert squared_error(x, model(x)) < 0.7 * mean < before


def test_a_linear_level_finds_the_error_of_pca(x):
    """Level 2 of identity units is a linear autoencoder on the codes of level 1."""
    model = stack(nn.Identity, hidden=(16,), d=3)
    first, second = pretraining.levels(model)
    _, history = pretraining.pretrain(model, x, epochs=300, batch=300, lr=0.02)
    codes = first.encode(x).detach()
    floor = squared_error(codes, models.PCA(codes, 3)(codes)).item()
    assert 0.999 * floor < history["loss"][-1] < 1.05 * floor
    assert squared_error(codes, second(codes)) < 1.05 * floor


def test_each_loss_fits_its_codes(x):
    """Cross-entropy for pixels and sigmoid codes, squared error for codes that have no bounds."""
    for activation, bounded in [(nn.Sigmoid, True), (nn.ReLU, False)]:
        first, second, _ = pretraining.levels(stack(activation))
        codes = first.encode(x)
        (loss,) = pretraining.level_loss(second, codes).values()
        rebuilt = second.logits(second.encode(codes))
        p = rebuilt.sigmoid()
        entropy = -codes * p.log() - (1 - codes) * (1 - p).log()
        terms = entropy if bounded else (codes - rebuilt) ** 2
        assert torch.allclose(loss, terms.sum(1).mean(), rtol=1e-4)
        (loss,) = pretraining.level_loss(first, x).values()
        x_hat = first.decode(first.encode(x))
        entropy = nn.functional.binary_cross_entropy(x_hat, x, reduction="sum") / len(x)
        assert torch.allclose(loss, entropy, rtol=1e-4)


def test_noise_reaches_the_level_in_training_only(x):
    """Each level is asked to rebuild clean codes from noisy ones, and passes clean ones on."""
    seen = []

    def erase(x):
        seen.append(x)
        return torch.zeros_like(x)

    model = stack(nn.Sigmoid)
    first = pretraining.levels(model)[0]
    pretraining.pretrain(model, x, corrupt=erase, epochs=30, batch=300, lr=0.05)
    assert [tuple(s.shape[1:]) for s in seen[::30]] == [(1, 8, 8), (16,), (8,)]
    clean = first.encode(x)
    assert torch.allclose(seen[30].sum(), clean.sum(), rtol=1e-4)
    # nothing but the mean can be rebuilt from nothing
    assert torch.allclose(
        first.decode(first.encode(torch.zeros_like(x[:1])))[0], x.mean(0), atol=0.1
    )


def test_rbms_start_a_stack(x):
    model = stack(nn.Sigmoid)
    before = squared_error(x, model(x)).item()
    histories = pretraining.pretrain_rbm(model, x, epochs=60, batch=50, lr=0.01)
    assert [list(h)[3:] for h in histories] == [["free energy gap"]] * 3
    mean = squared_error(x, x.mean(0).expand_as(x)).item()
    assert squared_error(x, model(x)) < 0.8 * mean < before
    for level in pretraining.levels(model):
        assert torch.equal(level.encoder[0].weight, level.decoder.weight.T)


def test_the_stack_is_its_rbms_trained_one_by_one_the_last_one_linear(x):
    model = models.Autoencoder(x.shape[1:], (12,), 3, nn.Sigmoid)
    torch.manual_seed(1)
    pretraining.pretrain_rbm(model, x, epochs=1)
    torch.manual_seed(1)
    first = pretraining.RBM(x.shape[1:], 12)
    fit(first, x, pretraining.contrastive_divergence, epochs=1)
    last = pretraining.RBM((12,), 3, linear=True)
    with torch.no_grad():
        h = first.encode(x)
    fit(last, h, pretraining.contrastive_divergence, epochs=1)
    for rbm, layer in zip([first, last], [model.encoder[0], model.encoder[2]], strict=True):
        torch.testing.assert_close(layer.weight, rbm.weight)
        torch.testing.assert_close(layer.bias, rbm.hidden_bias)


def test_a_pixel_that_is_always_black_or_white_gets_a_finite_start():
    x = torch.tensor([0.0, 1.0, 0.5, 0.0]).expand(3, 4).reshape(3, 1, 2, 2)
    model = models.Autoencoder((1, 2, 2), (3,), 2)
    pretraining.start(model, x)
    bias = [m for m in model.modules() if isinstance(m, nn.Linear)][-1].bias
    odds = np.log(0.999 / 0.001)
    np.testing.assert_allclose(bias.detach(), [-odds, odds, 0, -odds], rtol=1e-4)


def test_rbms_are_for_sigmoid_units(x):
    with pytest.raises(ValueError, match=r"these are ReLU: use pretrain\(model, x\)"):
        pretraining.pretrain_rbm(stack(nn.ReLU), x, epochs=1)
