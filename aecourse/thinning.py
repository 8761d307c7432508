"""Large networks made thin enough for a page: PCA between their layers."""

import copy

import torch
from torch import nn

from aecourse.models import pca


def thin(model, x, z, encoder=96, decoder=64):
    """A copy of a VAE whose wide linear layers are two narrow ones each, which do nearly the same.

    x (N, *shape), z (N, d)  what encoder and decoder shall be good at: data, and codes of them
    encoder, decoder         how many numbers pass between the two; a layer stays as it is where
                             that would save nothing
    A layer's outputs y lie near a plane: of all planes of that dimension PCA's loses least of them,
    y -> mean + (y - mean) A^T A. The rows of A go into the first layer, the columns of A^T into the
    second.
    """
    thinner = copy.deepcopy(model)
    with torch.no_grad():
        thinner.encoder = _thin(model.encoder, x.flatten(1), encoder)
        thinner.decoder = _thin(model.decoder, z, decoder)
    return thinner.eval()


def _thin(network, h, rank):
    layers = []
    for layer in network:
        y = layer(h)
        if isinstance(layer, nn.Linear) and rank * sum(layer.weight.shape) < layer.weight.numel():
            mean, axes, _ = pca(y, rank)  # axes (rank, n_out)
            first, second = nn.Linear(layer.in_features, rank), nn.Linear(rank, layer.out_features)
            first.weight.data, first.bias.data = axes @ layer.weight, axes @ (layer.bias - mean)
            second.weight.data, second.bias.data = axes.T.contiguous(), mean
            layers += [first.to(h), second.to(h)]
        else:
            layers.append(layer)
        h = y
    return nn.Sequential(*layers)
