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
from torch import nn

from aecourse import live, models
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
    images = [a for tag, a in tags if tag == "img"]
    strip = [image["src"] for image in images]  # what stands there already doesn't travel twice
    spec["frames"] = [frame or strip.pop(0) for frame in spec["frames"]]
    assert not strip
    return spec, images, texts


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


# ---- the map of codes -------------------------------------------------------------------------


def mapped(kind=models.Autoencoder, **settings):
    torch.manual_seed(0)
    model, x = kind((1, 7, 5), (9,), 3).eval(), torch.rand(40, 1, 7, 5)
    labels = torch.arange(40) % 4
    figure = live.code_map(model, x, labels, ["a", "b", "c", "d"], **settings)
    return model, x, labels, figure


def spec_of(figure):
    return json.loads(re.search(r" spec = (\{.*\});\n", figure.bundle["text/html"])[1])


@pytest.mark.parametrize("kind", [models.Autoencoder, models.VAE])
def test_the_map_has_the_codes_the_labels_and_the_images(kind):
    model, x, labels, figure = mapped(kind, dims=(2, 0))
    spec, z = spec_of(figure), model.encode(x).detach()
    np.testing.assert_allclose(spec["points"], z[:, [2, 0]], atol=6e-4)
    assert spec["labels"] == labels.tolist() and spec["classes"] == ["a", "b", "c", "d"]
    middle = (z - z.median(0).values).norm(dim=1).argmin()  # a code of an image, so a real picture
    np.testing.assert_allclose(spec["start"], z[middle], rtol=1e-6)
    assert spec["variational"] == (kind is models.VAE)
    assert spec["encoder"][-1][0] == (6 if kind is models.VAE else 3)
    file = io.BytesIO(base64.b64decode(spec["sprite"].partition(",")[2]))
    sheet, columns = np.asarray(Image.open(file).convert("L")), spec["columns"]
    for k in (0, 17, 39):
        row, column = divmod(k, columns)
        tile = sheet[7 * row : 7 * row + 7, 5 * column : 5 * column + 5]
        np.testing.assert_allclose(tile / 255, x[k, 0], atol=1 / 255)
    assert "Run this cell to move it" in figure.bundle["text/html"]


class Conv(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(30, 3))
        self.decoder = nn.Sequential(nn.Linear(3, 35), nn.Unflatten(1, (1, 7, 5)), nn.Sigmoid())

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return self.decoder(z)


def test_of_another_model_the_kernel_moves_the_point_on_the_map():
    torch.manual_seed(0)
    model, x = Conv(), torch.rand(40, 1, 7, 5)
    box = live.code_map(model, x, torch.arange(40) % 4)
    picture, column = box.children[0].children
    sheet = np.asarray(Image.open(io.BytesIO(picture.value)))
    before = sheet[:, : sheet.shape[1] // 2]
    column.children[0].value = column.children[0].max
    moved = np.asarray(Image.open(io.BytesIO(picture.value)))
    assert (moved[:, : sheet.shape[1] // 2] != before).any()  # the point
    assert (moved[:, -100:] != sheet[:, -100:]).any()  # what is decoded
    assert len(column.children) == 3


def test_bad_maps_are_refused_in_one_sentence_and_large_ones_say_what_to_do():
    model, x, _, _ = mapped()
    for bad in ({"dims": (0, 3)}, {"dims": (1, 1)}, {"dims": (0, 1, 2)}):
        with pytest.raises(ValueError, match="two dims of their codes") as error:
            live.code_map(model, x, **bad)
        assert "\n" not in str(error.value) and str(error.value).endswith(".")
    with pytest.raises(ValueError):
        live.code_map(model, x, torch.arange(7))
    for start in (torch.zeros(2), [0.0, torch.nan, 0.0]):
        with pytest.raises(ValueError, match="start must be one code of 3 finite numbers"):
            live.code_map(model, x, start=start)
    broken, _, _, _ = mapped()
    with torch.no_grad():
        broken.decoder[0].weight *= 1e6
    with pytest.raises(ValueError, match="half precision"):
        live.code_map(broken, x)
    wide = models.Autoencoder((1, 40, 40), (600,), 2)
    with pytest.warns(UserWarning, match=r"This figure has [\d.]+ MB: .* make it smaller\."):
        live.code_map(wide, torch.rand(20, 1, 40, 40))
