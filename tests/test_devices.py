"""Every public function on a GPU: on a stand-in for one anywhere (fake_gpu.py), on a real one where
there is one. The truth is the same call on the CPU.
"""

import contextlib

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from fake_gpu import FakeCuda, Gpu, up
from test_inputs import NAMES, arguments, call
from torch import nn

from aecourse import models, plots, variational, widgets
from aecourse.inputs import codes, examples

IMAGES = (1, 4, 4)
RANDOM = {"noisy", "negative_elbo", "log_weights", "log_likelihood", "rate_distortion", "start"}
RANDOM |= {"pretrain", "pretrain_rbm", "contrastive_divergence"}
UP_TO_SIGN = {"pca", "recover_axes", "optimal_weights"}  # the sign of an axis is arbitrary


@pytest.fixture(params=["stand-in"] + ["GPU"] * torch.cuda.is_available())
def card(request):
    """A function that moves a tensor or a model to the card; other things stay what they are."""

    def real(a):
        return a.cuda() if isinstance(a, torch.Tensor | nn.Module) else a

    def fake(a):
        a = up(a) if isinstance(a, nn.Module) else a
        return Gpu(a) if isinstance(a, torch.Tensor) else a

    swap = torch.__future__.get_swap_module_params_on_conversion()
    with FakeCuda() if request.param == "stand-in" else contextlib.nullcontext():
        yield fake if request.param == "stand-in" else real
    torch.__future__.set_swap_module_params_on_conversion(swap)
    plt.close("all")


def numbers(result):
    """All numbers in a result, in their order, as one array."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return np.concatenate([np.ravel(numbers(r)) for r in result] or [np.zeros(0)])
    if isinstance(result, torch.Tensor):
        return result.detach().cpu().double().numpy()
    return (
        np.asarray(result, float) if isinstance(result, int | float | np.ndarray) else np.zeros(0)
    )


@pytest.mark.parametrize("mixed", [False, True], ids=["all there", "data on the CPU"])
@pytest.mark.parametrize("name", NAMES)
def test_on_the_card_as_on_the_cpu(name, mixed, card):
    torch.manual_seed(0)
    truth = numbers(call(name, NAMES[name], arguments(name, NAMES[name])[0]))
    torch.manual_seed(0)
    given, data = arguments(name, NAMES[name])
    first = next(iter(given))
    there = {
        argument: a if mixed and argument in data and argument != first else card(a)
        for argument, a in given.items()
    }
    if "decode" in there:
        there["decode"] = card(models.Autoencoder(IMAGES, (8,), 2)).decode
    came = numbers(call(name, NAMES[name], there))
    assert came.shape == truth.shape
    if name in UP_TO_SIGN:
        came, truth = np.abs(came), np.abs(truth)
    if name not in RANDOM:
        np.testing.assert_allclose(came, truth, rtol=1e-4, atol=1e-4)


def build(kind):
    x = torch.rand(9, *IMAGES)
    return {
        "PCA": lambda: models.PCA(x, 2),
        "LinearAutoencoder": lambda: models.LinearAutoencoder(IMAGES, 2),
        "Autoencoder": lambda: models.Autoencoder(IMAGES, (8,), 2),
        "VAE": lambda: models.VAE(IMAGES, (8,), 2),
    }[kind]()


@pytest.mark.parametrize("kind", ["PCA", "LinearAutoencoder", "Autoencoder", "VAE"])
def test_a_model_takes_what_is_elsewhere_and_what_is_no_tensor(kind, card):
    x = torch.rand(9, *IMAGES)
    torch.manual_seed(0)
    truth = build(kind)
    torch.manual_seed(0)
    there = card(build(kind))
    for odd in (x, x.numpy(), x.double(), x.tolist(), x[:, 0], x.movedim(1, 3), card(x)):
        z = there.encode(odd)
        assert z.is_cuda and there(odd).is_cuda
        torch.testing.assert_close(z.detach().cpu(), truth.encode(x).detach(), atol=1e-4, rtol=0)
    for odd in (variational.prior_grid(3), z.detach().cpu().numpy(), z):
        assert there.decode(odd).is_cuda


def test_inputs_go_to_the_device_and_the_precision_of_the_model(card):
    model = card(models.Autoencoder(IMAGES, (8,), 2))
    for taken in (examples(torch.rand(3, *IMAGES).numpy(), model), codes([[0.0, 1.0]], model)):
        assert taken.is_cuda and taken.dtype == torch.float32


def test_a_slider_moves_on_the_card(card):
    model = card(models.Autoencoder(IMAGES, (8,), 2))
    box = widgets.latent_sliders(model.decode, model.encode(torch.rand(30, *IMAGES)))
    picture, column = box.children[0].children
    before = picture.value
    column.children[0].value = column.children[0].max
    assert picture.value != before
    assert plots.mosaic(model(card(torch.rand(3, *IMAGES)))).shape == (4, 16, 3)
