"""Figures that live in the page: the page itself computes, in milliseconds, with no kernel and no
network, in JupyterLab as in an exported page. Each carries a static twin.

A figure is live/page.html around live/shared.js and a script of its own; what it shows is JSON.
"""

import base64
import io
import json
import math
import warnings
from pathlib import Path
from string import Template

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from aecourse import inputs, layers, plots, widgets

FOLDER = Path(__file__).with_name("live")
LARGE = 1.5e6  # bytes


class Page:
    """A mime bundle as the value of a cell."""

    def __init__(self, bundle):
        self.bundle = bundle

    def _repr_mimebundle_(self, **kwargs):
        return self.bundle


def page(kind, still, remedy="", **spec):
    """The figure of live/`kind`.js, which reads `spec`, with a static twin: a mime bundle.

    remedy  what makes the figure smaller, said where it is larger than 1.5 MB
    """
    script = (FOLDER / "shared.js").read_text() + (FOLDER / f"{kind}.js").read_text()
    text = Template((FOLDER / "page.html").read_text()).substitute(
        kind=kind,
        still=still["text/html"],
        spec=json.dumps(spec).replace("<", r"\u003c"),
        script=script,
        size=f"{len(json.dumps(spec)) / 1e6:.2f}",
    )
    if len(text) > LARGE:
        warnings.warn(f"This figure has {len(text) / 1e6:.1f} MB: {remedy}.", stacklevel=3)
    return Page(still | {"text/html": text})


def browser_sliders(model, codes, names=None, start=None):
    """Sliders as `latent_sliders`, but the page itself decodes; codes, names and start as there.

    model  with `decode(z)` to grey images, and `decoder`, made of nn.Linear and activations; a
           sigmoid is added if it has `logits`. Any affine `decode` will do too, as that of PCA
    The weights travel in the page in half precision, 2.7 characters each. Raises ValueError when
    the decoder is of another kind.
    """
    codes, names, low, high, start = widgets.ranges(codes, names, model, start)
    height, width = widgets.drawn(model.decode, codes, [start]).shape[2:]
    decoder = layers.decoder(model, codes)
    still = widgets.still(model.decode, codes, names, low, high, start)
    spec = {"names": names, "low": low, "high": high, "start": start}
    spec |= {"height": height, "width": width, "layers": layers.sizes(decoder)}
    return page("sliders", still, SMALLER, weights=layers.packed(decoder), **spec)


def code_map(model, x, labels=None, names=(), dims=(0, 1), sheet=False, start=None):
    """The codes of images x (N, 1, H, W) as a map to touch: drag the point, and the picture beside
    it is decoded; touch a dot for its image; draw, and what is drawn is encoded and decoded.

    model   with `encode` and `decode` made of linear layers, or affine ones; of a variational model
            the encoded image has its ellipses of one and two sigma, and its two terms as bars
    labels  (N,) and names of the classes, as in `plots.codes`
    dims    the two of the d dimensions that the map shows; the others stay at `start` (d,), the
            median if not given, or at the code of what is drawn
    sheet   whether the decoded pictures are painted under the map at first
    A drawing is scaled and centred as MNIST was: its longer side 20 of 28 pixels, its centre of
    mass in the middle. 784-256-64-2 and back take 1 MB. Raises ValueError for other layers.
    """
    x = inputs.examples(x, model)
    with torch.no_grad():
        posterior = getattr(model, "posterior", None)
        code = (lambda x: torch.cat(posterior(x), 1)) if posterior else model.encode
        z, d = model.encode(x).detach().cpu(), model.encode(x[:1]).shape[1]
        if x.ndim != 4 or x.shape[1] != 1 or d < 2 or not all(0 <= k < d for k in dims):
            raise ValueError(f"code_map wants grey images (N, 1, H, W) and dims below d = {d} > 1.")
        decoder = layers.decoder(model, model.encode(x[:16]))
        encoder = layers.layers_of(getattr(model, "encoder", None), code, x[:16])
    labels, words = inputs.labels(torch.zeros(len(x)) if labels is None else labels)
    low, high = np.percentile(z[:, list(dims)].numpy(), [0.5, 99.5], axis=0)
    room = 0.08 * (high - low) + 1e-6
    start = z.median(0).values if start is None else torch.as_tensor(start).detach().cpu().ravel()
    sprite, columns = _sprite(x)
    ax = plots.codes(z[:, list(dims)], labels, names)
    still = plots.bundle(ax, f"The codes of {len(x)} images as dots, a colour and a name a class.")
    spec = {"height": x.shape[2], "width": x.shape[3], "d": d, "dims": list(dims), "sheet": sheet}
    spec |= {"low": (low - room).tolist(), "high": (high + room).tolist(), "start": start.tolist()}
    spec |= {"points": [[round(v, 3) for v in row] for row in z[:, list(dims)].tolist()]}
    spec |= {"labels": labels.tolist(), "classes": list(map(str, names if len(names) else words))}
    spec |= {"colours": plt.rcParams["axes.prop_cycle"].by_key()["color"], "nib": NIB}
    spec |= {"sprite": sprite, "columns": columns, "variational": bool(posterior)}
    spec |= {"decoder": layers.sizes(decoder), "encoder": layers.sizes(encoder), "pen": PEN}
    return page("code_map", still, SMALLER, weights=layers.packed(decoder + encoder), **spec)


NIB = 2.4  # pixels of a pen of MNIST
PEN = "A drawing is scaled so that its longer side takes 20 of 28 pixels, and moved so that its "
PEN += (
    "centre of mass is in the middle, as MNIST's digits were. Touch a dot to start from its image."
)
SMALLER = "a model of smaller layers or fewer images make it smaller"


def _sprite(x):
    """Images (N, 1, H, W) as one picture in WebP without loss, about square; and its columns."""
    columns = math.ceil(len(x) ** 0.5)
    sheet, file = plots.mosaic(*x.split(columns), gap=0), io.BytesIO()
    Image.fromarray(sheet[..., 0]).save(file, "webp", lossless=True)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode(), columns
