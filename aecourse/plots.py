"""Figures: data in, Axes out. `show` puts one on the page, with words for those who can't see it.

Importing this module sets the style of the course (course.mplstyle).
"""

import base64
import html
import io
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from IPython import get_ipython
from IPython.display import display
from matplotlib.patheffects import withStroke
from PIL import Image
from torch.nn import functional as F

from aecourse import inputs

plt.style.use(Path(__file__).with_name("course.mplstyle"))


def mosaic(*rows, signed=False, gap=2):
    """Rows of images, each (N, 1 or 3, H, W), as one array (rows, columns, 3) of bytes, white gaps.

    Values are clipped to [0, 1]; with signed=True each image is scaled to its own largest size,
    blue is negative, white 0 and red positive.
    """
    rows = _pictures(rows, signed)
    height, width = rows[0].shape[2:]
    columns = max(map(len, rows))
    sheet = torch.ones(len(rows) * (height + gap), columns * (width + gap), 3)
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            if signed:
                scaled = image[0] / image.abs().max().clamp(min=1e-12) / 2 + 0.5
                image = torch.from_numpy(plt.get_cmap("RdBu_r")(scaled.numpy()))[..., :3]
            else:
                image = image.clamp(0, 1).permute(1, 2, 0)  # (H, W, 1 or 3)
            top, left = r * (height + gap), c * (width + gap)
            sheet[top : top + height, left : left + width] = image
    sheet = sheet[: len(sheet) - gap, : sheet.shape[1] - gap]
    return (sheet * 255).round().byte().numpy()


def _pictures(rows, signed):
    """Rows of images of one size, on the CPU; values that are not meant for [0, 1] are told."""
    rows = [inputs.images(row).detach().cpu().float() for row in rows]
    sizes = {tuple(row.shape[2:]) for row in rows}
    if len(sizes) != 1:
        raise ValueError(f"The rows have images of sizes {sizes}: one size (H, W) is wanted.")
    if signed and any(row.shape[1] != 1 for row in rows):
        raise ValueError("signed images have one channel, not three: give x[:, :1] or x.mean(1).")
    for row in rows:
        low, high = row.aminmax()  # a linear model leaves [0, 1] a little, that is not told
        signs = -1.01 < low < -0.5 and high < 1.01 and (row < -0.1).float().mean() > 0.2
        if not signed and (high > 10 or signs):
            words = f"x lies in [{low:.3g}, {high:.3g}] and is clipped to [0, 1]"
            remedy = "divide 8-bit images by 255, take (x + 1) / 2 of [-1, 1]"
            warnings.warn(f"{words}: {remedy}.", stacklevel=3)
    return rows


def images(*rows, labels=(), titles=(), signed=False, ax=None):
    """Rows of images, each row a batch (N, 1 or 3, H, W) with a label on its left, see `mosaic`.

    titles stand above the columns.
    """
    sheet, rows = mosaic(*rows, signed=signed), [inputs.images(row) for row in rows]
    height, width = rows[0].shape[2:]
    columns = max(map(len, rows))
    if ax is None:
        across = min(8 / columns, 0.8 * width / height)  # inches an image
        inches = (1.4 + across * columns, 0.4 + across * len(rows) * height / width)
        _, ax = plt.subplots(figsize=inches)
    ax.imshow(sheet)
    ax.set_yticks([(height + 2) * r + height / 2 for r in range(len(labels))], labels)
    ax.set_xticks([(width + 2) * c + width / 2 for c in range(len(titles))], titles)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.xaxis.set_label_position("top")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax


def diagram(x, z, x_hat):
    """What an autoencoder does to one image: x (1, 1, H, W), its code z (1, d), and x_hat."""
    x, x_hat, z = inputs.images(x), inputs.images(x_hat, "x_hat"), inputs.codes(z)
    if not len(x) == len(z) == len(x_hat) == 1:
        raise ValueError(f"x, z, x_hat have {len(x)}, {len(z)}, {len(x_hat)} rows: give x[:1], ...")
    _, ax = plt.subplots(figsize=(10, 2.6))
    for left, image in [(0, x), (9, x_hat)]:
        ax.imshow(mosaic(image), extent=(left, left + 2, -1, 1))
    for ends, name, colour in [((2.3, 4.3), "encoder", "C0"), ((8.7, 6.7), "decoder", "C1")]:
        wide, narrow = ends
        ax.fill([wide, wide, narrow, narrow], [-1, 1, 0.4, -0.4], colour, alpha=0.25)
        ax.text((wide + narrow) / 2, 0, name, ha="center", va="center")
    shown = [f"{value:.2f}" for value in z[0, :4].tolist()] + ["..."] * (z.shape[1] > 4)
    ax.text(5.5, 0, "\n".join(shown), ha="center", va="center", size=18, weight="bold")
    for place, word in [(1, r"input $x$"), (5.5, "code $z$"), (10, r"reconstruction $\tilde{x}$")]:
        ax.text(place, -1.2, word, ha="center", va="top")
    ax.set(xlim=(-0.1, 11.1), ylim=(-1.6, 1.1))
    ax.set_axis_off()
    return ax


def codes(z, labels=None, names=(), ax=None):
    """The first two dimensions of codes z (N, d); a colour a class, and its name on it: at the
    median of the half farther out, since clouds overlap most in the middle.

    labels  (N,), whole numbers that index names, or strings; after ten classes the marker changes
    """
    z = inputs.codes(z).detach().cpu()
    z, taken = F.pad(z, (0, 1))[:, :2], []  # a d of 1 is a line; taken: where a name stands already
    labels, words = inputs.labels(torch.zeros(len(z)) if labels is None else labels)
    if len(labels) != len(z):
        raise ValueError(f"labels are {len(labels)}, codes {len(z)}: one label a code is wanted.")
    names = words if len(names) != len(words) and words else names
    ax, labels = ax or plt.subplots(figsize=(7, 6))[1], labels.cpu()
    for turn, k in enumerate(labels.unique().tolist()):
        rows = z[labels == k]
        marker = "osv^DP*X<>"[turn // 10 % 10]
        dots = ax.scatter(*rows.T, s=10, alpha=0.5, linewidths=0, marker=marker)
        if k < len(names):
            far = (rows - z.median(0).values).norm(dim=1)
            place = rows[far >= far.median()].median(0).values
            n, (wide, high) = len(str(names[k])), (0.017, 0.07) * (z.amax(0) - z.amin(0)).numpy()
            x, y = place.tolist()
            while any(abs(x - u) < wide * (n + m) and abs(y - v) < high for u, v, m in taken):
                y -= high / 4
            taken.append((x, y, n))
            word = ax.text(x, y, names[k], color=dots.get_facecolor()[0, :3])
            word.set(weight="bold", size=22, ha="center", va="center")
            word.set_path_effects([withStroke(linewidth=5, foreground="white")])
    ax.set(xlabel="code $z_1$", ylabel="code $z_2$")
    return ax


def heatmap(values, rows, columns, ax=None):
    """Numbers in [0, 1], (R, C), such as |cos| of pairs, as squares with names of both sides."""
    values = inputs.codes(values, name="values").detach().cpu()
    if values.shape != (len(rows), len(columns)):
        names = f"{len(rows)} rows and {len(columns)} columns"
        raise ValueError(f"values are {tuple(values.shape)}, the names of {names}: one each.")
    ax = ax or plt.subplots(figsize=(1.3 + 0.5 * len(columns), 0.8 + 0.5 * len(rows)))[1]
    ax.imshow(values, cmap="cividis", vmin=0, vmax=1)
    for k, value in enumerate(values.flatten().tolist()):
        style = {"color": "black" if value > 0.55 else "white", "ha": "center", "va": "center"}
        r, c = divmod(k, len(columns))
        ax.text(c, r, f"{value:.2f}".removeprefix("0"), size=13, **style)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(False)
    return ax


def history(record, unit="nats an image", ax=None):
    """The terms of a training over its epochs, as `fit` returns them; validation dashed."""
    ax = ax or plt.subplots()[1]
    terms = [n for n in record if n not in ("epoch", "seconds", "loss") and n[:6] != "valid "]

    def line(values, style, label):
        point = "o" if len(values) == 1 else ""
        ax.plot(record["epoch"][: len(values)], values, style + point, label=label)

    for k, name in enumerate(terms):
        line(record[name], f"C{k}-", name)
        if valid := record.get(f"valid {name}"):
            line(valid, f"C{k}--", f"{name}, validation")
    ax.set(xlabel="epoch", ylabel=unit)
    ax.legend()
    return ax


def show(ax, alt):
    """Display the figure of ax, once, with alt: a sentence that says what is to be seen. A plain
    script has no page for the figure: there the sentence is printed."""
    content = bundle(ax, alt)
    if get_ipython() is None:
        return print(alt)
    display(content, raw=True)


def bundle(ax, alt):
    """The figure of ax, which is closed, as a mime bundle: HTML with the picture and alt text, and
    plain text. The picture is in WebP without loss: exact, and little more than half of a PNG."""
    drawn = io.BytesIO()
    ax.figure.savefig(drawn, bbox_inches="tight", dpi=144)  # sharp on a projector
    plt.close(ax.figure)
    image = Image.open(drawn).convert("RGB")
    width = image.width * 100 // 144
    img = f'<img alt="{html.escape(alt)}" width="{width}" src="{webp(image)}">'
    return {"text/plain": alt, "text/html": img}


def webp(image):
    """A picture of PIL as an address that holds it, without loss."""
    file = io.BytesIO()
    image.save(file, "webp", lossless=True)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
