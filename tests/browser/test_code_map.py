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
    for _ in range(2):
        changes(lambda: ground.press("Enter"))  # the image of the nearest dot, and of the next
        assert "squared error" in figure.locator("[role=status]").inner_text()
    changes(lambda: ground.press("ArrowUp"))
    changes(lambda: ground.press("Escape"))
    assert "squared error" in figure.locator("[role=status]").inner_text()
    changes(lambda: draw(page, pad, [[(0.3, 0.2), (0.4, 0.5), (0.6, 0.8)]]))
    changes(lambda: page.touchscreen.tap(*point(pad, 0.8, 0.2)), pad)
    figure.get_by_role("button", name="clear").click()
    changes(lambda: [pad.press(k) for k in ["Space", *["ArrowDown"] * 3, "ArrowRight", "Space"]])
    for name in ("noise", "erase"):
        slider = figure.locator("label", has_text=name).locator("input")
        changes(lambda s=slider: [s.press("ArrowRight") for _ in range(40)])
    before = pixels(ground)
    figure.get_by_role("checkbox", name="decode the whole map").press("Space")
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
        assert f"the image (label {'abc'[k % 3]})" in figure.locator("[role=status]").inner_text()


STATE = "figure => figure.figure.state()"


def framed(figure):
    """The lowest and the highest code on the map."""
    return (torch.tensor(figure.evaluate(f"f => f.figure.{name}")) for name in ("low", "high"))


def test_it_begins_with_an_image_its_code_and_its_reconstruction(page):
    model, x, labels = small(models.VAE, d=3)
    x = (255 * x).round() / 255
    z = model.encode(x).detach()
    middle = (z - z.median(0).values).norm(dim=1).argmin().item()
    for start, k in ((None, middle), (z[11], 11)):
        figure = shown(page, model, x, labels, ["a", "b", "c"], start=start)
        state = figure.evaluate(STATE)
        assert torch.allclose(torch.tensor([*state["input"]]), x[k].flatten(), atol=1e-6)
        assert torch.allclose(torch.tensor(state["z"]), z[k], atol=2e-2)
        words = figure.locator("[role=status]").inner_text()
        assert f"the code of the image (label {'abc'[k % 3]})" in words
        squared = (x[k] - model.decode(z[k : k + 1])[0]).square().sum().item()
        assert f"squared error {squared:.0f}"[:-1] in words and "KL" in figure.inner_text()
        came = torch.tensor(
            figure.locator(MADE).evaluate(
                "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
            )
        )
        made = 255 * model.decode(z[k : k + 1]).flatten()
        assert (came[::4] - made).abs().max() < 3  # weights in half precision


@pytest.mark.parametrize("way", ["button", "Escape", "touch"])
def test_a_point_that_is_no_code_has_no_errors_and_there_is_a_way_back(page, way):
    figure = shown(page, *small(models.VAE))
    ground, words = figure.locator(MAP), figure.locator("[role=status]")
    back = figure.get_by_role("button", name="back to the code")
    before, said = pixels(ground), words.inner_text()
    dim = float(back.evaluate("e => getComputedStyle(e).opacity"))
    page.touchscreen.tap(*point(ground, 0.97, 0.97))
    assert "has left the code of the image" in words.inner_text()
    assert "error" not in words.inner_text() and "nats" not in figure.inner_text()
    assert float(back.evaluate("e => getComputedStyle(e).opacity")) > dim
    {"button": back.click, "Escape": lambda: ground.press("Escape"), "touch": back.tap}[way]()
    assert words.inner_text() == said and pixels(ground) == before and "KL" in figure.inner_text()
    figure.get_by_role("button", name="hold to sample").press("Enter")
    assert "a sample from the posterior of the image" in words.inner_text()
    assert "squared error" in words.inner_text()
    figure.get_by_role("button", name="clear").click()
    assert "Nothing is drawn or chosen" in words.inner_text()


def test_enter_takes_the_nearest_dot_then_the_next_nearest_until_all_were_taken(page):
    model, x, labels = small()
    x = (255 * x).round() / 255
    figure = shown(page, model, x, labels)
    ground = figure.locator(MAP)

    def taken():
        ground.press("Enter")
        image = torch.tensor([*figure.evaluate(STATE)["input"]])
        return (x.flatten(1) - image).abs().sum(1).argmin().item()

    page.mouse.click(*point(ground, 0.52, 0.31))
    page.wait_for_timeout(50)
    ground.press("ArrowLeft")  # if a dot was there
    z, here = model.encode(x).detach(), torch.tensor(figure.evaluate(STATE)["z"])
    low, high = framed(figure)
    spots = ((z - low) / (high - low)).clamp(0.0175, 0.9825)  # an arrow head is at the border
    far = (spots - (here - low) / (high - low)).norm(dim=1)
    came = [taken() for _ in range(len(x))]
    assert far[came].diff().min() > -1e-3 and sorted(came) == list(range(len(x)))
    assert taken() == came[0]
    ground.press("ArrowLeft")
    assert taken() == came[0]  # and anew from where the point is


def test_codes_beyond_the_map_are_arrow_heads_at_its_border_and_can_be_chosen(page):
    model, _, _ = small()
    x = (51 * torch.rand(400, 1, 12, 10)).round() / 255
    x[5] = 1
    figure = shown(page, model, x)
    ground, words = figure.locator(MAP), figure.locator("[role=status]")
    z, (low, high) = model.encode(x).detach(), framed(figure)
    out = ((z < low) | (z > high)).any(1).nonzero().flatten().tolist()
    assert 5 in out and len(out) < 8
    for k in (*out, 5):
        figure.evaluate("(f, k) => f.figure.take(k)", k)
        assert ", outside the map" in words.inner_text()
        assert ", outside the map" in figure.locator(MADE).get_attribute("aria-label")
    ground.press("ArrowLeft")
    assert "outside" not in words.inner_text()  # a key brings the point back to the map
    page.mouse.move(*point(ground, 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*point(ground, 1.5, -0.5))
    page.mouse.up()
    assert "outside" not in words.inner_text()
    across, up = ((z[5] - low) / (high - low)).clamp(0.0175, 0.9825).tolist()
    page.mouse.click(*point(ground, across, 1 - up))
    state = torch.tensor(figure.evaluate(STATE)["z"])
    assert torch.allclose(state, z[5], atol=2e-2)
    sheet = torch.tensor([int(v) for v in pixels(ground).split(",")]).view(800, 800, 4)
    yellow = (sheet[..., :3] - torch.tensor([240, 228, 66])).abs().amax(-1) < 3
    assert 230 < yellow.sum() < 320  # a triangle, whole


def test_a_drawing_begins_on_an_empty_pad_or_on_the_image_if_that_is_ticked(page):
    model, x, labels = small()
    x = (255 * x).round() / 255
    figure = shown(page, model, x, labels)
    pad, image = figure.locator(PAD), x[3].flatten()
    figure.evaluate("figure => figure.figure.take(3)")
    empty = pixels(pad)
    draw(page, pad, [[(0.3, 0.2), (0.3, 0.8)]])
    alone = torch.tensor([*figure.evaluate(STATE)["input"]])
    assert (alone == 0).float().mean() > 0.4  # nothing of the image
    assert "the code of the drawing" in figure.locator("[role=status]").inner_text()
    figure.get_by_role("checkbox", name="draw on the image").press("Space")
    both = torch.tensor([*figure.evaluate(STATE)["input"]])
    assert (both >= image - 1e-6).all() and (both > image + 0.1).any()
    figure.evaluate("figure => figure.figure.take(3)")
    assert pixels(pad) != empty  # one sees on what one draws
    assert torch.allclose(torch.tensor([*figure.evaluate(STATE)["input"]]), image, atol=1e-6)


def test_the_decoded_map_looks_alike_each_time_and_is_light(page):
    figure = shown(page, *small(), ["a", "b", "c"], sheet=True)
    ground, box = figure.locator(MAP), figure.get_by_role("checkbox", name="decode the whole map")
    before = pixels(ground)
    for _ in range(2):
        box.press("Space")
    assert pixels(ground) == before
    grey = torch.tensor([int(v) for v in before.split(",")]).view(800, 800, 4)[..., :3]
    assert grey[..., 1].float().mean() > 130  # each colour of dots can be seen on it
    assert (grey.amax(-1) - grey.amin(-1) < 8).float().mean() > 0.9  # grey, of no class's colour


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
    keys = figure.get_by_text("Keys: on the map, the arrow keys move the point, Enter takes")
    assert keys.is_visible() and "Escape" in keys.inner_text() and "Delete" in keys.inner_text()
    for name in ("noise", "erase below"):
        assert figure.get_by_text(name, exact=True).evaluate("e => e.getClientRects().length") == 1
        assert figure.get_by_text(name, exact=True).bounding_box()["height"] < 30
    ink = json.loads(figure.evaluate("f => JSON.stringify(getComputedStyle(f).color)"))
    assert ink == {"light": "rgb(0, 0, 0)", "dark": "rgb(238, 238, 238)"}[scheme]
    for control in figure.locator("canvas[tabindex], input, button").all():
        assert control.evaluate(
            "e => Boolean(e.ariaLabel || e.innerText || e.labels?.[0]?.innerText)"
        )


def test_on_a_phone_the_map_and_both_pictures_share_the_screen(page):
    page.set_viewport_size({"width": 390, "height": 844})
    figure = shown(page, *small(models.VAE), ["a", "b", "c"])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in (MAP, "canvas[aria-label='What the network sees']", MADE):
        box = figure.locator(name).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 844 and box["width"] > 150, name
    made = figure.locator(MADE).bounding_box()
    assert made["width"] / made["height"] == pytest.approx(10 / 12, rel=0.03)
