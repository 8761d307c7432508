"""Sliders without a browser: values set in Python, the pixels of the picture, the mime bundle."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import ipywidgets
import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from PIL import Image
from scipy.special import erf, expit
from torch import nn

from aecourse import layers, models, plots
from aecourse.live import browser_sliders
from aecourse.sound import piano_roll, play
from aecourse.widgets import latent_sliders

GREY, COLOUR = (1, 6, 7), (3, 6, 5)
NASTY = ['"quoted"', "it's", "</script><b>bold</b>", "<!--<script>", "5 < 6 & 7", "$1"]
VIEW = "application/vnd.jupyter.widget-view+json"


def build(kind, shape=GREY, d=2):
    """A decoder with wide codes (60, d), so that each slider moves every pixel a good deal."""
    torch.manual_seed(0)
    x = torch.rand(60, *shape)
    if kind == "function":
        turn = torch.randn(d, *shape)
        return lambda z: torch.einsum("nd,dchw->nchw", z, turn).sigmoid(), torch.randn(60, d)
    model = {
        "PCA": lambda: models.PCA(x, d),
        "LinearAutoencoder": lambda: models.LinearAutoencoder(shape, d),
        "Autoencoder": lambda: models.Autoencoder(shape, (16,), d),
    }[kind]()
    return model.decode, 8 * torch.randn(60, d)


def parts(box):
    """The picture, the words and the sliders of a box."""
    (picture, column), words = box.children[0].children, box.children[1]
    return picture, words, column.children


def pixels(picture, shape):
    """The picture as (H, W, 3), once it is certain that only its scale was changed."""
    _, height, width = shape
    large = Image.open(io.BytesIO(picture.value))
    assert large.format == "PNG" and large.mode == "RGB"
    times = -(-400 // height)
    assert large.height == times * height >= 400 and large.width == times * width
    small = large.resize((width, height), Image.Resampling.NEAREST)
    assert small.resize(large.size, Image.Resampling.NEAREST).tobytes() == large.tobytes()
    return np.asarray(small)


def decoded(decode, z):
    with torch.no_grad():
        image = decode(torch.tensor([z]))[0].permute(1, 2, 0).numpy()
    return np.broadcast_to(np.rint(255 * np.clip(image, 0, 1)), (*image.shape[:2], 3))


def all_of(bundle_or_box):
    """What IPython sends to the page."""
    return DisplayFormatter().format(bundle_or_box)[0]


@pytest.mark.parametrize(
    "kind, shape, d",
    [
        ("PCA", GREY, 1),
        ("PCA", COLOUR, 20),
        ("LinearAutoencoder", COLOUR, 1),
        ("LinearAutoencoder", GREY, 20),
        ("Autoencoder", GREY, 1),
        ("Autoencoder", COLOUR, 20),
        ("function", COLOUR, 1),
        ("function", GREY, 20),
    ],
)
def test_a_moved_slider_changes_picture_and_words_to_the_decoded_code(kind, shape, d):
    decode, codes = build(kind, shape, d)
    picture, words, sliders = parts(latent_sliders(decode, codes))
    assert len(sliders) == d
    z = [slider.value for slider in sliders]
    assert np.array_equal(pixels(picture, shape), decoded(decode, z))
    for k in {0, d - 1}:
        before = picture.value, words.value
        z[k] = sliders[k].value = sliders[k].max
        assert picture.value != before[0] and words.value != before[1]
        assert np.array_equal(pixels(picture, shape), decoded(decode, z))
    said = re.findall(r"(z\d+) = (-?\d+\.\d\d)", words.value)
    assert said == [(f"z{k + 1}", f"{value:.2f}") for k, value in enumerate(z)]


def test_sliders_go_from_the_1st_to_the_99th_percentile_and_start_at_the_median():
    decode, _ = build("function", d=3)
    codes = torch.distributions.Exponential(1.0).sample((1001, 3))
    codes[:, 1] += 100  # above the default range of a slider, and below it
    codes[:, 2] -= 1e3
    codes[0], codes[1] = 1e6, -1e6  # outliers
    by_rank = codes.sort(0).values[[10, 500, 990]].T  # rows (low, median, high)
    for slider, (low, median, high) in zip(
        parts(latent_sliders(decode, codes))[2], by_rank.tolist(), strict=True
    ):
        assert slider.min == pytest.approx(low, abs=1e-3)
        assert slider.value == pytest.approx(median, abs=1e-3)
        assert slider.max == pytest.approx(high, abs=1e-3)
        assert 50 < (slider.max - slider.min) / slider.step < 500


def test_a_dimension_that_never_varies_leaves_the_others_their_sliders():
    """Such as an axis that L2 has given up, see models.optimal_weights."""
    decode, codes = build("function")
    codes[:, 1] = 0
    picture, _, (moves, stands) = parts(latent_sliders(decode, codes))
    assert stands.min == stands.value == stands.max == 0
    moves.value = moves.max
    assert np.array_equal(pixels(picture, GREY), decoded(decode, [moves.max, 0]))


def test_the_sliders_read_no_variable_of_the_notebook():
    decode, codes = build("Autoencoder")
    notebook = {"latent_sliders": latent_sliders, "decode": decode, "z": codes.clone()}
    exec("names = ['slant', 'size']\nbox = latent_sliders(decode, z, names)", notebook)
    exec("names.clear()\nz.zero_()\ndecode = z = None\ndel names, latent_sliders", notebook)
    picture, words, sliders = parts(notebook["box"])
    sliders[0].value = sliders[0].min
    z = [slider.value for slider in sliders]
    assert np.array_equal(pixels(picture, GREY), decoded(decode, z))
    assert words.value == f"Decoded picture at slant = {z[0]:.2f}, size = {z[1]:.2f}"
    assert [slider.description for slider in sliders] == ["slant", "size"]


def test_two_boxes_do_not_move_each_other():
    decode, codes = build("Autoencoder")
    one, other = (parts(latent_sliders(decode, codes)) for _ in range(2))
    before = other[0].value, other[2][0].value
    one[2][0].value = one[2][0].max
    assert (other[0].value, other[2][0].value) == before != (one[0].value, one[2][0].value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_codes_that_carry_gradients_are_decoded_without_in_their_own_precision(dtype):
    model, seen = models.Autoencoder(GREY, (16,), 2).to(dtype), []

    def decode(z):
        seen.append((torch.is_grad_enabled(), z.dtype))
        return model.decode(z)

    latent_sliders(decode, model.encode(torch.rand(20, *GREY, dtype=dtype)))
    assert set(seen) == {(False, dtype)}


# ---- sound ------------------------------------------------------------------------------------


def melodies(z):
    """Codes (N, 2) to pitch and onset (N, 48): how high the melody is, and how much it rises."""
    pitch = (12 + z[:, :1] + z[:, 1:] * torch.linspace(-1, 1, 48)).round().clamp(0, 24)
    return pitch, (torch.arange(48) % 6 == 0).float().expand_as(pitch)


def with_sound():
    torch.manual_seed(0)
    codes = 4 * torch.randn(60, 2)
    sheet = lambda z: piano_roll(*melodies(z))  # noqa: E731
    return latent_sliders(sheet, codes, ["height", "rise"], lambda z: play(*melodies(z)))


def heard(box):
    (picture, below), words = box.children[0].children, box.children[1]
    return picture, below.children, words


def test_a_slider_with_sound_renews_picture_and_sound_when_it_is_let_go():
    picture, (column, player), words = heard(with_sound())
    assert player.autoplay is False and player.loop is False  # silent until a slider is moved
    for k, slider in enumerate(column.children):
        assert slider.continuous_update is False
        before = picture.value, player.value, words.value
        slider.value = slider.max
        assert all(
            a != b for a, b in zip(before, (picture.value, player.value, words.value), strict=True)
        )
        z = torch.tensor([[s.value for s in column.children]])
        assert player.value == play(*melodies(z)).data, k
        large = Image.open(io.BytesIO(picture.value))
        roll = Image.fromarray(plots.mosaic(piano_roll(*melodies(z))))
        assert roll.resize(large.size, Image.Resampling.BICUBIC).tobytes() == large.tobytes()
    assert player.autoplay is True


def test_sliders_without_sound_have_no_player_and_move_at_once():
    box = latent_sliders(*build("function"))
    assert all(slider.continuous_update for slider in parts(box)[2])
    assert "<audio" not in all_of(box)["text/html"]


def test_the_static_twin_of_a_slider_with_sound_can_be_played():
    box = with_sound()
    bundle = all_of(box)
    check_static_twin(bundle)
    (sound,) = [a["src"] for tag, a in Page(bundle["text/html"]).tags if tag == "audio"]
    assert base64.b64decode(sound.removeprefix("data:audio/wav;base64,")) == heard(box)[1][1].value


# ---- what is in the output --------------------------------------------------------------------


class Page(HTMLParser):
    """The tags of a piece of HTML with their attributes, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.script, self.open = [], "", []
        self.feed(text)
        self.close()
        assert self.open == []  # whatever comes after it on the page is safe

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open[-1:] == ["script"]:
            self.script += text


def picture(bundle):
    (source,) = re.findall('src="data:image/webp;base64,([^"]*)"', bundle["text/html"])
    return source


def check_static_twin(bundle):
    """A picture on which something is drawn, and a sentence that is also its alt text."""
    image = Image.open(io.BytesIO(base64.b64decode(picture(bundle), validate=True)))
    assert image.format == "WEBP" and image.width > 200
    assert np.ptp(np.asarray(image.convert("L"))) > 100
    alts = [attributes["alt"] for tag, attributes in Page(bundle["text/html"]).tags if tag == "img"]
    assert alts == [bundle["text/plain"]]
    assert re.fullmatch(r"[A-Z].{40,}\.", alts[0])


def test_the_bundle_holds_the_live_view_and_its_static_twin():
    box = latent_sliders(*build("Autoencoder"))
    bundle = all_of(box)
    assert set(bundle) == {VIEW, "text/html", "text/plain"}
    assert bundle[VIEW]["model_id"] == box.model_id
    assert "<img alt=" in bundle["text/html"] and "children=" not in bundle["text/plain"]
    check_static_twin(bundle)


def test_browser_sliders_have_the_same_bundle_without_a_live_view():
    model, codes = trained()
    bundle, twin = (
        all_of(browser_sliders(model, codes)),
        all_of(latent_sliders(model.decode, codes)),
    )
    assert set(bundle) == {"text/html", "text/plain"}
    assert picture(bundle) == picture(twin)
    assert bundle["text/plain"] == twin["text/plain"]
    check_static_twin(bundle)


def test_the_static_twin_shows_the_ends_of_each_slider():
    """Its first and last pictures are those of the slider at its ends, the others in the middle."""
    decode, codes = build("function")
    seen = []
    box = latent_sliders(lambda z: seen.append(z) or decode(z), codes)
    sliders = parts(box)[2]
    strips = [z for z in seen if len(z) > 1]
    assert len(strips) == 2
    for k, strip in enumerate(strips):
        assert strip[0, k].item() == pytest.approx(sliders[k].min)
        assert strip[-1, k].item() == pytest.approx(sliders[k].max)
        assert strip[:, 1 - k].unique().tolist() == pytest.approx([sliders[1 - k].value])


def test_the_static_twin_of_many_dimensions_stays_small():
    decode, codes = build("function", d=20)
    seen = []
    latent_sliders(lambda z: seen.append(z) or decode(z), codes)
    assert len([z for z in seen if len(z) > 1]) == 8


def test_the_sliders_start_at_a_given_code_even_beyond_their_ranges():
    decode, codes = build("function", d=3)
    start = torch.tensor([[0.5, -9.0, 9.0]])
    picture, words, sliders = parts(latent_sliders(decode, codes, start=start))
    assert [slider.value for slider in sliders] == [0.5, -9.0, 9.0]
    assert sliders[1].min == -9 and sliders[2].max == 9 and sliders[0].max < 3
    assert np.array_equal(pixels(picture, GREY), decoded(decode, start[0].tolist()))
    assert "z1 = 0.50, z2 = -9.00, z3 = 9.00" in words.value
    for bad in (torch.zeros(2), torch.tensor([0.0, 0.0, torch.nan])):
        with pytest.raises(ValueError, match="start must be one code of 3 finite numbers"):
            latent_sliders(decode, codes, start=bad)


@pytest.mark.parametrize(
    "shape, d, columns, below",
    [((1, 28, 28), 8, 1, False), ((1, 28, 28), 9, 2, True), ((3, 60, 200), 2, 2, True)],
)
def test_sliders_stay_on_the_page(shape, d, columns, below):
    """At 1280 x 720 with the file browser open, an output is about 880 pixels wide."""
    box = latent_sliders(*build("function", shape, d))
    picture, _, sliders = parts(box)
    width, height = Image.open(io.BytesIO(picture.value)).size
    assert width <= 860 and (height >= 400 or width == 860) and len(sliders) == d
    grid = box.children[0].children[1]
    assert grid.layout.grid_template_columns == f"repeat({columns}, max-content)"
    assert isinstance(box.children[0], ipywidgets.VBox) == below
    assert all(slider.style.description_width == "initial" for slider in sliders)  # whole names


def test_labels_and_numbers_of_sliders_are_not_below_14_pixels():
    box = latent_sliders(*build("function"))
    style = re.fullmatch(
        r"<style>\.([\w-]+) { (--[\w-]+): (\d+)px }</style>", box.children[2].value
    )
    assert style[1] in box._dom_classes and style[2] == "--jp-widgets-font-size"
    assert int(style[3]) >= 14 and box.children[2].layout.display == "none"


# ---- the page decodes -------------------------------------------------------------------------

ACTIVATIONS = {
    "Identity": lambda a: a,
    "ReLU": lambda a: np.maximum(a, 0),
    "GELU": lambda a: a * (1 + erf(a / np.sqrt(2))) / 2,
    "Tanh": np.tanh,
    "Sigmoid": expit,
    "SiLU": lambda a: a * expit(a),
    "ELU": lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
    "LeakyReLU": lambda a: np.where(a > 0, a, 0.01 * a),
    "Softplus": lambda a: np.logaddexp(0, a),
}


def trained(activation=nn.ReLU):
    """An autoencoder with weights large enough for a picture of black and white, and its codes."""
    torch.manual_seed(0)
    model = models.Autoencoder(GREY, (16, 8), 3, activation)
    return enlarged(model), 2 * torch.randn(60, 3)


def enlarged(model):
    for p in model.parameters():
        p.data *= 4
    return model


def from_page(bundle):
    """What the script of a page is given: its spec, and its weights as [(weight, bias, f), ...]."""
    script = Page(bundle["text/html"]).script
    spec = json.loads(re.search(r" spec = (\{.*\});\n", script)[1])
    numbers = base64.b64decode(spec["weights"], validate=True)
    numbers = np.frombuffer(numbers, "<f2").astype(float)
    layers = []
    for rows, columns, activation in spec["layers"]:
        size = rows * columns
        weight, bias = numbers[:size].reshape(rows, columns), numbers[size : size + rows]
        layers.append((weight, bias, ACTIVATIONS[activation]))
        numbers = numbers[size + rows :]
    assert len(numbers) == 0
    return spec, layers


@pytest.mark.parametrize(
    "kind",
    [*layers.KNOWN.__args__, "linear", "tied", "PCA", "one layer"],
)
def test_the_weights_in_the_page_decode_as_the_model_does(kind):
    model, codes = trained(kind if isinstance(kind, type) else nn.ReLU)
    if kind == "linear":
        model = enlarged(models.LinearAutoencoder(GREY, 3))
    if kind == "tied":
        model = enlarged(models.LinearAutoencoder(GREY, 3, tied=True))
    if kind == "PCA":
        model = models.PCA(torch.rand(60, *GREY), 3)
    if kind == "one layer":
        model = models.Autoencoder(GREY, (), 3)
    spec, layers = from_page(all_of(browser_sliders(model, codes)))
    z = codes.numpy()
    for weight, bias, activation in layers:
        z = activation(z @ weight.T + bias)
    rebuilt = np.clip(z, 0, 1).reshape(60, 1, spec["height"], spec["width"])
    truth = model.decode(codes).detach().clamp(0, 1).numpy()
    assert truth.std(0).mean() > 0.05
    np.testing.assert_allclose(rebuilt, truth, atol=2 / 255)


def test_the_page_has_the_ranges_of_the_kernel_s_sliders():
    model, codes = trained()
    spec, _ = from_page(all_of(browser_sliders(model, codes, ["a", "b", "c"])))
    sliders = parts(latent_sliders(model.decode, codes, ["a", "b", "c"]))[2]
    assert spec["names"] == [slider.description for slider in sliders]
    assert spec["low"] == [slider.min for slider in sliders]
    assert spec["high"] == [slider.max for slider in sliders]
    assert spec["start"] == [slider.value for slider in sliders]


def test_the_page_is_the_same_text_each_time():
    twins = trained(), trained()
    pages = []
    for seed, (model, codes) in enumerate(twins):
        torch.manual_seed(seed)
        pages.append(all_of(browser_sliders(model, codes)))
    assert pages[0] == pages[1]


def test_the_page_fetches_nothing():
    text = all_of(browser_sliders(*trained()))["text/html"]
    text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", text)  # pictures and weights
    assert not re.search(r"https?:|//[a-z]|fetch|import|XMLHttp|<link|\bid=", text)


def test_nasty_names_do_no_harm():
    torch.manual_seed(0)
    model, codes = models.Autoencoder(GREY, (8,), len(NASTY)), torch.randn(60, len(NASTY))
    bundle = all_of(browser_sliders(model, codes, NASTY))
    page = Page(bundle["text/html"])
    assert [tag for tag, _ in page.tags] == ["div", "style", "div", "img", "p", "p", "script"]
    assert from_page(bundle)[0]["names"] == NASTY
    # After "<!--" and "<script" HTML no longer ends a script at "</script>".
    assert "<!--" not in page.script and "<script" not in page.script
    check_static_twin(bundle)
    box = latent_sliders(model.decode, codes, NASTY)
    check_static_twin(all_of(box))
    for slider, name in zip(parts(box)[2], NASTY, strict=True):
        assert slider.description == name and not slider.description_allow_html
    assert "<" not in box.children[1].value  # the words, in HTML


# ---- what is refused --------------------------------------------------------------------------


class Other(nn.Module):
    """A model around any decoder, for images of any shape."""

    def __init__(self, *layers, shape=GREY):
        super().__init__()
        self.shape, self.decoder = shape, nn.Sequential(*layers)

    def logits(self, z):
        return self.decoder(z).unflatten(-1, self.shape)

    def decode(self, z):
        return self.logits(z).sigmoid()


def conv():
    layers = nn.Linear(2, 12), nn.Unflatten(1, (1, 3, 4)), nn.ConvTranspose2d(1, 1, 4), nn.Flatten()
    return Other(*layers)


def conv_between_linear_layers():
    layers = nn.Linear(2, 12), nn.Unflatten(1, (1, 3, 4)), nn.Conv2d(1, 1, 2), nn.Flatten()
    return Other(*layers, nn.Linear(6, 42))


@pytest.mark.parametrize(
    "model",
    [
        conv,
        conv_between_linear_layers,
        lambda: Other(nn.Linear(2, 8), nn.LeakyReLU(0.3), nn.Linear(8, 42)),
        lambda: Other(nn.Linear(2, 8), nn.Softshrink(), nn.Linear(8, 42)),
        lambda: Other(nn.Linear(2, 90), shape=COLOUR),  # the page draws grey pictures
    ],
    ids=["conv", "conv between", "LeakyReLU of another slope", "Softshrink", "colour"],
)
def test_browser_sliders_refuse_other_decoders_and_name_the_alternative(model):
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="use latent_sliders for this one") as error:
        browser_sliders(model(), torch.randn(60, 2))
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("kind", ["1-D", "empty", "3-D", "not finite"])
def test_codes_without_ranges_are_refused(kind, value):
    model, codes = models.Autoencoder(GREY, (8,), 2), torch.randn(60, 2)
    codes[3, 1] = value if kind == "not finite" else 0
    codes = {"1-D": codes[:, 0], "empty": codes[:0], "3-D": codes[None]}.get(kind, codes)
    for make in (
        lambda: latent_sliders(model.decode, codes),
        lambda: browser_sliders(model, codes),
    ):
        with pytest.raises(ValueError, match=r"codes must be finite numbers \(N, d\)") as error:
            make()
        assert "\n" not in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"], "abc"])
def test_a_wrong_number_of_names_is_refused(names):
    model, codes = models.Autoencoder(GREY, (8,), 2), torch.randn(60, 2)
    sentence = rf"^There are {len(names)} names for 2 latent dimensions\.$"
    with pytest.raises(ValueError, match=sentence):
        latent_sliders(model.decode, codes, names)
    with pytest.raises(ValueError, match=sentence):
        browser_sliders(model, codes, names)
