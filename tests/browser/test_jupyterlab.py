"""Each notebook as a learner has it: opened, run, its sliders moved by mouse and keys; exported."""

import re
import subprocess
import sys

import nbformat
import pytest
import torch
from conftest import NOTEBOOKS
from torch import nn

from aecourse import models
from aecourse.live import browser_sliders

NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
LIVE = r'^ *"(?:browser_sliders|code_map|flipbook|\w+_playground|player|blind_vote)\('
CELLS = "jupyterapp.shell.currentWidget.content.widgets"
# What an <audio> would play, as the page itself decodes it: loudness, length, samples.
WAVEFORM = """async audio => {
    const bytes = await (await fetch(audio.src)).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, 22050).decodeAudioData(bytes);
    const samples = sound.getChannelData(0);
    const peak = samples.reduce((most, s) => Math.max(most, Math.abs(s)), 0);
    const power = samples.reduce((sum, s) => sum + s * s, 0) / samples.length;
    return {peak, rms: Math.sqrt(power), seconds: sound.duration, samples: [...samples]};
}"""
KERNEL = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    # a kernel keeps up to 1.6 GB: thirteen of them would fill the machine
    page.evaluate("globalThis.jupyterapp?.serviceManager.sessions.shutdownAll()")
    page.close()


def open_notebook(page, lab, name):
    page.goto(lab(f"lab/tree/notebooks/{name}"))
    page.wait_for_function(f"globalThis.jupyterapp && {KERNEL}?.connectionStatus === 'connected'")
    page.wait_for_selector(".jp-Notebook .jp-OutputArea-output img")


def run_all(page, timeout):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(
        f"{CELLS}.filter(c => c.model.type === 'code').every(c => c.model.executionCount > 0"
        " && !c.promptNode.textContent.includes('*'))",
        timeout=timeout * 1000,
    )


def changes(page, picture, action):
    """Whether the screenshot of the picture is another one after the action, within 5 seconds."""
    picture.scroll_into_view_if_needed()
    before = picture.screenshot()
    action()
    for _ in range(50):
        page.wait_for_timeout(100)
        if picture.screenshot() != before:
            return True
    return False


def drag(page, handle, dx):
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y, steps=5)
    page.mouse.up()


def sounding(outputs):
    """The outputs with a player, which those of live sliders have in their static twin."""
    return [o for o in outputs if "<audio" in "".join(o.get("data", {}).get("text/html", ""))]


def heard(player):
    """The samples of an audio element, once it is certain that they are not silent or clipped."""
    waveform = player.evaluate(WAVEFORM)
    assert waveform["seconds"] > 0.5
    assert waveform["rms"] > 0.02
    assert 0.1 < waveform["peak"] < 0.99
    return waveform["samples"]


def renewed(page, player, before):
    """Whether the player has another sound, within 5 seconds."""
    for _ in range(50):
        if heard(player) != before:
            return True
        page.wait_for_timeout(100)
    return False


def press(handle, key, times):
    for _ in range(times):
        handle.press(key)


def test_the_readme_s_command_opens_the_first_notebook(page, lab):
    page.goto(lab())
    page.locator(".jp-Notebook h1", has_text="0. Start here").wait_for()
    assert "/lab/tree/notebooks/00_start_here.ipynb" in page.url


@pytest.mark.parametrize("name", NAMES)
def test_opened_without_running_it_shows_its_pictures(page, lab, name):
    open_notebook(page, lab, name)
    cells = nbformat.read(NOTEBOOKS / name, 4).cells
    outputs = [o.get("data", {}) for c in cells for o in c.get("outputs", [])]
    outputs = [data for data in outputs if "<img " in data.get("text/html", "")]
    shown = page.locator(".jp-OutputArea-output img")
    assert shown.count() == sum("".join(d["text/html"]).count("<img ") for d in outputs) > 0
    for k in range(shown.count()):
        assert shown.nth(k).evaluate("e => e.naturalWidth") > 50
        assert len(shown.nth(k).get_attribute("alt")) > 20
    players = page.locator(".jp-OutputArea-output audio")
    assert players.count() == len(sounding(o for c in cells for o in c.get("outputs", [])))
    for k in range(players.count()):  # they play although the notebook is not trusted yet
        heard(players.nth(k))
    text = page.locator(".jp-Notebook").inner_text()
    assert "children=(" not in text and "Error displaying widget" not in text


@pytest.mark.parametrize("name", NAMES)
def test_run_all_and_its_sliders(page, lab, name):
    open_notebook(page, lab, name)
    run_all(page, timeout=300)
    outputs = page.evaluate(f"{CELLS}.map(c => c.model.outputs?.toJSON() ?? []).flat()")
    assert not [o for o in outputs if o["output_type"] == "error"]
    source = (NOTEBOOKS / name).read_text()
    kernel, live = page.locator(".widget-image"), page.locator(".aecourse-live")
    assert kernel.count() == len(re.findall(r'^ *"latent_sliders\(', source, re.M))
    assert live.count() == len(re.findall(LIVE, source, re.M))
    players = page.locator(".jp-OutputArea-output audio")
    assert players.count() == len(sounding(outputs))
    for k in range(players.count()):
        heard(players.nth(k))
    for k in range(kernel.count()):
        output = page.locator(".jp-OutputArea-output", has=page.locator(".widget-image")).nth(k)
        handles, player = output.locator(".noUi-handle"), output.locator("audio")
        for handle in (handles.first, handles.last):
            before = heard(player) if player.count() else None
            assert changes(page, kernel.nth(k), lambda h=handle: drag(page, h, 40))
            assert not player.count() or renewed(page, player, before)
            assert changes(page, kernel.nth(k), lambda h=handle: press(h, "ArrowLeft", times=40))
    for k in range(live.count()):
        assert moves(page, live.nth(k))
    folded = page.evaluate(f"{CELLS}.filter(c => c.headingCollapsed || c.isHidden).length")
    assert folded == 0
    assert page.errors == []


def moves(page, figure):
    """A live figure is another one after keys; a slider also after it is dragged, a map after a
    click, a vote after its button."""
    control = figure.locator("canvas[tabindex], input[type=range]").first
    for key in ("ArrowRight", "ArrowLeft"):
        if not changes(page, figure, lambda k=key: press(control, k, times=3)):
            return False
    button = figure.locator("button", has_text="real (R)")
    if button.count():
        return changes(page, figure, button.click)
    if figure.locator("canvas[tabindex]").count():
        return changes(page, figure, lambda: control.click(position={"x": 130, "y": 90}))
    return changes(page, figure, lambda: drag(page, control, 50))


@pytest.mark.parametrize(
    "name", [n for n in NAMES if re.search(LIVE, (NOTEBOOKS / n).read_text(), re.M)]
)
def test_exported_to_html_a_live_figure_needs_no_kernel_and_no_network(page, name, tmp_path):
    export = ["nbconvert", "--to", "html", "--output-dir", tmp_path, NOTEBOOKS / name]
    subprocess.run([sys.executable, "-m", *export], check=True, capture_output=True)
    page.context.set_offline(True)
    page.goto((tmp_path / name).with_suffix(".html").as_uri(), wait_until="commit")
    live = page.locator(".aecourse-live")
    page.wait_for_selector(".aecourse-live .size")
    assert live.count() == len(re.findall(LIVE, (NOTEBOOKS / name).read_text(), re.M))
    for k in range(live.count()):
        assert moves(page, live.nth(k))
    assert page.errors == []


def test_the_stop_button_ends_a_training_and_the_notebook_goes_on(page, lab):
    open_notebook(page, lab, "00_start_here.ipynb")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    training = page.locator(".jp-CodeCell", has_text="fit(model, train.x, bernoulli")
    bar = training.locator(".jp-OutputArea").filter(has_text=re.compile(r" [1-9]\d+/1407.*<"))
    bar.wait_for(timeout=60_000)
    page.locator("[data-command='notebook:interrupt-kernel']").click()
    training.get_by_text(re.compile(r"Stopped after [012]\.\d of 3 epochs")).wait_for()
    after = training.locator(".jp-OutputArea").filter(has_text=re.compile(r"test set: \d+ nats"))
    after.wait_for()  # the lines after fit have run


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU, nn.Tanh, nn.Sigmoid])
def test_the_page_decodes_the_same_picture_as_pytorch(page, activation):
    torch.manual_seed(0)
    model = models.Autoencoder((1, 9, 7), (16, 8), 3, activation)
    codes = 4 * torch.randn(100, 3)
    page.set_content(browser_sliders(model, codes)._repr_mimebundle_()["text/html"])
    ranges = page.locator("input[type=range]")
    for k in range(3):
        ranges.nth(k).fill(str(ranges.nth(k).get_attribute("min" if k else "max")))
    z = [float(ranges.nth(k).input_value()) for k in range(3)]
    pixels = page.locator("canvas").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    grey = torch.tensor(pixels, dtype=torch.float32).view(9, 7, 4)[..., 0]
    assert (grey - 255 * model.decode(torch.tensor([z]))[0, 0]).abs().max() < 2
    assert page.errors == []
