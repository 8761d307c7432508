"""A model as a list of linear layers, (weight, bias, activation) each, which a page can compute."""

import base64

import torch
from torch import nn
from torch.nn import functional as F

KNOWN = nn.ReLU | nn.GELU | nn.Tanh | nn.Sigmoid | nn.SiLU | nn.ELU | nn.LeakyReLU | nn.Softplus
ADVICE = (
    "The page computes linear layers and their activations only: use latent_sliders for this one."
)


class Other(ValueError):
    """A model is made of other than linear layers."""


def decoder(model, z):
    """The layers of `model.decode`, certain to compute it for codes z (N, d); see `layers_of`."""
    z = z[:16].detach()
    with torch.no_grad():
        images = model.decode(z)
    if images.ndim != 4 or images.shape[1] != 1:
        gives = f"grey images (N, 1, H, W), decode gives {tuple(images.shape)}"
        raise Other(f"The page draws {gives}: use latent_sliders for this one.")
    last = (
        type(getattr(model, "output", nn.Sigmoid())).__name__ if hasattr(model, "logits") else None
    )
    return layers_of(getattr(model, "decoder", None), model.decode, z, last)


def encoder(model, x):
    """The layers of `model.encode`, or of `model.posterior`: mu, then logvar, (N, 2 d)."""
    posterior = getattr(model, "posterior", None)
    code = (lambda x: torch.cat(posterior(x), 1)) if posterior else model.encode
    return layers_of(getattr(model, "encoder", None), code, x[:16])


@torch.no_grad()
def layers_of(part, f, x, last=None):
    """[(weight, bias, activation), ...] of the linear layers in `part`, certain to compute f(x)."""
    layers = []
    for module in part.modules() if isinstance(part, nn.Module) else ():
        if isinstance(module, nn.Linear) and module.weight is not None:
            bias = torch.zeros_like(module.weight[:, 0]) if module.bias is None else module.bias
            layers.append([module.weight, bias, "Identity"])
        elif layers and isinstance(module, KNOWN):
            layers[-1][2] = type(module).__name__
    if layers and last:
        layers[-1][2] = last
    if not _computes(layers, f, x):  # perhaps it is affine, as that of PCA
        bias = f(torch.zeros_like(x[:1])).flatten(1)
        unit = torch.eye(x[0].numel(), dtype=x.dtype, device=x.device).unflatten(1, x.shape[1:])
        layers = [[(f(unit).flatten(1) - bias).T, bias[0], "Identity"]]
    if not _computes(layers, f, x):
        raise Other(ADVICE)
    return layers


def _computes(layers, f, x):
    h = x.flatten(1)
    for weight, bias, activation in layers:
        if weight.shape[1] != h.shape[1]:
            return False
        h = getattr(nn, activation)()(F.linear(h, weight, bias))
    wanted = f(x).flatten(1)
    return h.shape == wanted.shape and torch.allclose(h, wanted, atol=1e-4)


def sizes(layers):
    """[(rows, columns, activation), ...] of layers."""
    return [[*weight.shape, activation] for weight, _, activation in layers]


def packed(layers):
    """All weights in half precision, in base64, in the order weight, bias of each layer."""
    flat = torch.cat([p.flatten() for layer in layers for p in layer[:2]]).detach().cpu().half()
    if not flat.isfinite().all():
        raise ValueError("A weight is not finite, or too large for half precision: 65,504 at most.")
    return base64.b64encode(flat.numpy().tobytes()).decode()
