"""Drawings of models: circles are random, boxes are networks, arrows say what follows from what."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon

from aecourse import plots  # noqa: F401  (the style of the course)

BLUE, ORANGE, GREEN = "C0", "C1", "C2"


def vae():
    """A variational autoencoder, drawn twice: as a generative model with its recognition model, and
    as the network that is trained, whose noise is an input. Returns the two Axes.

    (Kingma & Welling 2014, figure 1; Doersch 2016, figure 4)
    """
    _, (model, network) = plt.subplots(
        1, 2, figsize=(13, 5.8), gridspec_kw={"width_ratios": [4.2, 8.8]}
    )
    _generative(model)
    _reparameterised(network)
    for ax, width, title in [(model, 4.2, "the model"), (network, 8.8, "the network")]:
        ax.set(xlim=(0, width), ylim=(0, 5.2), aspect="equal")
        ax.set_title(title, size=18, weight="bold")
        ax.set_axis_off()
    return model, network


def _generative(ax):
    """The prior, z, the decoder, x; dashed, the recognition model, back from x to z."""
    z, x = (1.5, 3.3), (1.5, 0.9)
    ax.text(1.5, 4.85, r"prior $p(\mathbf{z}) = \mathcal{N}(0, I)$", ha="center", va="center")
    _arrow(ax, (1.5, 4.6), (1.5, 3.8), BLUE)
    _circle(ax, z, r"$\mathbf{z}$", "code", left=True)
    _circle(ax, x, r"$\mathbf{x}$", "data", left=True, filled=True)
    _arrow(ax, (1.4, 2.8), (1.4, 1.4), BLUE)
    ax.text(
        1.25,
        2.1,
        "$p_\\theta(\\mathbf{x}|\\mathbf{z})$\ndecoder",
        color=BLUE,
        ha="right",
        va="center",
    )
    _arrow(ax, (1.75, 1.37), (1.75, 2.83), ORANGE, bend=0.45, linestyle=(0, (4, 2)))
    words = "$q_\\phi(\\mathbf{z}|\\mathbf{x})$\nrecognition\nmodel"
    ax.text(2.3, 2.1, words, color=ORANGE, ha="left", va="center")


def _reparameterised(ax):
    """x, the encoder, mu and sigma, z with the noise from below, the decoder, x_hat."""
    high, low = 3.3, 0.9
    _circle(ax, (0.6, high), r"$\mathbf{x}$", "data", filled=True)
    _network(ax, (1.5, 2.9), high, "encoder\n$\\phi$", ORANGE)
    ax.text(3.5, high + 0.45, r"$\mathbf{\mu}$", size=22, ha="center", va="center")
    ax.text(3.5, high - 0.45, r"$\mathbf{\sigma}$", size=22, ha="center", va="center")
    box = FancyBboxPatch(
        (4.2, high - 0.4), 1.55, 0.8, "round,pad=0.08", fc="white", ec="black", lw=2
    )
    ax.add_patch(box)
    ax.text(
        4.97,
        high,
        r"$\mathbf{z} = \mathbf{\mu} + \mathbf{\sigma}\,\mathbf{\epsilon}$",
        ha="center",
        va="center",
    )
    _circle(ax, (4.97, low), r"$\mathbf{\epsilon}$", "noise, an input", colour=GREEN)
    _network(ax, (7.6, 6.2), high, "decoder\n$\\theta$", BLUE)
    ax.text(8.35, high, r"$\mathbf{\tilde{x}}$", size=24, ha="center", va="center")
    for start, end in [(1.08, 1.45), (2.95, 3.3), (5.9, 6.15), (7.65, 8.1)]:
        _arrow(ax, (start, high), (end, high), "black")
    for side in (0.42, -0.42):
        _arrow(ax, (3.7, high + side), (4.15, high + side / 2), "black")
    _arrow(ax, (4.97, low + 0.5), (4.97, high - 0.52), GREEN)
    ax.text(4.97, 4.75, "the gradient flows back along the black arrows", ha="center", va="center")


def _circle(ax, place, letter, word, filled=False, colour="black", left=False):
    """A random variable; what is seen is filled. Its word stands below it, or on its left."""
    ax.add_patch(plt.Circle(place, 0.45, fc="0.85" if filled else "white", ec=colour, lw=2.5))
    ax.text(*place, letter, size=22, ha="center", va="center")
    x, y = (place[0] - 0.95, place[1]) if left else (place[0], place[1] - 0.72)
    ax.text(x, y, word, ha="center", va="center", color=colour)


def _network(ax, sides, middle, words, colour):
    """A network as a trapezium, wide where it meets pixels: sides are its wide and narrow end."""
    wide, narrow = sides
    corners = [
        (wide, middle - 1),
        (wide, middle + 1),
        (narrow, middle + 0.55),
        (narrow, middle - 0.55),
    ]
    ax.add_patch(Polygon(corners, fc=colour, alpha=0.25, ec="none"))
    ax.add_patch(Polygon(corners, fill=False, ec=colour, lw=2))
    ax.text(sum(sides) / 2, middle, words, ha="center", va="center")


def _arrow(ax, start, end, colour, bend=0.0, linestyle="-"):
    style = {"arrowstyle": "-|>", "mutation_scale": 20, "connectionstyle": f"arc3,rad={bend}"}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, lw=2.5, linestyle=linestyle, **style))
