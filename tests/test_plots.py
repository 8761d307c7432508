"""Figures against layouts made by hand, and the mime bundle that puts them on the page."""

import base64
import io
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib import rc_params_from_file
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from PIL import Image

from aecourse import data, plots
from aecourse.sound import piano_roll


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def batch(n, channels=1, height=2, width=3):
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(n))


# ---- mosaic -----------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [0, 1, 2, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_mosaic_lays_images_in_rows_and_columns_with_white_gaps(gap, channels):
    rows = batch(3, channels), batch(2, channels)  # the place that stays empty is white
    by_hand = np.full((2 * 2 + gap, 3 * 3 + 2 * gap, 3), 255, np.uint8)
    for r, row in enumerate(rows):
        for c, image in enumerate(row.numpy()):
            for i in range(2):
                for j in range(3):
                    pixel = np.rint(255 * image[:, i, j])
                    by_hand[r * (2 + gap) + i, c * (3 + gap) + j] = pixel
    sheet = plots.mosaic(*rows, gap=gap)
    assert sheet.dtype == np.uint8
    np.testing.assert_array_equal(sheet, by_hand)


def test_mosaic_has_gaps_of_two_pixels_by_default():
    np.testing.assert_array_equal(plots.mosaic(batch(3)), plots.mosaic(batch(3), gap=2))


def test_mosaic_clips_to_0_1():
    x = torch.tensor([-5.0, -0.1, 0.0, 0.5, 1.0, 300.0]).reshape(1, 1, 2, 3)
    assert plots.mosaic(x)[..., 0].tolist() == [[0, 0, 0], [128, 255, 255]]


def test_mosaic_takes_what_models_return():
    x = batch(2)
    truth = plots.mosaic(x)
    for twin in (x.clone().requires_grad_(), x.double()):
        np.testing.assert_array_equal(plots.mosaic(twin), truth)


def test_signed_is_blue_below_zero_white_at_zero_red_above():
    x = torch.tensor([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]).reshape(1, 1, 2, 3)
    (low, half_low, zero), (other_zero, half_high, high) = (
        plots.mosaic(x, signed=True).astype(int).tolist()
    )
    for red, green, blue in (low, half_low):
        assert blue > green > red
    for red, green, blue in (high, half_high):
        assert red > max(green, blue)
    assert sum(low) < sum(half_low) and sum(high) < sum(half_high)  # stronger is darker
    assert min(*zero, *other_zero) > 240


def test_signed_scales_each_image_to_its_own_largest_size():
    x = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 1.5]).reshape(1, 1, 2, 3)
    both = plots.mosaic(torch.cat([x, x / 1000]), signed=True)
    np.testing.assert_array_equal(both[:, :3], both[:, -3:])
    nothing = plots.mosaic(torch.zeros(1, 1, 2, 3), signed=True)
    assert nothing.min() > 240


# ---- images, diagram, codes, history ----------------------------------------------------------


def words(labels):
    return [label.get_text() for label in labels]


def test_images_shows_the_mosaic_with_labels_beside_the_rows_and_titles_above_the_columns():
    ax = plots.images(batch(3), batch(2), labels=["original", "rebuilt"], titles=["a", "b", "c"])
    assert isinstance(ax, Axes)
    (shown,) = ax.images
    np.testing.assert_array_equal(shown.get_array(), plots.mosaic(batch(3), batch(2)))
    assert words(ax.get_yticklabels()) == ["original", "rebuilt"]
    assert words(ax.get_xticklabels()) == ["a", "b", "c"]
    for r, y in enumerate(ax.get_yticks()):
        assert 4 * r < y < 4 * r + 2  # images of 2 pixels, gaps of 2
    for c, x in enumerate(ax.get_xticks()):
        assert 5 * c < x < 5 * c + 3
    assert ax.xaxis.get_tick_params()["labeltop"] and not ax.xaxis.get_tick_params()["labelbottom"]
    assert not any(spine.get_visible() for spine in ax.spines.values())
    assert not any(line.get_visible() for line in ax.get_xgridlines() + ax.get_ygridlines())


def test_images_has_no_ticks_where_nothing_is_said():
    ax = plots.images(batch(3))
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


def test_images_of_signed_values():
    (shown,) = plots.images(batch(2) - 0.5, signed=True).images
    np.testing.assert_array_equal(shown.get_array(), plots.mosaic(batch(2) - 0.5, signed=True))


def test_many_images_make_no_wider_figure_than_ten():
    widths = [plots.images(batch(n)).figure.get_figwidth() for n in (3, 10, 40)]
    assert widths[0] < widths[1] < 10
    assert widths[2] == pytest.approx(widths[1])


def test_each_plot_goes_into_the_axes_it_is_given():
    _, axes = plt.subplots(3)
    record = {"epoch": [1, 2], "seconds": [1, 2], "loss": [3, 2], "reconstruction": [3, 2]}
    assert plots.images(batch(2), ax=axes[0]) is axes[0]
    assert plots.codes(torch.randn(5, 2), ax=axes[1]) is axes[1]
    assert plots.history(record, ax=axes[2]) is axes[2]
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("d", [1, 2, 4, 5, 30])
def test_diagram_shows_both_images_and_the_first_four_numbers_of_the_code(d):
    x, x_hat, z = batch(1), 1 - batch(1), torch.arange(d)[None] + 0.25
    ax = plots.diagram(x, z, x_hat)
    assert isinstance(ax, Axes)
    left, right = sorted(ax.images, key=lambda image: image.get_extent()[0])
    np.testing.assert_array_equal(left.get_array(), plots.mosaic(x))
    np.testing.assert_array_equal(right.get_array(), plots.mosaic(x_hat))
    assert left.get_extent()[1] < right.get_extent()[0]
    numbers = ["0.25", "1.25", "2.25", "3.25"][:d] + ["..."] * (d > 4)
    said = words(ax.texts)
    assert "\n".join(numbers) in said
    for word in ("encoder", "decoder", "input $x$", "code $z$", r"reconstruction $\tilde{x}$"):
        assert word in said


def test_codes_draws_a_cloud_a_class_and_its_name_in_its_colour():
    z = torch.randn(90, 3, requires_grad=True)
    labels = torch.arange(90) % 3 + 1  # classes 1 to 3, of 0 there is none
    ax = plots.codes(z, labels, ("shoe", "coat", "bag", "shirt"))
    assert isinstance(ax, Axes)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("code $z_1$", "code $z_2$")
    assert words(ax.texts) == ["coat", "bag", "shirt"]
    colours = set()
    for k, (cloud, word) in enumerate(zip(ax.collections, ax.texts, strict=True), 1):
        rows = z.detach()[labels == k, :2].numpy()
        np.testing.assert_allclose(cloud.get_offsets(), rows, rtol=1e-6)
        colour = tuple(cloud.get_facecolor()[0, :3])
        assert to_rgba(word.get_color())[:3] == pytest.approx(colour)
        colours.add(colour)
    assert len(colours) == 3


def test_codes_writes_a_name_in_the_middle_of_the_half_of_its_cloud_that_is_farther_out():
    directions = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    z = 5 + (torch.arange(1, 31)[:, None, None] / 10 * directions).flatten(0, 1)  # 0.1 to 3 away
    ax = plots.codes(z, torch.arange(120) % 4, "nesw")
    for word, direction in zip(ax.texts, directions, strict=True):
        away = torch.tensor(word.get_position()) - 5
        assert 2.1 < away @ direction < 2.4 and away.norm() < 2.4


def test_codes_without_labels_or_names():
    z = torch.randn(20, 2)
    ax = plots.codes(z)
    assert len(ax.collections) == 1 and not ax.texts
    ax = plots.codes(z, torch.arange(20) % 4)
    assert len(ax.collections) == 4 and not ax.texts


def test_a_heatmap_shows_each_number_in_its_square():
    values = np.array([[0, 0.25, 1], [0.5, 0.999, 0.004]])
    ax = plots.heatmap(torch.from_numpy(values), ["a", "b"], ["x", "y", "z"])
    np.testing.assert_array_equal(ax.images[0].get_array(), values)
    written = {(*t.get_position(),): t.get_text() for t in ax.texts}
    assert written[(1, 0)] == ".25" and written[(1, 1)] == "1.00" and len(written) == 6
    assert [t.get_text() for t in ax.get_xticklabels()] == ["x", "y", "z"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]


def test_history_draws_each_term_solid_and_its_validation_dashed():
    record = {
        "epoch": [1, 2, 2.5],  # stopped half-way through the third: not validated
        "seconds": [0.1, 0.2, 0.3],
        "loss": [9, 7, 5],
        "reconstruction": [6, 5, 4],
        "kl": [3, 2, 1],
        "valid reconstruction": [7, 6],
        "valid kl": [2, 1],
    }
    ax = plots.history(record)
    assert isinstance(ax, Axes)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "nats an image")
    lines = {line.get_label(): line for line in ax.lines}
    names = ["reconstruction", "reconstruction, validation", "kl", "kl, validation"]
    assert list(lines) == words(ax.get_legend().get_texts()) == names
    for name in ("reconstruction", "kl"):
        solid, dashed = lines[name], lines[f"{name}, validation"]
        assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
        assert solid.get_color() == dashed.get_color()
        assert list(solid.get_xdata()) == record["epoch"]
        assert list(solid.get_ydata()) == record[name]
        assert list(dashed.get_xdata()) == [1, 2]
        assert list(dashed.get_ydata()) == record[f"valid {name}"]
    assert lines["kl"].get_color() != lines["reconstruction"].get_color()


def test_history_says_the_unit_it_is_given():
    assert plots.history({"epoch": [1], "kl": [3]}, unit="bits").get_ylabel() == "bits"


@pytest.mark.filterwarnings("ignore:No artists with labels")
def test_history_of_a_training_stopped_before_its_first_step():
    assert not plots.history({"epoch": [], "seconds": [], "loss": []}).lines


# ---- on the page ------------------------------------------------------------------------------

NASTY = 'A 7 < 9 & "quoted" <b>bold</b> </script> it\'s.'


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text):
        raise AssertionError(f"text outside the tags: {text}")


def opened(bundle):
    (source,) = re.findall('src="data:image/webp;base64,([^"]*)"', bundle["text/html"])
    return Image.open(io.BytesIO(base64.b64decode(source, validate=True)))


def test_the_bundle_is_an_img_with_the_picture_and_alt_text_and_a_sentence():
    bundle = plots.bundle(plots.images(batch(3)), NASTY)
    assert set(bundle) == {"text/html", "text/plain"}  # the picture is stored once
    assert bundle["text/plain"] == NASTY
    assert opened(bundle).format == "WEBP"
    ((tag, attributes),) = Tags(bundle["text/html"]).tags
    assert tag == "img" and attributes["alt"] == NASTY


@pytest.mark.parametrize("many", [False, True])
def test_what_is_stored_is_what_was_drawn_pixel_by_pixel(many):
    """All colours of the style, dots that overlap, faces, a colour map, colour images."""
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    _, axes = plt.subplots(1, 4, figsize=(16, 4)) if many else (None, [plt.subplots()[1]])
    axes[0].bar(range(10), [1] * 10, color=cycle)
    if many:
        plots.codes(torch.randn(2000, 2), torch.arange(2000) % 10, "0123456789", ax=axes[1])
        plots.images(data.load("faces", n=12).x, torch.rand(12, 3, 64, 64), ax=axes[2])
        axes[3].imshow(np.random.default_rng(0).normal(size=(99, 99)).cumsum(0), cmap="RdBu_r")
    file, figure = io.BytesIO(), axes[0].figure
    figure.canvas.draw()
    figure.set_layout_engine("none")  # it would move a pixel at the second drawing
    figure.savefig(file, bbox_inches="tight", dpi=144)
    drawn = Image.open(file).convert("RGB")
    stored = opened(plots.bundle(axes[0], "a")).convert("RGB")
    assert np.array_equal(np.asarray(stored), np.asarray(drawn))
    colours = {colour for _, colour in stored.getcolors(stored.width * stored.height)}
    assert {tuple(round(255 * v) for v in to_rgba(c)[:3]) for c in cycle} <= colours
    assert many == (len(colours) > 10_000)


def test_the_pixels_of_an_image_are_stored_with_their_values():
    """Enlarged by a factor that is no whole number, 28 of them are not smoothed into others."""
    x = torch.linspace(0.1, 0.9, 28 * 28).reshape(1, 1, 28, 28)
    ax = plots.images(x.expand(16, -1, -1, -1))
    stored = np.asarray(opened(plots.bundle(ax, "a")).convert("L"))
    inner = stored[stored.shape[0] // 2, :]  # a row through all sixteen
    assert set(inner.tolist()) - {255} <= set(plots.mosaic(x)[..., 0].ravel().tolist())


def test_a_plain_script_prints_the_sentence(capsys):
    plots.show(plots.images(batch(2)), NASTY)  # pytest is one
    assert capsys.readouterr().out == f"{NASTY}\n" and plt.get_fignums() == []


def test_the_history_of_one_epoch_is_a_point():
    ax = plots.history({"epoch": [1], "seconds": [2], "loss": [3], "r": [3], "valid r": [4]})
    assert [line.get_marker() for line in ax.lines] == ["o", "o"]
    ax = plots.history({"epoch": [1, 2], "seconds": [2, 3], "loss": [3, 2], "r": [3, 2]})
    assert [line.get_marker() for line in ax.lines] == ["None"]
    plt.close("all")


def test_the_picture_is_sharp_and_as_large_on_the_page_as_matplotlib_says():
    """144 dots an inch in the file, shown as 100 an inch."""
    _, ax = plt.subplots(figsize=(7, 3), layout="none")
    ax.set_position([0, 0, 1, 1])
    ax.set(xticks=[], yticks=[])
    bundle = plots.bundle(ax, "A frame without anything in it.")
    shown = int(re.search(r'width="(\d+)"', bundle["text/html"])[1])
    assert shown == pytest.approx(opened(bundle).width * 100 / 144, abs=1)
    assert shown == pytest.approx(700, abs=25)  # savefig adds a margin


def test_the_picture_is_opaque_and_legible_on_a_dark_theme():
    image = np.asarray(opened(plots.bundle(plots.codes(torch.randn(5, 2)), "a")).convert("RGBA"))
    assert (image[..., 3] == 255).all()
    assert (image[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()  # its corners are white


def test_show_displays_once_and_closes_the_figure(monkeypatch):
    calls = []
    monkeypatch.setattr(plots, "display", lambda *a, **options: calls.append((a, options)))
    monkeypatch.setattr(plots, "get_ipython", lambda: "a notebook")
    other, _ = plt.subplots()
    ax = plots.images(batch(2))
    assert plots.show(ax, NASTY) is None
    (((bundle,), options),) = calls
    assert options == {"raw": True} and set(bundle) == {"text/html", "text/plain"}
    assert plt.get_fignums() == [other.number]  # the inline backend shows what is left open


def test_the_style_of_the_course_is_loaded():
    style = rc_params_from_file(
        plots.__file__.replace("plots.py", "course.mplstyle"), use_default_template=False
    )
    assert len(style) > 10
    for key, value in style.items():
        assert plt.rcParams[key] == value, key
    for key in ("figure.facecolor", "savefig.facecolor", "axes.facecolor"):
        assert to_rgba(plt.rcParams[key]) == (1, 1, 1, 1), key
    assert plt.rcParams["font.size"] >= 14  # a projector
    assert len(set(plt.rcParams["axes.prop_cycle"].by_key()["color"])) == 10


def test_names_of_classes_in_the_same_place_stand_below_each_other():
    z = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    ax = plots.codes(z, torch.arange(300) % 3, ("reel", "hornpipe", "jig"))
    ax.figure.canvas.draw()
    boxes = [word.get_window_extent() for word in ax.texts]
    assert len(boxes) == 3
    for k, box in enumerate(boxes):
        for other in boxes[:k]:  # more than half of the letters is seen
            apart = abs(box.y0 + box.y1 - other.y0 - other.y1) / 2
            assert apart > 0.6 * min(box.height, other.height)
    plt.close(ax.figure)


# ---- piano rolls ------------------------------------------------------------------------------


def blue(roll):
    """Where a roll (3, H, W) has the colour of a note, and where of its start."""
    return [
        (roll - torch.tensor(colour)[:, None, None] / 255).abs().amax(0) < 0.01
        for colour in ((0x56, 0xB4, 0xE9), (0x00, 0x30, 0x4F))
    ]


@pytest.mark.parametrize(
    "semitone, first, steps", [(0, 0, 12), (7, 3, 3), (24, 40, 8), (13, 20, 1)]
)
def test_a_note_of_a_piano_roll_is_where_and_as_long_as_it_sounds(semitone, first, steps):
    pitch, onset = torch.full((2, 48), -1.0), torch.zeros(2, 48)
    pitch[1, first : first + steps] = semitone
    onset[1, first] = 1
    rolls = piano_roll(pitch, onset)
    assert rolls.shape == (2, 3, 252, 732) and rolls.min() >= 0 and rolls.max() <= 1
    assert not any(mask.any() for mask in blue(rolls[0]))  # a rest
    bar, edge = blue(rolls[1])
    columns, rows = (bar | edge).any(0).nonzero(), bar.any(1).nonzero()
    assert columns.min() == 54 + 14 * first and columns.max() == 54 + 14 * (first + steps) - 1
    assert rows.min() == 9 * (24 - semitone) and rows.max() == 9 * (25 - semitone) - 1
    assert edge.any(0).nonzero().min() == columns.min() and edge.any(0).sum() == 5


def test_a_second_onset_is_seen_within_a_held_pitch():
    pitch, onset = torch.full((1, 48), 9.0), torch.zeros(1, 48)
    onset[0, [0, 24]] = 1
    edges = blue(piano_roll(pitch, onset)[0])[1].any(0).nonzero()[:, 0]
    assert edges.tolist() == [*range(54, 59), *range(54 + 336, 59 + 336)]
