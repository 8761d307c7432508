"""How fast the figures answer:  .venv/bin/python tests/benchmarks/sliders.py [NOTEBOOK ...]

Runs notebooks (00, 05 and 08 if none is named) in a real JupyterLab and a real Chromium, and
presses an arrow key 40 times on each group of sliders, on each map, and with the pen. The clock is
the page's own: from the key press to the new picture, a canvas that is drawn or an image that is
loaded. Aims, as medians: 16 ms where the page decodes, one frame of a screen, and 60 ms where the
kernel does. Bare round trips to the kernel are timed as well: a busy machine slows down both.
"""

import statistics
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import TimeoutError as TooLate

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from conftest import browsing, serving
from test_jupyterlab import open_notebook, run_all

MOVES, PAGE, KERNEL = 40, 16, 60
PAUSE = 100  # milliseconds between moves, about as a hand makes them
HANDLE = ".noUi-handle"
ROUND_TRIP = """async () => {
    const start = performance.now();
    await jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestKernelInfo();
    return performance.now() - start;
}"""
STOPWATCH = """picture => {
    globalThis.times = [];
    const stop = () => times.push(performance.now() - globalThis.start);
    addEventListener("keydown", event => globalThis.start = event.timeStamp, true);
    picture.addEventListener("load", stop);
    new MutationObserver(stop).observe(picture, {attributeFilter: ["aria-label"]});
}"""


def milliseconds(page, picture, handle):
    """From each key press to the new picture, where there was one; and of bare round trips."""
    handle.scroll_into_view_if_needed()
    picture.evaluate(STOPWATCH)
    for k in range(MOVES):
        before = page.evaluate("times.length")
        handle.press("ArrowRight" if k < MOVES / 2 else "ArrowLeft")
        with suppress(TooLate):  # a tune may stay as it is
            page.wait_for_function(f"times.length > {before}", timeout=1000, polling=20)
        page.wait_for_timeout(PAUSE)
    times, trips = page.evaluate("times"), []
    for _ in range(MOVES):
        trips.append(page.evaluate(ROUND_TRIP))
        page.wait_for_timeout(PAUSE)
    return times, trips


def rows(page):
    """(what decodes, first slider's name, times, round trips, aim) of each group of sliders."""
    groups = page.locator(".aecourse-sliders")
    for k in range(groups.count()):
        group = groups.nth(k)
        name, handle = group.locator("label span").first.inner_text(), group.locator("input").first
        yield "page", name, *milliseconds(page, group.locator("canvas"), handle), PAGE
    groups = page.locator(".aecourse-code_map")
    for k in range(groups.count()):
        group = groups.nth(k)
        made = group.locator("canvas[aria-label^='Decoded picture']")
        field, pad = group.locator("canvas[tabindex]").all()
        yield "page", "map: decode", *milliseconds(page, made, field), PAGE
        pad.press("Space")  # the pen is down: each arrow is a stroke
        yield "page", "pen: encode, decode", *milliseconds(page, made, pad), PAGE
    groups = page.locator(".jp-OutputArea-output", has=page.locator(".widget-image"))
    for k in range(groups.count()):
        group = groups.nth(k)
        name, handle = (
            group.locator(".widget-label").first.inner_text(),
            group.locator(HANDLE).first,
        )
        yield "kernel", name, *milliseconds(page, group.locator(".widget-image"), handle), KERNEL


DEFAULT = ("00_start_here", "05_deep_autoencoders", "08_variational_autoencoders")


def main(*notebooks):
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as lab,
        browsing() as browser,
    ):
        print(
            "| notebook | computed by | what moves | moves | median ms | of the aim | round trip |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for notebook in notebooks or [f"{name}.ipynb" for name in DEFAULT]:
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            open_notebook(page, lab, notebook)
            run_all(page, timeout=600)
            for kind, name, times, trips, aim in rows(page):
                ms, trip = statistics.median(times), statistics.median(trips)
                part = f"{ms / aim:.2f} of {aim} ms | {ms / trip:.1f} x {trip:.1f} ms"
                print(f"| {notebook[:2]} | {kind} | {name} | {len(times)} | {ms:.1f} | {part} |")
            page.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
