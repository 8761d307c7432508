"""A blind vote: which of these are real, and which did a model draw? A figure of the page, see
live.py."""

import html

import torch

from aecourse import inputs, plots
from aecourse.live import _frame, page


def blind_vote(real, drawn, caption, rounds=20, sounds=()):
    """Pictures one after another, real or drawn by a model; the page counts how often one is right.

    real, drawn  images (N, 1 or 3, H, W) in [0, 1], of one size: what gives one kind away at once,
                 such as grey edges, must be taken from both beforehand. At most 100 of each
    caption      what one sees over the pictures
    rounds       how many are shown. A coin decides each time of which kind the next is, so a vote
                 can't be inferred from those before; half as many of each, at least, are wanted
    sounds       an IPython.display.Audio for each picture, first of the real ones
    The answers come after the last vote, the pictures sorted; beside the hits stands the range in
    which 95 % of those stay who toss a coin.
    """
    both = [
        inputs.scaled(inputs.finite(inputs.images(x, name), name))[:100].float().cpu()
        for x, name in ((real, "real"), (drawn, "drawn"))
    ]
    if both[0].shape[1:] != both[1].shape[1:]:
        sizes = f"real are {tuple(both[0].shape)}, drawn {tuple(both[1].shape)}"
        raise ValueError(f"{sizes}: pictures of one size are wanted.")
    least, n = min(map(len, both)), sum(map(len, both))
    if not 1 <= rounds <= 2 * least:
        raise ValueError(
            f"rounds = {rounds}: {least} of each kind are enough for 1 to {2 * least}."
        )
    if len(sounds) not in (0, n):
        raise ValueError(f"There are {len(sounds)} sounds for {n} pictures: give one each.")
    pictures = [plots.webp(_frame(x.detach().clamp(0, 1))) for rows in both for x in rows]
    spec = {"pictures": pictures, "sounds": [sound.src_attr() for sound in sounds]}
    spec |= {"height": both[0].shape[2], "width": both[0].shape[3], "caption": caption}
    still = _still(*both, min(least, 5 if both[0].shape[3] > 200 else 10), caption)
    return page(
        "vote", still, "fewer pictures make it smaller", count=len(both[0]), rounds=rounds, **spec
    )


def _still(real, drawn, n, caption):
    """The static twin: n of each kind in mixed order, numbered, and the answers folded away."""
    order = torch.randperm(2 * n, generator=torch.Generator().manual_seed(0)).tolist()
    mixed, columns = torch.cat([real[:n], drawn[:n]])[order], 10 if real.shape[3] <= 200 else 2
    ax = plots.images(*mixed.split(columns))
    height, width = real.shape[2:]
    for k in range(2 * n):
        place = (k % columns * (width + 2) + width // 12, k // columns * (height + 2))
        ax.annotate(
            str(k + 1),
            place,
            (4, -4),
            textcoords="offset points",
            va="top",
            color="C1",
            weight="bold",
        )
    twin = plots.bundle(ax, f"{caption} {2 * n} pictures in mixed order, numbered.")
    answers = ", ".join(str(k + 1) for k, which in enumerate(order) if which < n)
    fold = f"<details><summary>Answers</summary>Real are {answers}.</details>"
    twin["text/html"] = f"<p>{html.escape(caption)}</p>{twin['text/html']}{fold}"
    return twin
