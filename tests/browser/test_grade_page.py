"""The page of grades in a real browser: no network, light and dark, narrow and wide, by keys."""

import pytest

from aecourse.exercises import EXERCISES
from aecourse.grading import report

EVIL = "<img src=x onerror=document.title='evil'>"
STATES = ("right", "not yet", "not written")


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    """Thirty learners and every exercise of the course."""
    names = [*EXERCISES]
    rows = [
        report.Row(
            f"learner {k} {EVIL * (k == 3)}", f"{k}.ipynb", name, 0.1, state, f"{name} {EVIL}"
        )
        for k in range(30)
        for j, name in enumerate(names)
        for state in [STATES[(k * 7 + j * 5) % 3]]
    ]
    path = tmp_path_factory.mktemp("grades") / "grades.html"
    report.page(path, rows, [("x", f"{EVIL}.ipynb", EVIL)], True, 60)
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_reads_without_network_on_any_screen(page, grades, scheme, width):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 720})
    page.emulate_media(color_scheme=scheme)
    page.goto(grades)
    assert asked == [grades] and page.title() == "Grades"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    squares = page.locator(".grid tbody td[title]")
    assert squares.count() == 31 * len(EXERCISES)  # and who handed in what can't be read
    assert squares.first.text_content() == "✔right"
    looks = [_looks(page, kind) for kind in ("right", "not-yet", "not-written")]
    assert len({back for _, back in looks}) == 3
    assert min(_contrast(*look) for look in looks) > 7  # WCAG AAA, for a projector
    name = page.locator(".grid tbody th").first
    page.evaluate("document.querySelector('.wide').scrollLeft = 1e6")
    assert name.bounding_box()["x"] >= 0  # it stays while the exercises move by


def test_what_a_learner_was_told_opens_by_keys(page, grades):
    page.goto(grades)
    fold = page.locator("details").first
    assert not fold.locator("li").first.is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert EVIL in fold.locator("li").first.inner_text()


def _looks(page, kind):
    style = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    return page.locator(f".grid td.{kind}").first.evaluate(style)


def _contrast(ink, paper):
    light = sorted(map(_luminance, (ink, paper)))
    return (light[1] + 0.05) / (light[0] + 0.05)


def _luminance(colour):
    values = [int(v) / 255 for v in colour[4:-1].split(",")]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
