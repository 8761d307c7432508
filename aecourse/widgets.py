"""Sliders around any decoder: move one, and the kernel decodes. They carry a static twin.

Decoders of linear layers have quicker ones, which need no kernel: live.browser_sliders.
"""

import html
import io
import math

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from aecourse import inputs, plots

HIGH, WIDE, BESIDE = 400, 860, 460  # pixels: of a picture, and how wide one has sliders beside it

FONT = "<style>.aecourse-kernel { --jp-widgets-font-size: 16px }</style>"  # of labels; else 13


class _Sliders(ipywidgets.VBox):
    """A box of widgets with a picture in the same mime bundle, for readers without a kernel."""

    def __init__(self, children, still):
        super().__init__(children)
        self.still = still

    def _repr_mimebundle_(self, **kwargs):
        return super()._repr_mimebundle_(**kwargs) | self.still


def latent_sliders(decode, codes, names=None, sound=None, start=None):
    """A slider for each latent dimension beside the decoded image, which the kernel computes.

    decode  function of codes (N, d) to images (N, 1 or 3, H, W) in [0, 1], such as model.decode
    codes   (N, d), such as model.encode(x): a slider goes from the 1st to the 99th percentile of
            its dimension and starts at the median
    names   of the dimensions; "z1", "z2", ... if not given
    sound   function of codes (1, d) to an IPython.display.Audio, such as sound.play of a melody:
            adds a player, which renews its sound, as does the picture, when a slider is let go
    start   a code (d,), such as model.encode(x[:1]), from which the sliders start
    Returns an ipywidgets box. Raises ValueError for codes that are not (N, d) or not finite.
    """
    codes, names, low, high, start = ranges(codes, names, decode, start)
    picture, words = ipywidgets.Image(format="png"), ipywidgets.HTML(layout={"max_width": "860px"})
    picture.layout.align_self = "flex-start"  # its own size, not the width of the page
    player = ipywidgets.Audio(format="wav", autoplay=False, loop=False)
    sliders = _controls(names, low, high, start, continuous=sound is None)

    def draw():
        z = [slider.value for slider in sliders]
        picture.value = _enlarged(drawn(decode, codes, [z]))
        places = ", ".join(f"{name} = {value:.2f}" for name, value in zip(names, z, strict=True))
        words.value = html.escape(f"Decoded picture at {places}")
        if sound:
            player.value = _decode(sound, codes, [z]).data

    def moved(change):
        player.autoplay = True
        draw()

    for slider in sliders:
        slider.observe(moved, "value")
    draw()
    twin, wide = (
        still(decode, codes, names, low, high, start),
        _size(drawn(decode, codes, [start]))[0],
    )
    columns = 2 if len(names) > 8 or wide > BESIDE else 1
    template = f"repeat({columns}, max-content)"
    column = ipywidgets.GridBox(
        sliders, layout={"grid_template_columns": template, "align_content": "flex-start"}
    )
    if sound:
        twin["text/html"] += _decode(sound, codes, [start])._repr_html_()
        column = ipywidgets.VBox([column, player])
    row = ipywidgets.VBox if wide > BESIDE or columns > 1 or sound else ipywidgets.HBox
    box = _Sliders([row([picture, column]), words, ipywidgets.HTML(FONT)], twin)
    box.children[-1].layout.display = "none"
    box.add_class("aecourse-kernel")
    return box


def map_sliders(decode, z, dims, start, ax):
    """Sliders that move a point on a map of codes z, ax, which is closed, beside the decoded image:
    what live.code_map is for models that the page can't compute."""
    ax.figure.set_dpi(60)
    ax.figure.canvas.draw()
    ground = torch.from_numpy(np.array(ax.figure.canvas.buffer_rgba())[..., :3]).movedim(2, 0) / 255
    place = ax.transData.frozen()  # as it is at this size
    plt.close(ax.figure)
    rows, columns = torch.meshgrid(*map(torch.arange, ground.shape[1:]), indexing="ij")

    def draw(z):
        sheets = []
        for code, image in zip(z.detach().cpu(), decode(z).detach().cpu(), strict=True):
            across, up = place.transform(code[dims].double())
            far = (columns - across).square() + (rows - (len(rows) - up)).square()
            marked = ground.masked_fill(far < 64, 0).masked_fill(far < 16, 1)
            image = F.interpolate(image.clamp(0, 1)[None], (len(rows),) * 2)[0].expand(3, -1, -1)
            sheets.append(torch.cat([marked, image], 2))
        return torch.stack(sheets)

    return latent_sliders(draw, z, start=start)


def _controls(names, low, high, start, continuous):
    """A slider for each dimension; continuous ones report while they are dragged."""
    sliders = [
        ipywidgets.FloatSlider(s, min=a, max=b, step=(b - a) / 100, description=name, tooltip=name)
        for name, a, b, s in zip(names, low, high, start, strict=True)
    ]
    for slider in sliders:
        slider.layout.width = "26em"  # wide enough to be dragged on a projector
        slider.style.description_width = "initial"  # the whole name
        slider.continuous_update = continuous
    return sliders


def _enlarged(image):
    """One image (1, 1 or 3, H, W) as the bytes of a PNG file of the size on the page."""
    sheet, file = Image.fromarray(plots.mosaic(image)), io.BytesIO()
    size = _size(image)
    grows = size[0] % sheet.width == 0  # whole pixels stay squares
    way = Image.Resampling.NEAREST if grows else Image.Resampling.BICUBIC
    sheet.resize(size, way).save(file, "png", compress_level=1)
    return file.getvalue()


def _size(image):
    """Width and height on the page: HIGH or a little more, unless that is wider than WIDE."""
    height, width = image.shape[2:]
    times = math.ceil(HIGH / height)
    times = times if times * width <= WIDE else WIDE / width
    return round(times * width), round(times * height)


def one_code(start, d):
    """A code that people give, (d,) or (1, d), as d finite numbers in double precision."""
    start = inputs.numbers(start, "start").detach().cpu().double().ravel()
    if len(start) != d or not start.isfinite().all():
        raise ValueError(f"start must be one code of {d} finite numbers.")
    return start


def ranges(codes, names, model, start=None):
    """The codes (N, d) as a decoder takes them, and names, low, high and start of each dimension as
    lists: 1st and 99th percentile, stretched as far as a given start, or else the median."""
    codes, model = inputs.numbers(codes, "codes").detach(), getattr(model, "__self__", model)
    if codes.ndim != 2 or codes.numel() == 0 or not codes.isfinite().all():
        raise ValueError("codes must be finite numbers (N, d), such as model.encode(x).")
    codes = inputs.alike(inputs.scaled(codes), model if isinstance(model, nn.Module) else None)
    low, middle, high = np.percentile(codes.cpu().numpy(), [1, 50, 99], axis=0)
    if start is not None:
        middle = one_code(start, len(low)).numpy()
        low, high = np.minimum(low, middle), np.maximum(high, middle)
    names = [f"z{k + 1}" for k in range(len(low))] if names is None else list(map(str, names))
    if len(names) != len(low):
        raise ValueError(f"There are {len(names)} names for {len(low)} latent dimensions.")
    ranges = ([float(f"{v:.6g}") for v in values] for values in (low, high, middle))
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


def drawn(decode, codes, z):
    """Images (N, 1 or 3, H, W) of codes z, as `_decode`."""
    x = inputs.numbers(_decode(decode, codes, z), "decode(z)")
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(
            f"decode must give images (N, 1 or 3, H, W), this one gives {tuple(x.shape)}: give a "
            "function of codes that draws them."
        )
    return x


def still(decode, codes, names, low, high, start):
    """The static twin as a mime bundle: a strip of images along each of the first 8 dimensions."""
    height, width = drawn(decode, codes, [start]).shape[2:]
    columns, rows = 7 if width < 2 * height else 3, []
    for k in range(min(len(names), 8)):
        z = np.tile(start, (columns, 1))
        z[:, k] = np.linspace(low[k], high[k], columns)
        rows.append(drawn(decode, codes, z.tolist()))
    ends = zip(names[:8], low, high, strict=False)
    ends = ", ".join(f"{name} from {a:.1f} to {b:.1f}" for name, a, b in ends)
    ax = plots.images(*rows, labels=names[:8], titles=["low", *[""] * (columns - 2), "high"])
    return plots.bundle(ax, f"Decoded images along each slider, the others at the start: {ends}.")
