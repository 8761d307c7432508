"""Figures that live in the page, without a browser: what they carry, their static twins, errors."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from aecourse.live import flipbook


def all_of(figure):
    """What IPython sends to the page."""
    return DisplayFormatter().format(figure)[0]


# ---- flip-book --------------------------------------------------------------------------------

NASTY_LABELS = ['"quoted"', "it's", "</script><b>bold</b>", "<!--<script>", "5 < 6 & 7", "$1", "λ"]


def book(html_text):
    """The spec of a flip-book, and the tags of its static twin: (tag, attributes) and texts."""
    spec = json.loads(re.search(r"spec = (\{.*\});\n", html_text)[1])
    tags, texts = [], []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.handle_data = texts.append
    parser.feed(html_text)
    return spec, [a for tag, a in tags if tag == "img"], texts


def opened(address):
    """The picture that a data address holds, (H, W, 3)."""
    head, content = address.split(",")
    assert head == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


@pytest.mark.parametrize("shape", [(1, 6, 7), (3, 6, 5)])
@pytest.mark.parametrize("kind", ["one tensor", "tensors", "bytes"])
def test_a_flipbook_carries_each_image_exactly(kind, shape):
    torch.manual_seed(0)
    x = (255 * torch.rand(9, *shape)).round() / 255
    true = (255 * x).round().byte().expand(-1, 3, -1, -1).movedim(1, 3).numpy()
    frames = {"one tensor": x, "tensors": list(x.requires_grad_()), "bytes": list(true)}[kind]
    data = all_of(flipbook(frames, range(9), "Noise."))
    spec, _, _ = book(data["text/html"])
    assert spec["labels"] == [str(k) for k in range(9)]
    assert (spec["height"], spec["width"]) == shape[1:]
    for address, image in zip(spec["frames"], true, strict=True):
        assert np.array_equal(opened(address), image)


@pytest.mark.parametrize("whole", [False, True])
def test_figures_are_drawn_at_100_dots_an_inch_at_their_full_size_and_closed(whole):
    opened_figures = []

    def draw(k):
        figure, ax = plt.subplots(figsize=(3, 2))
        ax.plot([0, k])
        opened_figures.append(len(plt.get_fignums()))
        return figure if whole else ax

    before = len(plt.get_fignums())
    spec, _, _ = book(all_of(flipbook(map(draw, range(25)), range(25), "Lines."))["text/html"])
    assert len(plt.get_fignums()) == before and set(opened_figures) == {before + 1}
    assert [opened(address).shape for address in spec["frames"]] == [(200, 300, 3)] * 25
    assert len(set(spec["frames"])) == 25


@pytest.mark.parametrize(
    ("n", "chosen"),
    [
        (1, [0]),
        (2, [0, 1]),
        (7, [0, 1, 2, 3, 4, 5, 6]),
        (13, [0, 2, 4, 6, 8, 10, 12]),
        (31, [0, 5, 10, 15, 20, 25, 30]),
    ],
)
def test_the_static_strip_has_at_most_seven_frames_with_their_true_labels(n, chosen):
    x = torch.linspace(0, 1, n)[:, None, None, None].expand(-1, 1, 4, 4)
    labels = [f"grey of {v:.2f}" for v in x[:, 0, 0, 0]]
    data = all_of(flipbook(x, labels, "From black to white."))
    spec, images, texts = book(data["text/html"])
    assert [image["alt"] for image in images] == [
        f"From black to white. {labels[k]}" for k in chosen
    ]
    assert [image["src"] for image in images] == [spec["frames"][k] for k in chosen]
    assert [text for text in texts if text in labels] == [labels[k] for k in chosen]
    assert data["text/plain"] == "From black to white."
    assert all("width: 205px" in image["style"] for image in images)  # four are 852 pixels wide


def test_labels_and_caption_are_text_and_never_markup():
    data = all_of(flipbook(torch.rand(7, 1, 4, 4), NASTY_LABELS, '<i>It</i> & "they" </script>'))
    text = data["text/html"]
    spec, images, texts = book(text)
    assert spec["labels"] == NASTY_LABELS and text.count("</script>") == 1 and "<b>" not in text
    assert [image["alt"][len(spec["caption"]) + 1 :] for image in images] == NASTY_LABELS
    assert set(NASTY_LABELS) <= set(texts)


BLACK = torch.zeros(2, 1, 4, 4)


@pytest.mark.parametrize(
    ("frames", "labels", "words"),
    [
        ([], [], "no frames"),
        (BLACK, ["one"], "1 labels for 2 frames"),
        (BLACK, "one", "3 labels for 2 frames"),
        ([torch.zeros(1, 4, 4), torch.zeros(1, 4, 5)], "ab", r"sizes, \[\(4, 4\), \(5, 4\)\]"),
        (BLACK + 2, "ab", r"\[2, 2\]"),
        (BLACK - 0.1, "ab", r"\[-0.1, -0.1\]"),
        (BLACK / 0, "ab", "NaN"),
        (BLACK[:, 0], "ab", r"\(4, 4\)"),
        (BLACK.expand(-1, 2, -1, -1), "ab", r"\(2, 4, 4\)"),
        (BLACK.long(), "ab", "int64"),
        (BLACK.byte(), "ab", "uint8"),
    ],
)
def test_what_is_no_flipbook_is_told_in_one_sentence(frames, labels, words):
    with pytest.raises(ValueError, match=words) as error:
        flipbook(frames, labels, "A caption.")
    assert str(error.value).count(". ") == 0 and str(error.value).endswith(".")


def test_axes_of_different_sizes_are_told_and_closed():
    before = plt.get_fignums()
    axes = [plt.subplots(figsize=(3, k))[1] for k in (2, 3)]
    with pytest.raises(ValueError, match=r"\(300, 200\), \(300, 300\)"):
        flipbook(axes, "ab", "Two axes.")
    assert plt.get_fignums() == before


def test_a_flipbook_that_is_large_says_so_and_what_helps():
    with pytest.warns(UserWarning, match=r"MB: fewer or smaller frames make it smaller"):
        flipbook(torch.rand(10, 3, 250, 250), range(10), "Noise.")
