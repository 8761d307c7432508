"""Thin networks: exact where nothing is lost, otherwise as good as PCA can be."""

import pytest
import torch
from torch import nn

from aecourse import models
from aecourse.thinning import thin


@pytest.fixture
def vae():
    torch.manual_seed(0)
    return models.VAE((1, 8, 8), (40, 40), 2, nn.GELU)


def test_it_does_the_same_where_the_outputs_lie_in_so_small_a_space(vae):
    x = torch.rand(200, 3) @ torch.rand(3, 64)  # of 3 dimensions, so a layer's outputs are, too
    x, z = x.view(-1, 1, 8, 8), torch.randn(200, 2)
    exact = thin(vae, x, z, encoder=20, decoder=20)
    for layer in (0, 2):
        assert isinstance(vae.encoder[layer], nn.Linear)
    first = exact.encoder[:2](x.flatten(1))
    torch.testing.assert_close(first, vae.encoder[:1](x.flatten(1)), rtol=1e-4, atol=1e-4)


def test_it_is_smaller_and_nearly_the_same(vae):
    x, z = torch.rand(300, 1, 8, 8), torch.randn(300, 2)
    small = thin(vae, x, z, encoder=12, decoder=12)
    count = [sum(p.numel() for p in model.parameters()) for model in (vae, small)]
    assert count[1] < 0.7 * count[0]
    off = (small.decode(z) - vae.decode(z)).square().mean() / vae.decode(z).var(0).mean()
    assert off < 0.01


def test_layers_that_would_not_get_smaller_and_the_model_itself_stay(vae):
    before = {name: p.clone() for name, p in vae.state_dict().items()}
    x, z = torch.rand(99, 1, 8, 8), torch.randn(99, 2)
    same = thin(vae, x, z, encoder=39, decoder=39)
    assert [p.shape for p in same.parameters()] == [p.shape for p in vae.parameters()]
    torch.testing.assert_close(same(x), vae(x))
    thin(vae, x, z, 5, 5)
    assert all(torch.equal(p, before[name]) for name, p in vae.state_dict().items())


def test_codes_and_pictures_have_the_shapes_of_the_model(vae):
    x, z = torch.rand(99, 1, 8, 8), torch.randn(99, 2)
    small = thin(vae, x, z, 8, 8)
    assert small(x).shape == x.shape and small.encode(x).shape == (99, 2)
    assert not small.training and not any(isinstance(m, nn.Dropout) for m in small.modules())
