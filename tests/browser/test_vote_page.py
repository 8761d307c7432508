"""The blind vote and the player in a real Chromium: by mouse, touch and keys, offline, framed."""

import re

import numpy as np
import pytest
import torch
from conftest import put

from aecourse.sound import RATE, play, player, synthesize
from aecourse.vote import blind_vote

REAL, DRAWN = torch.zeros(20, 1, 28, 28), torch.ones(20, 1, 28, 28)
PITCH = torch.tensor([7, 9, 11, 12])[:, None].expand(-1, 48)
ONSET = (torch.arange(48) % 6 == 0).float().expand(4, -1)
FRAMED = pytest.mark.parametrize("framed", [False, True], ids=["page", "frame"])


def vote(**options):
    return blind_vote(REAL, DRAWN, "Black or white?", **options)


def is_real(place):
    """Whether the picture that is shown is a real one: black."""
    canvas = place.locator("canvas[tabindex]")
    place.get_by_role("status").filter(has_text="real or drawn?").wait_for()
    canvas.evaluate("() => new Promise(requestAnimationFrame)")
    pixel = "c => c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[0]"
    return canvas.evaluate(pixel) < 128


def words(place):
    return place.get_by_role("status").text_content()


def buttons(place):
    return [place.get_by_role("button", name=name) for name in ("drawn (D)", "real (R)")]


@FRAMED
def test_who_sees_gets_twenty_of_twenty_by_buttons_keys_mouse_and_touch(page, framed):
    place = put(page, vote(), framed)
    canvas = place.locator("canvas[tabindex]")
    for k in range(20):
        assert words(place).startswith(f"{k + 1} of 20")
        real = is_real(place)
        box = canvas.bounding_box()
        x, y = box["x"] + (0.2 if real else 0.8) * box["width"], box["y"] + 100
        [
            lambda r=real: buttons(place)[r].click(),
            lambda r=real: canvas.press("r" if r else "D"),
            lambda r=real: canvas.press("ArrowLeft" if r else "ArrowRight"),
            lambda x=x, y=y: page.mouse.click(x, y),
            lambda x=x, y=y: page.touchscreen.tap(x, y),
        ][k % 5]()
    assert words(place).startswith("20 of 20 right. Who tosses a coin gets 6 to 14")
    assert words(place).endswith("you can tell them apart.")
    assert not canvas.is_visible() and place.get_by_role("button", name="again").is_visible()


def test_the_answers_come_sorted_and_say_what_was_said(page):
    put(page, vote())
    real = []
    for k in range(20):
        real.append(is_real(page))
        page.locator("canvas").press("r")
        assert page.locator(".aecourse-live img").count() == (20 if k == 19 else 0)
    alts = [image.get_attribute("alt") for image in page.locator(".aecourse-live img").all()]
    assert alts == ["real, you said real"] * sum(real) + ["drawn, you said real"] * (20 - sum(real))
    assert words(page).startswith(f"{sum(real)} of 20 right.")
    assert page.get_by_text(f"real: {sum(real)}").is_visible()
    assert page.get_by_text(f"drawn: {20 - sum(real)}").is_visible()
    assert page.get_by_text("✗ you said real").count() == 20 - sum(real)
    page.locator("canvas").evaluate("c => c.dispatchEvent(new KeyboardEvent('keydown'))")
    page.get_by_role("button", name="again").press("r")  # all votes are given
    assert words(page).startswith(f"{sum(real)} of 20 right.")


def test_a_new_round_has_a_new_order_and_all_orders_are_as_likely(page):
    put(page, vote())
    seen = []
    for _ in range(6):
        order = ""
        for _ in range(20):
            order += "r" if is_real(page) else "d"
            page.locator("canvas").press("d")
        seen.append(order)
        page.get_by_role("button", name="again").click()
        assert words(page).startswith("1 of 20")
    assert len(set(seen)) == 6
    assert 35 < "".join(seen).count("r") < 85  # of 120, by a coin


def test_the_range_of_guessing_is_that_of_the_binomial(page):
    for rounds, low in ((1, 0), (6, 1), (12, 3), (20, 6), (40, 14)):
        put(page, vote(rounds=rounds))
        for _ in range(rounds):
            page.locator("canvas").press("r")
        assert f"gets {low} to {rounds - low}," in words(page), rounds


def test_tunes_are_heard_and_the_next_one_stops_the_last(page):
    sounds = [play(row, ONSET[0]) for row in PITCH]
    rolls = torch.rand(2, 3, 20, 60)
    put(page, blind_vote(rolls, rolls.flip(0), "Tunes.", rounds=4, sounds=sounds))
    page.evaluate(
        """() => {
            const play = HTMLMediaElement.prototype.play;
            globalThis.played = [];
            HTMLMediaElement.prototype.play = function () {
                played.push(this);
                return play.call(this);
            };
        }"""
    )
    page.get_by_role("button", name="listen (L)").click()
    page.wait_for_timeout(300)
    assert page.evaluate("played.length === 1 && !played[0].paused && played[0].currentTime > 0")
    page.locator("canvas").press("l")
    assert page.evaluate("played[0].paused")
    page.locator("canvas").press("l")
    page.locator("canvas").press("r")
    assert page.evaluate("played[0].paused")
    for _ in range(3):
        page.locator("canvas").press("r")
    page.get_by_role("button", name="listen to this").first.click()
    page.wait_for_timeout(200)
    assert page.evaluate("played.length === 3 && !played[2].paused")


@pytest.mark.parametrize("make", [vote, lambda: player(PITCH, ONSET, "abcd")])
@pytest.mark.parametrize("size", [(390, 844), (1280, 720)])
def test_it_fits_a_phone_and_a_projector(page, make, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    put(page, make())
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    if size[0] > 1000:
        assert page.locator(".aecourse-live").bounding_box()["height"] < 640
    for button in page.get_by_role("button").all():
        if button.is_visible():
            assert button.bounding_box()["height"] >= 32


# ---- player -----------------------------------------------------------------------------------


def line(place, k):
    """Where the line is on roll k, in seconds; None where there is none."""
    red = """c => { const w = c.width, row = c.getContext('2d').getImageData(0, 3, w, 1).data;
        for (let x = 0; x < w; x++)
            if (row[4 * x] > 200 && row[4 * x + 1] < 120 && row[4 * x + 2] < 60) return x;
        return -1; }"""
    x = place.locator("canvas[tabindex]").nth(k).evaluate(red)
    return None if x < 0 else (x + 2 - 54) / (48 * 14) * 2.4


@FRAMED
def test_a_touched_roll_sounds_from_there_to_its_end_and_the_line_runs(page, framed):
    place = put(
        page, player(PITCH[:3], ONSET[:3], "abc", bar=8), framed
    )  # 16 seconds each, 18 with
    assert line(place, 0) == pytest.approx(0, abs=0.02) and line(place, 2) is None  # the pause
    box, audio = place.locator("canvas[tabindex]").nth(2).bounding_box(), place.locator("audio")
    touch = lambda part: (box["x"] + (54 + part * 672) / 732 * box["width"], box["y"] + 40)  # noqa: E731
    page.mouse.click(*touch(0.25))
    place.get_by_role("status").filter(has_text="c: playing, bar 1, beat 2.").wait_for()
    assert audio.evaluate("a => a.currentTime") >= 2 * 18 + 3.9
    page.wait_for_timeout(200)
    assert line(place, 2) > 0.63 and line(place, 0) is None
    page.touchscreen.tap(*touch(0.98))
    place.get_by_role("status").filter(has_text="c: stopped").wait_for()  # at the end of its roll
    assert audio.evaluate("a => a.paused && a.currentTime > 2 * 18 + 15.9")


def test_keys_move_by_beats_and_phrases_play_and_stop(page):
    put(page, player(PITCH, ONSET, "abcd"))
    first, second = page.locator("canvas[tabindex]").all()[:2]
    first.press("ArrowRight")
    assert words(page) == "a: stopped at bar 1, beat 2." and line(page, 0) == pytest.approx(
        0.6, abs=0.02
    )
    assert first.get_attribute("aria-valuetext") == "bar 1, beat 2"
    for _ in range(5):
        first.press("ArrowRight")
    assert words(page) == "a: stopped at bar 2, beat 2."
    first.press("ArrowLeft")
    first.press("ArrowDown")
    assert words(page) == "b: stopped at bar 1, beat 1." and second.evaluate(
        "c => document.activeElement === c"
    )
    second.press(" ")
    page.get_by_role("status").filter(has_text="b: playing").wait_for()
    second.press("Enter")
    assert words(page).startswith("b: stopped")
    second.press("End")
    assert words(page).startswith("d: stopped at bar 1, beat 1")


def test_all_plays_one_phrase_after_the_other(page):
    put(page, player(PITCH[:2], ONSET[:2], "ab", bar=0.3))
    page.get_by_role("button", name="play all").click()
    page.get_by_role("status").filter(has_text="b: playing").wait_for()
    page.get_by_role("status").filter(has_text="stopped").wait_for()
    assert page.locator("audio").evaluate("a => a.currentTime") == pytest.approx(1.275, abs=0.05)
    assert page.get_by_role("button", name="play all").is_visible()


def test_the_page_decodes_the_samples_that_were_made(page):
    put(page, player(PITCH[:1], ONSET[:1], "a"))
    samples = page.locator("audio").evaluate(
        "async (audio, rate) => [...(await new OfflineAudioContext(1, 1, rate).decodeAudioData("
        "await (await fetch(audio.src)).arrayBuffer())).getChannelData(0)]",
        RATE,
    )
    wanted = synthesize(PITCH[0], ONSET[0])
    assert len(samples) == len(wanted)
    assert np.sqrt(np.mean((np.array(samples) - wanted) ** 2)) < 0.02 * np.sqrt(np.mean(wanted**2))


def test_names_are_text_in_the_page(page):
    put(page, player(PITCH[:1], ONSET[:1], ["<b>bold</b>"]))
    assert page.locator(".aecourse-live b").count() == 0
    assert re.match(r"<b>bold</b>: stopped", words(page))
