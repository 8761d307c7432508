"""Sliders around a decoder: move one and the picture changes. Each carries a static twin.

`latent_sliders` works for every decoder: the kernel decodes. `browser_sliders` is for decoders made
of linear layers: the page itself decodes, in milliseconds, and goes on doing so when it is exported
and has neither kernel nor network.
"""

import base64
import io
import json
from pathlib import Path
from string import Template

import ipywidgets
import numpy as np
import torch
from PIL import Image
from torch import nn

from aecourse import inputs, plots


class _Sliders(ipywidgets.VBox):
    """A box of widgets with a picture in the same mime bundle, for readers without a kernel."""

    def __init__(self, children, still):
        super().__init__(children)
        self.still = still

    def _repr_mimebundle_(self, **kwargs):
        return super()._repr_mimebundle_(**kwargs) | self.still


class _Page:
    """A mime bundle as the value of a cell."""

    def __init__(self, bundle):
        self.bundle = bundle

    def _repr_mimebundle_(self, **kwargs):
        return self.bundle


def latent_sliders(decode, codes, names=None, sound=None):
    """A slider for each latent dimension beside the decoded image, which the kernel computes.

    decode  function of codes (N, d) to images (N, 1 or 3, H, W) in [0, 1], such as model.decode
    codes   (N, d), such as model.encode(x): a slider goes from the 1st to the 99th percentile of
            its dimension and starts at the median
    names   of the dimensions; "z1", "z2", ... if not given
    sound   function of codes (1, d) to an IPython.display.Audio, such as sound.play of a melody:
            adds a player, which renews its sound, as does the picture, when a slider is let go
    Returns an ipywidgets box. Raises ValueError for codes that are not (N, d) or not finite.
    """
    codes, names, low, high, start = _ranges(codes, names, decode)
    picture, words = ipywidgets.Image(format="png"), ipywidgets.Label()
    picture.layout.align_self = "flex-start"  # its own size, not the width of the page
    player = ipywidgets.Audio(format="wav", autoplay=False, loop=False)
    sliders = _controls(names, low, high, start, continuous=sound is None)

    def draw():
        z = [slider.value for slider in sliders]
        picture.value = _enlarged(_drawn(decode, codes, [z]))
        places = ", ".join(f"{name} = {value:.2f}" for name, value in zip(names, z, strict=True))
        words.value = f"Decoded picture at {places}"
        if sound:
            player.value = _decode(sound, codes, [z]).data

    def moved(change):
        player.autoplay = True
        draw()

    for slider in sliders:
        slider.observe(moved, "value")
    draw()
    still, column = _still(decode, codes, names, low, high, start), ipywidgets.VBox(sliders)
    if sound is None:
        return _Sliders([ipywidgets.HBox([picture, column]), words], still)
    still["text/html"] += _decode(sound, codes, [start])._repr_html_()
    return _Sliders([picture, ipywidgets.HBox([column, player]), words], still)


def browser_sliders(model, codes, names=None):
    """The same as a piece of HTML in which the page itself decodes; codes and names as above.

    model  with `decode(z)` to grey images, and `decoder`, an nn.Linear or an nn.Sequential of them
           with ReLU, GELU, Tanh or Sigmoid; a sigmoid is added if it has `logits`
    The weights travel in the page in half precision, 2.7 characters each. Raises ValueError when
    the decoder is of another kind.
    """
    codes, names, low, high, start = _ranges(codes, names, model)
    height, width = _drawn(model.decode, codes, [start]).shape[2:]
    layers = _layers(model, codes)
    spec = {"names": names, "low": low, "high": high, "start": start}
    spec |= {"height": height, "width": width}
    spec["layers"] = [[*layer.weight.shape, activation] for layer, activation in layers]
    weights = torch.cat([p.flatten() for layer, _ in layers for p in (layer.weight, layer.bias)])
    still = _still(model.decode, codes, names, low, high, start)
    page = Template(Path(__file__).with_name("sliders.html").read_text()).substitute(
        still=still["text/html"],
        spec=json.dumps(spec).replace("<", r"\u003c"),
        weights=base64.b64encode(weights.detach().cpu().half().numpy()).decode(),
    )
    return _Page(still | {"text/html": page})


def _layers(model, codes):
    """[(nn.Linear, name of the activation after it), ...], certain to compute model.decode."""
    advice = "browser_sliders needs a decoder of linear layers: use latent_sliders for this one."
    layers, z = [], codes[:16]
    for module in getattr(model, "decoder", nn.Identity()).modules():
        if isinstance(module, nn.Linear):
            layers.append((module, "Identity"))
        elif layers and isinstance(module, nn.ReLU | nn.GELU | nn.Tanh | nn.Sigmoid):
            layers[-1] = layers[-1][0], type(module).__name__
    if layers and hasattr(model, "logits"):
        layers[-1] = layers[-1][0], type(getattr(model, "output", nn.Sigmoid())).__name__
    with torch.no_grad():
        images = model.decode(z)
        if images.shape[1] != 1:
            gives = f"grey images (N, 1, H, W), decode gives {tuple(images.shape)}"
            raise ValueError(f"browser_sliders draws {gives}: use latent_sliders for this one.")
        for layer, activation in layers:
            if layer.weight is None or layer.bias is None or layer.in_features != z.shape[1]:
                raise ValueError(advice)
            z = getattr(nn, activation)()(layer(z))
    if z.shape != images.flatten(1).shape or not torch.allclose(z, images.flatten(1), atol=1e-4):
        raise ValueError(advice)
    return layers


def _controls(names, low, high, start, continuous):
    """A slider for each dimension; continuous ones report while they are dragged."""
    sliders = [
        ipywidgets.FloatSlider(s, min=a, max=b, step=(b - a) / 100, description=name, tooltip=name)
        for name, a, b, s in zip(names, low, high, start, strict=True)
    ]
    for slider in sliders:
        slider.layout.width = "26em"  # wide enough to be dragged on a projector
        slider.continuous_update = continuous
    return sliders


def _enlarged(image):
    """One image (1, 1 or 3, H, W) as the bytes of a PNG file of 252 rows."""
    sheet, file = Image.fromarray(plots.mosaic(image)), io.BytesIO()
    size = (252 * sheet.width // sheet.height, 252)
    sheet.resize(size, Image.Resampling.NEAREST).save(file, "png", compress_level=1)
    return file.getvalue()


def _ranges(codes, names, model):
    """The codes (N, d) as a decoder takes them, and names, 1st and 99th percentile and median of
    each dimension as lists."""
    codes, model = inputs.numbers(codes, "codes").detach(), getattr(model, "__self__", model)
    if codes.ndim != 2 or codes.numel() == 0 or not codes.isfinite().all():
        raise ValueError("codes must be finite numbers (N, d), such as model.encode(x).")
    codes = inputs.alike(inputs.scaled(codes), model if isinstance(model, nn.Module) else None)
    low, start, high = np.percentile(codes.cpu().numpy(), [1, 50, 99], axis=0)
    names = [f"z{k + 1}" for k in range(len(low))] if names is None else list(map(str, names))
    if len(names) != len(low):
        raise ValueError(f"There are {len(names)} names for {len(low)} latent dimensions.")
    ranges = ([float(f"{v:.6g}") for v in values] for values in (low, high, start))
    return codes, names, *ranges


@torch.no_grad()
def _decode(decode, codes, z):
    """decode(z) of codes z, a list of lists, on the device and in the precision of `codes`."""
    z = torch.tensor(z, dtype=codes.dtype, device=codes.device)
    try:
        return decode(z)
    except RuntimeError as error:
        words = str(error).splitlines()[0].rstrip(".")
        raise ValueError(f"decode stops at codes {tuple(z.shape)}: {words}.") from error


def _drawn(decode, codes, z):
    """Images (N, 1 or 3, H, W) of codes z, as `_decode`."""
    x = inputs.numbers(_decode(decode, codes, z), "decode(z)")
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(
            f"decode must give images (N, 1 or 3, H, W), this one gives {tuple(x.shape)}: give a "
            "function of codes that draws them."
        )
    return x


def _still(decode, codes, names, low, high, start):
    """The static twin as a mime bundle: a strip of images along each of the first 8 dimensions."""
    height, width = _drawn(decode, codes, [start]).shape[2:]
    columns, rows = 7 if width < 2 * height else 3, []
    for k in range(min(len(names), 8)):
        z = np.tile(start, (columns, 1))
        z[:, k] = np.linspace(low[k], high[k], columns)
        rows.append(_drawn(decode, codes, z.tolist()))
    ends = zip(names, low, high, strict=True)
    ends = ", ".join(f"{name} from {a:.1f} to {b:.1f}" for name, a, b in ends)
    ax = plots.images(*rows, labels=names[:8], titles=["low", *[""] * (columns - 2), "high"])
    return plots.bundle(ax, f"Decoded images along each slider, the others in the middle: {ends}.")
