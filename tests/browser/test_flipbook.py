"""Figures that live in the page, in a real Chromium: by mouse, touch and keys, offline, framed."""

import io

import numpy as np
import pytest
import torch
from conftest import put
from PIL import Image

from aecourse.live import flipbook

# ---- flip-book --------------------------------------------------------------------------------

N = 9
GREYS = torch.linspace(0, 1, N)


def greys(labels=None):
    labels = labels or [f"grey of {v:.3f}" for v in GREYS]
    frames = GREYS[:, None, None, None].expand(-1, 1, 28, 28)
    return flipbook(frames, labels, "From black to white.")


def seen(place):
    """The number of the frame, by the pixels on the screen; words and alt text agree with it."""
    place.locator("img").evaluate("e => e.decode()")
    sheet = Image.open(io.BytesIO(place.locator("img").screenshot())).convert("L")
    k = round((N - 1) * float(np.asarray(sheet)[50:-50, 50:-50].mean()) / 255)
    assert place.get_by_role("status").text_content() == f"grey of {GREYS[k]:.3f}"
    alt = place.locator("img").get_attribute("alt")
    assert alt == f"From black to white. grey of {GREYS[k]:.3f}"
    slider = place.get_by_role("slider")
    assert slider.input_value() == str(k + 1)
    assert slider.get_attribute("aria-valuetext") == f"frame {k + 1} of {N}"
    return k


@pytest.mark.parametrize("framed", [False, True])
def test_mouse_keys_and_touch_turn_the_pages_of_a_flipbook(page, framed):
    place = put(page, greys(), framed)
    slider = place.get_by_role("slider", name="frame")
    assert seen(place) == 0
    box = slider.bounding_box()
    y, at = box["y"] + box["height"] / 2, lambda part: box["x"] + part * box["width"]
    page.mouse.move(at(0.03), y)
    page.mouse.down()
    page.mouse.move(at(0.5), y, steps=5)
    assert seen(place) == 4
    page.mouse.move(at(1.1), y, steps=5)
    page.mouse.up()
    assert seen(place) == 8
    page.touchscreen.tap(at(0.5), y)
    assert seen(place) == 4
    for key, k in [("ArrowRight", 5), ("ArrowUp", 6), ("ArrowLeft", 5), ("End", 8), ("Home", 0)]:
        slider.press(key)
        assert seen(place) == k
    slider.press("ArrowLeft")  # there is none before the first
    assert seen(place) == 0


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize("way", ["mouse", "touch", "keys"])
def test_a_flipbook_plays_to_its_end_and_again_from_its_beginning(page, framed, way):
    place = put(page, greys(), framed)
    button = place.get_by_role("button", name="play")
    {"mouse": button.click, "touch": button.tap, "keys": lambda: button.press("Enter")}[way]()
    place.get_by_role("button", name="pause").wait_for()
    button.wait_for(timeout=5000)  # it has stopped
    assert seen(place) == N - 1
    button.press("Space")
    place.get_by_role("button", name="pause").press("Space")
    assert seen(place) < N - 1


@pytest.mark.parametrize(("motion", "pause"), [("no-preference", 125), ("reduce", 1000)])
def test_its_speed_and_that_only_the_frame_it_rests_at_is_spoken(page, motion, pause):
    page.clock.install()
    page.emulate_media(reduced_motion=motion)
    put(page, greys())
    status, button = page.get_by_role("status"), page.get_by_role("button")
    assert status.get_attribute("aria-live") == "polite"
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    button.click()
    for k in range(1, 4):
        page.clock.run_for(pause - 1)
        assert seen(page) == k - 1
        page.clock.run_for(1)
        assert seen(page) == k and status.get_attribute("aria-live") == "off"
    button.click()
    page.clock.run_for(3 * pause)
    assert seen(page) == 3 and status.get_attribute("aria-live") == "polite"
    button.click()
    page.get_by_role("slider").press("ArrowRight")  # a hand on the slider stops it
    page.clock.run_for(3 * pause)
    assert seen(page) == 4 and button.text_content() == "play"
    button.click()
    page.clock.run_for(20 * pause)
    assert seen(page) == N - 1 and status.get_attribute("aria-live") == "polite"


@pytest.mark.parametrize(
    ("height", "width", "shown"),
    [
        (28, 28, (420, 420)),
        (400, 840, (400, 840)),
        (500, 700, (500, 700)),
        (20, 100, (172, 860)),
        (250, 500, (430, 860)),
        (300, 1720, (150, 860)),
    ],
)
def test_its_size_is_at_least_400_pixels_where_that_is_no_wider_than_860(
    page, height, width, shown
):
    put(page, flipbook(torch.zeros(2, 3, height, width), "ab", "Black."))
    box = page.locator("img").bounding_box()
    assert (box["height"], box["width"]) == pytest.approx(shown, abs=1)
    whole = page.locator(".aecourse-live").bounding_box()
    assert whole["height"] < shown[0] + 140
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    rendering = page.locator("img").evaluate("e => getComputedStyle(e).imageRendering")
    assert rendering == ("pixelated" if shown[0] >= 2 * height else "auto")


def test_labels_of_a_flipbook_are_text_in_the_page(page):
    labels = ["<b>bold</b>", "</script><img src=x>", "5 < 6 & 7", *"cdefgh"]
    put(page, greys(labels))
    for label in labels:
        assert page.get_by_role("status").text_content() == label
        assert page.locator("img").get_attribute("alt") == f"From black to white. {label}"
        page.get_by_role("slider").press("ArrowRight")
    assert page.locator(".aecourse-live b").count() == 0 and page.locator("img").count() == 1


def test_without_scripts_the_strip_of_a_flipbook_fits_a_notebook(chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(f'<div style="width: 880px">{greys()._repr_mimebundle_()["text/html"]}</div>')
    boxes = [figure.bounding_box() for figure in page.locator("figure").all()]
    assert len(boxes) == 7 and len({box["y"] for box in boxes}) == 2  # in two lines
    assert max(box["x"] + box["width"] for box in boxes) < 890
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    assert page.locator("figcaption").first.evaluate(size) >= 14
    context.close()
