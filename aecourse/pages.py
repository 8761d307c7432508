"""What of a figure is kept in a page: the picture, stored once, small, in its own colours, and a
sentence for those who can't see it."""

import base64
import html
import io

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.display import display
from matplotlib.colors import to_rgb
from PIL import Image
from scipy.spatial import KDTree


def show(ax, alt):
    """Display the figure of ax, once, with alt: a sentence that says what is to be seen. A plain
    script has no page for the figure: there the sentence is printed."""
    content = bundle(ax, alt)
    if get_ipython() is None:
        print(alt)
    else:
        display(content, raw=True)


def bundle(ax, alt):
    """The figure of ax, which is closed, as a mime bundle: HTML with the picture and alt text, and
    plain text. The picture is a PNG of at most 256 colours, see `_few_colours`."""
    file, small = io.BytesIO(), io.BytesIO()
    ax.figure.savefig(file, bbox_inches="tight", dpi=144)  # sharp on a projector
    plt.close(ax.figure)
    image = Image.open(file).convert("RGB")
    _few_colours(image).save(small, "png", optimize=True)  # half the size
    width = image.width * 100 // 144
    png = base64.b64encode(small.getvalue()).decode()
    img = f'<img alt="{html.escape(alt)}" width="{width}" src="data:image/png;base64,{png}">'
    return {"text/plain": alt, "text/html": img}


def _few_colours(image):
    """A picture with at most 256 colours. Greys stay what they are, and so do the colours of the
    style and the most frequent others, 32 in all; the rest become the nearest of 256."""
    pixels = np.asarray(image)  # (H, W, 3)
    if (pixels == pixels[..., :1]).all():
        return image.convert("L")
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    style = {tuple(round(255 * part) for part in to_rgb(colour)) for colour in cycle}
    seen = image.getcolors(image.width * image.height)  # [(how often, colour), ...]
    seen.sort(key=lambda pair: (pair[1] in style, pair[0]), reverse=True)
    colours = np.array([colour for _, colour in seen])
    palette = colours
    if len(colours) > 256:
        others = image.quantize(224, Image.Quantize.MEDIANCUT).getpalette()
        palette = np.concatenate([colours[:32], np.reshape(others, (-1, 3))])
    entry = np.zeros(256**3, np.uint8)
    entry[_packed(colours)] = KDTree(palette).query(colours)[1]
    few = Image.fromarray(entry[_packed(pixels)])
    few.putpalette(palette.astype(np.uint8).tobytes())
    return few


def _packed(colours):
    """Colours (..., 3) of bytes, each as one number."""
    return colours.astype(np.int64) @ [65536, 256, 1]
