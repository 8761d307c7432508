"""The site, built by its command, in Chromium with no host but its own: on a phone and wide."""

import functools
import gzip
import http.server
import json
import re
import subprocess
import threading

import pytest
from conftest import NOTEBOOKS, ROOT

from aecourse.exercises import EXERCISES

NAMES = re.findall(r"^\| \[`(\w+)`\]\(notebooks/", (ROOT / "README.md").read_text(), re.M)
HTML = ROOT / "site" / "html"
LARGEST = 3e6  # bytes
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def site():
    """The address of the site as `bash site/build` makes it."""
    built = subprocess.run(["bash", "site/build"], cwd=ROOT, capture_output=True, text=True)
    if built.returncode:
        words = (built.stdout + built.stderr)[-3000:]
        words = f"bash site/build failed; the first time it needs pip's registry:\n{words}"
        pytest.fail(words, pytrace=False)
    handler = functools.partial(_Quiet, directory=HTML)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture
def reader(chromium, site):
    """Opens pages of the site on a phone; whatever fails or asks another host is noted, and fails
    the test at its end."""
    context = chromium.new_context(viewport=PHONE, has_touch=True, reduced_motion="reduce")
    context.set_default_timeout(120_000)  # a busy machine
    page = context.new_page()
    page.wrong, page.loaded = [], set()

    def ask(route):
        address = route.request.url
        if address.startswith((site, "data:", "blob:")):
            return route.continue_()
        page.wrong.append(f"asked for {address}")
        route.abort()

    def answered(response):
        if response.url.startswith(site):
            page.loaded.add(response.url.removeprefix(site).split("?")[0])
        if response.status >= 400:
            page.wrong.append(f"{response.status} {response.url}")

    page.route("**/*", ask)
    page.on("response", answered)

    def failed(request):
        if "ERR_ABORTED" not in request.failure:  # what a page still wanted when it was left
            page.wrong.append(f"{request.failure}: {request.url[:200]}")

    page.on("requestfailed", failed)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda said: said.type == "error" and page.wrong.append(said.text))

    def opened(name, scheme="light"):
        page.emulate_media(color_scheme=scheme)
        page.loaded.clear()
        page.goto(site + name)
        page.wait_for_load_state("load")
        page.evaluate("async () => window.MathJax && await MathJax.startup.promise")
        return page

    yield opened
    context.close()
    assert page.wrong == []


RAW = r"""() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const {parentElement, textContent} = walker.currentNode;
    if (parentElement.closest("pre, code, script, style, mjx-container")) continue;
    if (/\\[()[\]]|\\[a-z]+[{_^ ]|\$[^$]+\$/.test(textContent)) found.push(textContent.trim());
  }
  return found;
}"""


def sent(page):
    """The bytes of a page with all that it loads, its texts compressed, as GitHub Pages does."""
    contents = {name: (HTML / name).read_bytes() for name in page.loaded}
    text = (".html", ".js", ".css", ".svg")
    return sum(
        len(gzip.compress(content, 5) if name.endswith(text) else content)
        for name, content in contents.items()
    )


def fits(page):
    """No page is wider than its screen, and no live figure than its place."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for figure in page.locator(".aecourse-live").all():
        assert figure.evaluate("f => f.scrollWidth - f.clientWidth") <= 1


def state(figure):
    return figure.evaluate(
        """f => [f.innerText, ...[...f.querySelectorAll("canvas")].map(c => c.toDataURL()),
          ...[...f.querySelectorAll("img, audio")].map(i => i.src)].join()"""
    )


def moves(page, figure):
    """A finger on the figure's canvas, on a slider or on a button changes what it shows."""
    before = state(figure)
    for control in figure.locator("canvas[tabindex], input[type=range], button").all():
        if not control.is_visible() or not control.is_enabled():
            continue
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        control.tap(position={"x": 0.7 * box["width"], "y": 0.3 * box["height"]})
        page.wait_for_timeout(300)
        if state(figure) != before:
            return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_is_whole_without_a_network_on_a_phone_and_wide(reader, name):
    page = reader(f"{name}.html")
    assert (HTML / f"{name}.html").stat().st_size <= LARGEST
    assert sent(page) <= LARGEST, f"{sent(page) / 1e6:.2f} MB"
    assert page.evaluate(RAW) == [] and page.locator("mjx-merror").count() == 0
    assert page.locator(".math").count() == page.locator(".math:has(mjx-container)").count()
    words = page.locator("article").text_content()
    assert "Run this cell to move it" not in page.locator("article").inner_text()
    assert page.locator("details[open]").count() == 0  # hints and answers are folded
    code = "".join("".join(cell["source"]) + "\n" for cell in cells(name))
    exercises = [f for f in re.findall(r"^check\((\w+)\)", code, re.M) if f in EXERCISES]
    hints = page.locator(".hints").all_text_contents()
    assert len(hints) == len(exercises)
    assert all(EXERCISES[f].hints[0] in text for f, text in zip(exercises, hints, strict=True))
    assert words.count("To move it, run this cell") == sliders(name)
    fits(page)
    for figure in page.locator(".aecourse-live").all():
        assert moves(page, figure), figure.get_attribute("class")
    page.set_viewport_size(WIDE)
    page.wait_for_timeout(300)
    fits(page)


def cells(name):
    """The code cells of the notebook that the site offers."""
    notebook = json.loads((HTML / f"{name}.ipynb").read_text())
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def sliders(name):
    """How many outputs are sliders of the kernel, which stand still here."""
    outputs = [output for cell in cells(name) for output in cell["outputs"]]
    return sum("widget-view" in " ".join(output.get("data", {})) for output in outputs)


def test_the_front_page_shows_each_lesson_and_one_walks_through_them_all(reader, site):
    page = reader("index.html")
    assert sent(page) <= LARGEST
    lessons = page.locator("a.lesson")
    assert [card.get_attribute("href") for card in lessons.all()] == [f"{n}.html" for n in NAMES]
    for card in lessons.all():
        assert card.locator("img").evaluate("i => i.decode().then(() => i.naturalWidth)") > 200
        assert re.search(r"\?|:", card.inner_text()) and "minutes" in card.inner_text()
    fits(page)
    page.set_viewport_size(WIDE)
    fits(page)
    lessons.first.click()
    page.wait_for_url(f"**/{NAMES[0]}.html")
    page.locator("a.right-next").click()
    page.wait_for_url(f"**/{NAMES[1]}.html")
    page.locator("a.left-prev").click()
    page.wait_for_url(f"**/{NAMES[0]}.html")
    for name, before, after in zip(NAMES[1:-1], NAMES[:-2], NAMES[2:], strict=True):
        text = (HTML / f"{name}.html").read_text()
        assert re.search(rf'class="left-prev"\s+href="{before}.html"', text), name
        assert re.search(rf'class="right-next"\s+href="{after}.html"', text), name


def test_a_notebook_is_downloaded_as_it_is_stored_and_opens_elsewhere(reader):
    address = re.search(r'^Repository = "(.+?)"', (ROOT / "pyproject.toml").read_text(), re.M)[1]
    path = address.removesuffix(".git").split("/", 3)[3]
    for name in NAMES:
        stored = (NOTEBOOKS / f"{name}.ipynb").read_bytes()
        assert (HTML / f"{name}.ipynb").read_bytes() == stored
        text = (HTML / f"{name}.html").read_text()
        assert f'<a href="{name}.ipynb" download>' in text
        assert f"/github/{path}/blob/main/notebooks/{name}.ipynb" in text
        assert f"/gh/{path}/main?labpath=notebooks/{name}.ipynb" in text


def test_search_finds_oja(reader):
    page = reader("search.html?q=Oja")
    found = page.locator("#search-results ul a")
    found.first.wait_for()
    assert any("3. Neurons" in link for link in found.all_text_contents())


def test_on_a_dark_page_a_live_figure_is_dark_and_its_words_are_light(reader):
    page = reader("03_neurons_learn_pca.html", scheme="dark")
    figure = page.locator(".aecourse-live").first
    light = figure.evaluate("f => getComputedStyle(f).color")
    assert min(map(int, re.findall(r"\d+", light)[:3])) > 150
    around = figure.evaluate(
        """f => {
          for (let e = f; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (colour !== "rgba(0, 0, 0, 0)") return colour;
          }
        }"""
    )
    assert max(map(int, re.findall(r"\d+", around)[:3])) < 50
