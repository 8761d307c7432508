"""Models against scikit-learn's PCA, an eigendecomposition, and gradients."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.linear_model import LinearRegression

from aecourse import models

SHAPE = (1, 6, 5)


@pytest.fixture
def x():
    """200 images with 30 well separated variances, far from the origin."""
    generator = torch.Generator().manual_seed(0)
    turn, _ = torch.linalg.qr(torch.randn(30, 30, generator=generator))
    rows = torch.randn(200, 30, generator=generator) * 1.2 ** -torch.arange(30.0)
    return (rows @ turn.T + 3).unflatten(1, SHAPE)


def build(x):
    return [
        models.PCA(x, 4),
        models.LinearAutoencoder(SHAPE, 4),
        models.LinearAutoencoder(SHAPE, 4, tied=True),
        models.Autoencoder(SHAPE, (16, 8), 4),
        models.Autoencoder(SHAPE, (), 4),
        models.VAE(SHAPE, (16, 8), 4),
    ]


def test_every_model_has_the_same_shapes(x):
    for model in build(x):
        z = model.encode(x)
        assert z.shape == (200, 4)
        assert model.decode(z).shape == x.shape
        assert torch.equal(model(x), model.decode(z))
        assert model.shape == SHAPE


def test_probabilities_are_the_sigmoid_of_the_logits(x):
    model = models.Autoencoder(SHAPE, (16, 8), 4)
    z = 100 * torch.randn(50, 4)
    assert torch.equal(model.decode(z), torch.sigmoid(model.logits(z)))
    assert 0 <= model.decode(z).min() < 0.1 and 0.9 < model.decode(z).max() <= 1


def test_a_vae_encodes_to_the_mean_of_its_posterior(x):
    torch.manual_seed(0)
    model = models.VAE(SHAPE, (16, 8), 4)
    mu, logvar = model.posterior(x)
    assert mu.shape == logvar.shape == (200, 4) and not torch.equal(mu, logvar)
    assert torch.equal(model.encode(x), mu)
    assert [layer.out_features for layer in model.encoder[::2]] == [16, 8, 8]
    assert [layer.out_features for layer in model.decoder[::2]] == [8, 16, 30]


def test_pca_is_scikit_learns(x):
    truth = SklearnPCA(4, svd_solver="full").fit(x.flatten(1).numpy())
    mean, axes, variances = models.pca(x, 4)
    np.testing.assert_allclose(mean, truth.mean_, rtol=1e-5)
    np.testing.assert_allclose(variances, truth.explained_variance_ * 199 / 200, rtol=1e-4)
    np.testing.assert_allclose(np.abs((axes.numpy() * truth.components_).sum(1)), 1, atol=1e-5)
    rebuilt = truth.inverse_transform(truth.transform(x.flatten(1).numpy()))
    np.testing.assert_allclose(models.PCA(x, 4)(x).flatten(1), rebuilt, atol=1e-4)


@pytest.mark.parametrize("d", [0, 31, -1])
def test_pca_names_a_dimension_that_does_not_exist(x, d):
    with pytest.raises(ValueError, match=f"d = {d}.* 1 to 30"):
        models.pca(x, d)


def test_a_tied_autoencoder_has_one_matrix(x):
    model = models.LinearAutoencoder(SHAPE, 4, tied=True)
    assert [tuple(p.shape) for p in model.parameters()] == [(4, 30), (4,), (30,)]
    z = torch.randn(3, 4)
    by_hand = z @ model.encoder.weight + model.decoder.bias
    assert torch.allclose(model.decode(z).flatten(1), by_hand, atol=1e-6)


def test_an_untied_autoencoder_learns_two_matrices(x):
    model = models.LinearAutoencoder(SHAPE, 4)
    model(x).square().sum().backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= 1e-3 * p.grad
    assert not torch.allclose(model.encoder.weight, model.decoder.weight.T, atol=1e-3)


@pytest.mark.parametrize("lam", [0.0, 0.01, 0.1])
def test_optimal_weights_are_a_minimum(x, lam):
    """The gradient vanishes, and no small step, in 200 random directions, goes down."""
    x = x.double()
    encoder, decoder = (w.clone().requires_grad_() for w in models.optimal_weights(x, 4, lam))
    flat = x.flatten(1) - x.flatten(1).mean(0)

    def loss(a, b):
        squares = (flat - flat @ a.T @ b.T).square().sum() / len(flat)
        return squares + lam * (a.square().sum() + b.square().sum())

    least = loss(encoder, decoder)
    least.backward()
    assert encoder.grad.abs().max() < 1e-10 and decoder.grad.abs().max() < 1e-10
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        a, b = (torch.randn(w.shape, generator=generator).double() for w in (encoder, decoder))
        assert loss(encoder + 1e-3 * a, decoder + 1e-3 * b) >= least - 1e-12


def test_an_axis_of_less_variance_than_lam_is_given_up(x):
    *_, variances = models.pca(x, 4)
    encoder, _ = models.optimal_weights(x, 4, float(variances[2] + variances[1]) / 2)
    assert (encoder.norm(dim=1) > 0).tolist() == [True, True, False, False]


def test_recover_axes_undoes_a_turn_of_the_code(x):
    _, axes, _ = models.pca(x, 4)
    _, decoder = models.optimal_weights(x, 4, 0.05)
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))
    cosines = (models.recover_axes(decoder @ turn) * axes).sum(1).abs()
    assert cosines.min() > 0.9999
    bare = (decoder @ turn).T  # the columns themselves are not the axes
    assert ((bare / bare.norm(dim=1, keepdim=True)) * axes).sum(1).abs().min() < 0.9


def test_linear_decoding_is_least_squares_and_pca_is_its_floor(x):
    """For PCA's own codes it is PCA; for any other, scikit-learn's regression, and no better."""
    best = models.PCA(x, 4)
    assert torch.allclose(models.linear_decoding(best.encode(x), x), best(x), atol=1e-4)
    floor = (x - best(x)).square().sum()
    generator = torch.Generator().manual_seed(0)
    for turn in (torch.randn(30, 4, generator=generator), best.axes.T):
        z = torch.tanh((x.flatten(1) - 3) @ turn)
        rebuilt = models.linear_decoding(z, x)
        truth = LinearRegression().fit(z.numpy(), x.flatten(1).numpy()).predict(z.numpy())
        np.testing.assert_allclose(rebuilt.flatten(1), truth, atol=1e-4)
        assert (x - rebuilt).square().sum() > floor


def test_through_points_interpolates_linearly():
    generator = torch.Generator().manual_seed(0)
    t = (torch.rand(9, generator=generator) + 0.1).cumsum(0).double()
    y = torch.randn(9, 4, generator=generator).double()
    s = torch.linspace(t[0], t[-1], 50).double()
    came = y[0] + (s[:, None] - t[:-1]).relu() @ models.through_points(t, y)
    truth = np.stack([np.interp(s, t, column) for column in y.T], axis=1)
    np.testing.assert_allclose(came, truth, atol=1e-12)


def test_a_model_s_methods_take_their_argument_by_name_too():
    model, x, z = models.Autoencoder((1, 4, 4), (8,), 2), torch.rand(3, 1, 4, 4), torch.randn(3, 2)
    assert torch.equal(model.encode(x=x), model.encode(x))
    assert torch.equal(model.decode(z=z), model.decode(z))
    for wrong in ({}, {"y": x}, {"x": x, "z": z}):
        with pytest.raises(TypeError):
            model.encode(**wrong)
