"""Words for the portraits of data.load("faces"), sorted by eye, and portraits on a map."""

import torch
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from aecourse import inputs, plots
from aecourse.shapes import guard

WORDS = {  # the rows of pictures with it | and without it; ten rows are one person
    "dark hair": "60-109 210-229 280-289 320-329 370-379 | 10-19 40-49 110-119 140-149 170-179 "
    "200-209 310-319 390-399",
    "less hair": "120-139 150-159 240-249 270-279 330-339 360-369 | 60-99 160-169 220-229 280-289 "
    "320-329 340-349 380-389",
    "beard": "100-109 130-139 160-169 240-259 270-279 360-369 | 0-9 20-59 80-89 140-149 200-209 "
    "220-239 280-299 320-329 370-379",
    "older": "10-19 120-149 240-249 310-319 330-339 360-369 | 0-9 30-59 80-99 110-119 220-229 "
    "280-289 320-329 340-349",
    "chin up": "8 49 99 158 256 284 285 313 356 | 9 47 93 152 258 280 282 310 350",
    "turned": "1 3 4 39 57 221 227 277 349 | 5 35 58 228 229 279 344",
    "glasses": "30-32 37 38 63 64 69 120 121 124-129 160 161 164-169 180-182 185 189-192 194 "
    "196-199 358 359 | 33-36 39 60 66-68 122 123 162 163 183 184 186-188 193 195 350-357",
    "smile": "61 62 111 116 119 234 260 261 263 264 268 324-328 340-343 348 349 361 365 367 | "
    "66-68 110 115 118 230 231 235 262 266 269 320 321 329 344-347 360 362 366 368 369",
}


def examples():
    """{word: (has, lacks)}, which of the 400 portraits show it, and which do not: bool (400,) each.

    Sorted by one pair of eyes. *glasses*, *smile*, *chin up* and *turned* are of single pictures,
    where the same people come with and without it; the others are of people.
    """
    return {word: tuple(map(_rows, text.split("|"))) for word, text in WORDS.items()}


def _rows(text):
    chosen = torch.zeros(400, dtype=torch.bool)
    for span in text.split():
        first, _, last = span.partition("-")
        chosen[int(first) : int(last or first) + 1] = True
    return chosen


def face_map(z, x, ax=None):
    """Pictures x (N, 1, H, W), each at the first two dimensions of its code z (N, d)."""
    if len(x) != len(z) or x.ndim != 4 or x.shape[1] != 1 or z.shape[1] < 2:
        shapes = f"x is {tuple(x.shape)}, z is {tuple(z.shape)}"
        raise ValueError(f"{shapes}: grey pictures and as many codes of two dimensions are wanted.")
    ax, x = ax or plots.plt.subplots(figsize=(8, 5.4))[1], inputs.images(x).detach().cpu()
    ax.plot(*z[:, :2].detach().cpu().T.numpy(), ".")
    for place, picture in zip(z[:, :2].tolist(), x[:, 0].numpy(), strict=True):
        small = OffsetImage(picture, zoom=28 / len(picture), cmap="gray")
        ax.add_artist(AnnotationBbox(small, place, pad=0))
    return ax


guard(globals())
