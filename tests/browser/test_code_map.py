"""The map of codes with its pen, in a page of its own: by mouse, touch, keys; as PyTorch does."""

import json

import pytest
import torch
from conftest import put
from digits import strokes
from torch import nn

from aecourse import data, losses, models
from aecourse.live import code_map
from aecourse.training import fit, one_cycle

MAP, PAD = "canvas[aria-label^='Map of codes']", "canvas[aria-label^='Drawing pad']"
MADE = "canvas[aria-label^='Decoded picture']"


def shown(page, model, x, *arguments, frame=False, **settings):
    """The figure in a page of its own, or in a frame that may run scripts and nothing else."""
    place = put(page, code_map(model, x, *arguments, **settings), frame)
    figure = place.locator(".aecourse-code_map")
    figure.locator(MADE).wait_for()
    page.wait_for_timeout(200)  # the images of the dots are unpacked
    return figure


def small(kind=models.Autoencoder, activation=nn.ReLU, d=2):
    torch.manual_seed(0)
    model = kind((1, 12, 10), (16, 8), d, activation)
    for p in model.parameters():
        p.data *= 3  # pictures of black and white
    return model.eval(), torch.rand(30, 1, 12, 10), torch.arange(30) % 3


def pixels(canvas):
    return canvas.evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].join()"
    )


def point(canvas, x, y):
    box = canvas.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def draw(page, pad, lines):
    for line in lines:
        places = [point(pad, x, y) for x, y in line]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=3)
        page.mouse.up()


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU, nn.Tanh, nn.Sigmoid])
@pytest.mark.parametrize("kind", [models.Autoencoder, models.VAE])
def test_the_page_encodes_and_decodes_as_pytorch_does(page, kind, activation):
    model, x, labels = small(kind, activation, d=3)
    figure = shown(page, model, x, labels)
    z = torch.randn(20, 3)
    with torch.no_grad():
        code = torch.cat(model.posterior(x), 1) if kind is models.VAE else model.encode(x)
    for name, given, truth in (("encode", x, code), ("decode", z, model.decode(z))):
        came = figure.evaluate(
            f"(figure, rows) => rows.map(row => [...figure.figure.{name}(row)])",
            given.flatten(1).tolist(),
        )
        scale = truth.abs().max().item()
        assert (torch.tensor(came) - truth.flatten(1)).abs().max() < 1e-3 * max(1, scale)


@pytest.mark.parametrize("frame", [False, True], ids=["page", "frame"])
@pytest.mark.parametrize("kind", [models.Autoencoder, models.VAE])
def test_by_mouse_keys_and_touch_it_moves_and_draws(page, kind, frame):
    figure = shown(page, *small(kind), ["a", "b", "c"], frame=frame)
    ground, pad, made = (figure.locator(name) for name in (MAP, PAD, MADE))

    def changes(action, of=made):
        before = pixels(of), figure.locator("[role=status]").inner_text()
        action()
        page.wait_for_timeout(50)
        assert pixels(of) != before[0]
        assert of is not made or figure.locator("[role=status]").inner_text() != before[1]

    def drag():
        page.mouse.move(*point(ground, 0.5, 0.5))
        page.mouse.down()
        page.mouse.move(*point(ground, 0.8, 0.3), steps=3)
        page.mouse.up()

    changes(drag)
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
        changes(lambda k=key: ground.press(k))
    changes(lambda: page.touchscreen.tap(*point(ground, 0.3, 0.7)))
    changes(lambda: ground.press("Enter"))  # the image of the nearest dot
    assert "squared error" in figure.locator("[role=status]").inner_text()
    changes(lambda: draw(page, pad, [[(0.3, 0.2), (0.4, 0.5), (0.6, 0.8)]]))
    changes(lambda: page.touchscreen.tap(*point(pad, 0.8, 0.2)), pad)
    figure.get_by_role("button", name="clear").click()
    changes(lambda: [pad.press(k) for k in ["Space", *["ArrowDown"] * 3, "ArrowRight", "Space"]])
    for name in ("noise", "erase"):
        slider = figure.locator("label", has_text=name).locator("input")
        changes(lambda s=slider: [s.press("ArrowRight") for _ in range(40)])
    before = pixels(ground)
    figure.get_by_role("checkbox").press("Space")
    assert pixels(ground) != before  # the whole map decoded
    if kind is models.VAE:
        changes(lambda: figure.get_by_role("button", name="hold to sample").press("Enter"))
        assert "KL" in figure.inner_text()


def test_a_dot_shows_and_gives_its_image(page):
    model, x, labels = small()
    x = (255 * x).round() / 255  # bytes, as the page has them
    figure = shown(page, model, x, labels, ["a", "b", "c"])
    for k in (0, 7, 29):
        figure.evaluate("(figure, k) => figure.figure.take(k)", k)
        state = figure.evaluate("figure => figure.figure.state()")
        came = torch.tensor([*state["input"]])
        assert torch.allclose(came, x[k].flatten(), atol=1e-6)
        assert torch.allclose(torch.tensor(state["z"]), model.encode(x[k : k + 1])[0], atol=2e-2)
        assert f"its label is {'abc'[k % 3]}" in figure.locator("[role=status]").inner_text()


def test_after_a_dot_was_hovered_the_noisy_picture_is_shown_again(page):
    figure = shown(page, *small())
    seen = figure.locator("canvas[aria-label='What the network sees']")
    figure.evaluate("figure => figure.figure.take(3)")
    noise = figure.locator("label", has_text="noise").locator("input")
    noise.fill("0.5")
    before, ground = pixels(seen), figure.locator(MAP)
    for k in range(20):  # over many dots, and away
        page.mouse.move(*point(ground, 0.1 + 0.04 * k, 0.5))
    page.mouse.move(*point(ground, 0.001, 0.001))
    assert pixels(seen) == before


def test_a_vae_s_bars_are_its_two_terms(page):
    model, x, labels = small(models.VAE)
    x = (255 * x).round() / 255
    figure = shown(page, model, x, labels)
    figure.evaluate("figure => figure.figure.take(3)")
    mu, logvar = model.posterior(x[3:4])
    kl = losses.kl_divergence(mu, logvar).item()
    nats = losses.bernoulli_nll(x[3:4], model.logits(mu)).item()
    words = figure.inner_text()
    for name, value in (("reconstruction", nats), ("KL", kl)):
        came = float(words.split(f"{name} ")[1].split(" nats")[0])
        assert came == pytest.approx(value, rel=5e-3, abs=0.1)


def test_a_drawing_is_scaled_and_centred_as_mnist_is(page):
    """Its longer side takes 20 of 28 pixels, its centre of mass is the middle of the image."""
    model = models.Autoencoder((1, 28, 28), (8,), 2)
    x = data.load("mnist", "test", n=20).x
    figure = shown(page, model, x)
    for lines in ([[(0.1, 0.1), (0.2, 0.1), (0.3, 0.3)]], strokes(7), strokes(1)):
        figure.get_by_role("button", name="clear").click()
        draw(page, figure.locator(PAD), lines)
        state = figure.evaluate("figure => figure.figure.state()")
        image = torch.tensor([*state["input"]]).view(28, 28)
        ink = (image > 0.3).nonzero()
        assert 17 <= (ink.amax(0) - ink.amin(0) + 1).max() <= 23
        mass = image / image.sum()
        middle = (torch.arange(28) + 0.5).double()
        assert abs((mass.sum(0) * middle).sum() - 14) < 0.6
        assert abs((mass.sum(1) * middle).sum() - 14) < 0.6


def test_ten_digits_drawn_by_hand_are_encoded_near_their_class(page):
    """In the model of notebook 00: the most frequent label of the 15 nearest test digits."""
    train, test = data.load("mnist", "train"), data.load("mnist", "test")
    torch.manual_seed(0)
    model = models.Autoencoder((1, 28, 28))
    fit(model, train.x, losses.bernoulli, epochs=3, lr=4e-3, schedule=one_cycle)
    figure = shown(page, model, test.x[:100], test.labels[:100], test.names)
    codes, missed = model.encode(test.x), []
    for digit in range(10):
        figure.get_by_role("button", name="clear").click()
        draw(page, figure.locator(PAD), strokes(digit))
        z = torch.tensor(figure.evaluate("figure => figure.figure.state()")["z"])
        near = (codes - z).norm(dim=1).topk(15, largest=False).indices
        if test.labels[near].mode().values != digit:
            missed.append(digit)
    print("not near their class:", missed)
    assert len(missed) <= 3, missed


def test_names_are_text_and_nothing_is_fetched(page):
    model, x, labels = small()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    nasty = ["<b>bold</b>", "</script><img src=x onerror=alert(1)>", "$1"]
    figure = shown(page, model, x, labels, nasty)
    figure.evaluate("figure => figure.figure.take(0)")
    assert "<b>bold</b>" in figure.locator("[role=status]").inner_text()
    assert figure.locator("b, img").count() == 0
    assert [url for url in asked if not url.startswith("data:")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_page_and_can_be_read(page, scheme):
    """1280 x 720 with the file browser open leaves an output about 880 pixels."""
    model, x, labels = small(models.VAE)
    html = code_map(model, x, labels, ["a", "b", "c"], sheet=True).bundle["text/html"]
    colours = {"light": "", "dark": "background: #111; color: #eee"}[scheme]
    page.set_content(f"<body style='width: 860px; {colours}'>{html}</body>")
    figure = page.locator(".aecourse-code_map")
    figure.evaluate("figure => figure.figure.take(3)")
    assert figure.evaluate("f => f.scrollWidth") <= 860 and figure.bounding_box()["height"] < 680
    sizes = figure.evaluate(
        "f => [...f.querySelectorAll('*')].filter(e => e.innerText)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 14
    ink = json.loads(figure.evaluate("f => JSON.stringify(getComputedStyle(f).color)"))
    assert ink == {"light": "rgb(0, 0, 0)", "dark": "rgb(238, 238, 238)"}[scheme]
    for control in figure.locator("canvas[tabindex], input, button").all():
        assert control.evaluate(
            "e => Boolean(e.ariaLabel || e.innerText || e.labels?.[0]?.innerText)"
        )
