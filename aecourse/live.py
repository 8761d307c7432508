"""Figures that live in the page: the page itself computes, in milliseconds, with no kernel and no
network, in JupyterLab as in an exported page. Each carries a static twin.

A figure is live/page.html around live/shared.js and a script of its own; what it shows is JSON.
"""

import html
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
    carried = json.dumps(spec).replace("<", r"\u003c")
    script = (FOLDER / "shared.js").read_text() + (FOLDER / f"{kind}.js").read_text()
    text = Template((FOLDER / "page.html").read_text()).substitute(
        kind=kind,
        still=still["text/html"],
        spec=carried,
        script=script,
        size=f"{(len(carried) + len(script) + len(still['text/html'])) / 1e6:.2f}",
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


def flipbook(frames, labels, caption):
    """Pictures to leaf through with a slider, or to play as a film.

    frames   Axes or Figures, drawn at 100 dots an inch and closed, each before the next is asked
             for: a generator may draw them; or images, one tensor (N, 1 or 3, H, W) or many
             (1 or 3, H, W), in [0, 1], or arrays of bytes (H, W, 3). All have one size
    labels   what each frame is, in words, such as "step 45: |cos| = 0.93"
    caption  a sentence, what one sees over the frames
    """
    frames, labels = [_frame(frame) for frame in frames], [str(label) for label in labels]
    sizes = {frame.size for frame in frames}
    if not frames:
        raise ValueError("There are no frames: give one picture at least.")
    if len(labels) != len(frames):
        raise ValueError(f"There are {len(labels)} labels for {len(frames)} frames: give one each.")
    if len(sizes) > 1:
        raise ValueError(f"The frames are of several sizes, {sorted(sizes)}: make them all alike.")
    (width, height), urls, strip = frames[0].size, [plots.webp(frame) for frame in frames], ""
    for k in sorted({round(k * (len(frames) - 1) / 6) for k in range(7)}):
        words = html.escape(labels[k])
        shown = f'style="width: 205px; image-rendering: {"pixelated" if width < 205 else "auto"}"'
        strip += f'<figure style="{STRIP}"><img alt="{html.escape(caption)} {words}" {shown} '
        strip += f'src="{urls[k]}"><figcaption>{words}</figcaption></figure>\n'
        urls[k] = None  # the script takes it from the strip
    still = {"text/plain": caption, "text/html": f"<p>{html.escape(caption)}</p>{strip}"}
    spec = {"labels": labels, "caption": caption, "width": width, "height": height}
    return page("flipbook", still, "fewer or smaller frames make it smaller", frames=urls, **spec)


STRIP = "display: inline-block; width: 205px; margin: 2px 4px; vertical-align: top; font-size: 14px"


def _frame(frame):
    """An Axes or a Figure, which is closed, or an image, as a picture of PIL."""
    if hasattr(frame, "figure"):
        drawn = io.BytesIO()
        frame.figure.savefig(drawn, dpi=100)
        plt.close(frame.figure)
        return Image.open(drawn).convert("RGB")
    x = inputs.finite(inputs.numbers(frame, "a frame"), "a frame").detach().cpu()
    if x.ndim == 3 and x.shape[2] == 3 and x.dtype == torch.uint8:
        return Image.fromarray(x.numpy())
    if x.ndim != 3 or x.shape[0] not in (1, 3) or not x.is_floating_point():
        wanted = "Axes, images (1 or 3, H, W) in [0, 1], or bytes (H, W, 3)"
        raise ValueError(f"A frame is {x.dtype}, {tuple(x.shape)}: frames must be {wanted}.")
    low, high = x.aminmax()
    if low < -1e-3 or high > 1.001:
        raise ValueError(f"A frame lies in [{low:.3g}, {high:.3g}]: images must be in [0, 1].")
    return Image.fromarray(plots.mosaic(x[None]))


def code_map(model, x, labels=None, names=(), dims=(0, 1), sheet=False, start=None):
    """The codes of images x (N, 1, H, W) as a map to touch: drag the point, and the picture beside
    it is decoded; touch a dot for its image; draw, and what is drawn is encoded and decoded.

    model   whose `encode` and `decode` are made of linear layers, or affine; of a variational one
            the encoded image has its ellipses of one and two sigma, and its two terms as bars
    labels  (N,) and names of the classes, as in `plots.codes`
    dims    the two of the d dimensions that the map shows; the others stay as the code of the last
            image or drawing has them
    sheet   whether the decoded pictures are painted under the map at first
    start   a code (d,), such as model.encode(x[:1]): the map begins with the image whose dot is
            nearest; the code nearest to the median of all if not given
    Errors are shown while the point is the code of what the network sees, or a sample from its
    posterior. An arrow head at the border is a code outside. A drawing, which begins on an empty
    pad, is scaled and centred as MNIST was: its longer side 20 of 28 pixels, its centre of mass in
    the middle; drawn on the image of a dot, it stays as it is. 784-256-64-2 and back take 1 MB. For
    models of other layers, such as convolutions, sliders move the point and the kernel decodes,
    without a pen.
    """
    x, dims = inputs.examples(x, model), list(dims)
    with torch.no_grad():
        z = model.encode(x).detach()
    two = len(set(dims)) == 2 and set(dims) <= set(range(z.shape[-1]))
    if x.ndim != 4 or x.shape[1] != 1 or z.ndim != 2 or not two:
        shapes = f"x is {tuple(x.shape)}, its codes {tuple(z.shape)}, dims {dims}"
        raise ValueError(f"code_map wants grey images and two dims of their codes: {shapes}.")
    labels, words = inputs.labels(torch.zeros(len(x)) if labels is None else labels)
    middle = (z - z.median(0).values).norm(dim=1).argmin()
    start = z[middle] if start is None else widgets.one_code(start, z.shape[1])
    ax = plots.codes(z[:, dims], labels, names)
    ax.set(xlabel=f"code $z_{{{dims[0] + 1}}}$", ylabel=f"code $z_{{{dims[1] + 1}}}$")
    try:
        decoder, encoder = layers.decoder(model, z), layers.encoder(model, x)
    except layers.Other:
        return widgets.map_sliders(model.decode, z, dims, start, ax)
    still = plots.bundle(ax, f"The codes of {len(x)} images as dots, a colour and a name a class.")
    low, high = np.percentile(z[:, dims].cpu().numpy(), [0.5, 99.5], axis=0)
    room, (sprite, columns) = 0.08 * (high - low) + 1e-6, _sprite(x)
    spec = {"height": x.shape[2], "width": x.shape[3], "d": z.shape[1], "dims": dims}
    spec |= {"low": (low - room).tolist(), "high": (high + room).tolist(), "start": start.tolist()}
    spec |= {"points": z[:, dims].double().round(decimals=3).tolist(), "labels": labels.tolist()}
    spec |= {"classes": [str(name) for name in (names if len(names) else words)], "sheet": sheet}
    spec |= {"colours": plt.rcParams["axes.prop_cycle"].by_key()["color"], "nib": NIB}
    spec |= {"sprite": sprite, "columns": columns, "variational": hasattr(model, "posterior")}
    spec |= {"decoder": layers.sizes(decoder), "encoder": layers.sizes(encoder)}
    return page("code_map", still, SMALLER, weights=layers.packed(decoder + encoder), **spec)


NIB = 2.4  # pixels of a pen of MNIST
SMALLER = "a model of smaller layers or fewer images make it smaller"


def _sprite(x):
    """Images (N, 1, H, W) as one picture in WebP without loss, about square; and its columns."""
    columns = math.ceil(len(x) ** 0.5)
    sheet = plots.mosaic(*x.split(columns), gap=0)
    return plots.webp(Image.fromarray(sheet[..., 0])), columns
