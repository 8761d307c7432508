"""A real JupyterLab, started by the README's command, and a real Chromium; throw-away settings."""

import html
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # every output is in the page
}


@contextmanager
def browsing():
    """A Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.fail("The browser tests need Chromium: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def serving(folder):
    """Addresses in a JupyterLab over a copy of the notebooks in an empty folder."""
    shutil.copytree(NOTEBOOKS, folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    for name, settings in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    typed = re.search(r"\.venv/bin/jupyter (lab .*)", (ROOT / "README.md").read_text())[1]
    command = [Path(sys.executable).with_name("jupyter"), *shlex.split(typed), f"--port={port}"]
    command += ["--no-browser", f"--IdentityProvider.token={token}", "--expose-app-in-browser"]
    places = {
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "IPYTHONDIR": folder / "ipython",
    }
    environment = os.environ | {name: str(place) for name, place in places.items()}
    log = (folder / "log").open("w")
    server = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(server, f"{address}/api?token={token}", folder / "log")
        yield lambda path="": f"{address}/{path}?token={token}&reset"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def chromium():
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Addresses in a JupyterLab over a copy of the notebooks, as a newcomer's clone has them."""
    with serving(tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture
def page(chromium):
    """A page that has a mouse and a touch screen, and no network; an error in it fails the test."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 720}, has_touch=True, offline=True
    )
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    context.close()
    assert page.errors == []


def put(page, figure, framed=False):
    """The figure in the page, or in a frame that may run scripts and nothing else."""
    text = figure._repr_mimebundle_()["text/html"]
    if not framed:
        page.set_content(text)
        return page
    size = 'style="width: 900px; height: 600px"'
    page.set_content(f'<iframe {size} sandbox="allow-scripts" srcdoc="{html.escape(text)}">')
    return page.frame_locator("iframe")


def _wait_for(server, address, log):
    for _ in range(240):
        if server.poll() is not None:
            pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}", pytrace=False)
        try:
            return urllib.request.urlopen(address, timeout=5)
        except OSError:
            time.sleep(0.25)
    pytest.fail("JupyterLab did not answer within a minute.", pytrace=False)
