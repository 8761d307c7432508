"""The playgrounds in a real Chromium: by mouse, touch and keys, offline, in a frame; as PyTorch."""

import pytest
import torch
from conftest import put
from torch.distributions import MultivariateNormal, kl_divergence

from aecourse import information, neurons
from aecourse.channel import channel_playground
from aecourse.playgrounds import bound_playground, neuron_playground

RULES = ("hebb", "oja", "subspace", "sanger")


def cloud(d):
    torch.manual_seed(0)
    return torch.randn(80, d).double() @ torch.randn(d, d).double()


def changes(page, figure, action):
    """The map and the words are others after the action."""
    canvas, words = figure.locator("canvas[tabindex]"), figure.locator(".live-words")
    shot = "c => c.toDataURL()"
    before = canvas.evaluate(shot), words.text_content()
    action()
    page.wait_for_timeout(250)
    assert (canvas.evaluate(shot), words.text_content()) != before


def touched(page, figure, x, y):
    box = figure.locator("canvas[tabindex]").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


@pytest.mark.parametrize("framed", [False, True], ids=["page", "frame"])
@pytest.mark.parametrize(
    "make, d", [(neuron_playground, 2), (bound_playground, 3), (channel_playground, 2)]
)
def test_by_mouse_touch_and_keys(page, make, d, framed):
    figure = put(page, make(cloud(d)), framed).locator(".aecourse-live")
    figure.locator("canvas[tabindex]").wait_for()
    changes(page, figure, lambda: page.mouse.click(*touched(page, figure, 0.8, 0.3)))
    changes(page, figure, lambda: page.touchscreen.tap(*touched(page, figure, 0.2, 0.7)))
    for key in ("ArrowUp", "ArrowRight"):
        changes(page, figure, lambda k=key: figure.locator("canvas[tabindex]").press(k))
    for slider in figure.get_by_role("slider").all():
        assert slider.evaluate("e => e.labels[0].innerText.length > 1")
        if make is not neuron_playground:
            changes(page, figure, lambda s=slider: [s.press("ArrowRight") for _ in range(4)])
    if framed:  # 900 pixels wide, as an output beside the file browser
        assert figure.evaluate("f => f.scrollWidth") <= 900
        assert figure.bounding_box()["height"] < 640


@pytest.mark.parametrize(
    "make, d", [(neuron_playground, 2), (bound_playground, 3), (channel_playground, 2)]
)
def test_the_keys_are_written_out_and_a_phone_shows_the_whole_width(page, make, d):
    page.set_viewport_size({"width": 390, "height": 844})
    figure = put(page, make(cloud(d))).locator(".aecourse-live")
    keys = figure.get_by_text("arrow keys")
    assert keys.is_visible()
    assert keys.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 14
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert "−0.00" not in figure.inner_html()


def test_the_rules_are_those_of_the_package(page):
    figure = put(page, neuron_playground(cloud(2))).locator(".aecourse-live")
    for name in RULES:
        for d in (1, 2):
            w, x = torch.randn(d, 2).double(), torch.randn(3, 2).double()
            came = figure.evaluate(
                "(f, [name, w, x]) => f.figure.step(name, w, x, 0.1)",
                [name, w.tolist(), x.tolist()],
            )
            truth = getattr(neurons, name)(w, x, 0.1)
            assert torch.allclose(torch.tensor(came).double(), truth, atol=1e-6), name


def test_hebb_explodes_and_oja_ends_on_axis_1_at_length_1(page):
    figure = put(page, neuron_playground(cloud(2))).locator(".aecourse-live")
    for rule in ("hebb", "oja"):
        figure.get_by_role("button", name="reset").click()
        figure.get_by_role("combobox").select_option(rule)
        figure.get_by_role("button", name="run").click()
        for _ in range(40):
            page.wait_for_timeout(250)
            if figure.evaluate("f => f.figure.state().gone || f.figure.state().t > 4000"):
                break
        state = figure.evaluate("f => f.figure.state()")
        w = torch.tensor(state["w"][0])
        if rule == "hebb":
            assert state["gone"] and not state["running"] and w.norm() > 1e5
        else:
            assert abs(w.norm() - 1) < 0.2
            figure.get_by_role("button", name="pause").click()
    x = cloud(2) - cloud(2).mean(0)
    axis = torch.linalg.eigh(x.T @ x)[1][:, 1].float()
    assert (w @ axis / w.norm()).abs() > 0.97


def test_the_bar_is_log_p_and_its_parts_are_those_of_pytorch(page):
    x = cloud(4)
    figure = put(page, bound_playground(x)).locator(".aecourse-live")
    x = (x - x.mean(0)) / x.std(0, correction=0)
    values, vectors = torch.linalg.eigh(x.T @ x / len(x))
    axes, variances = vectors.T.flip(0)[:2], values.flip(0)[:2]
    figure.evaluate("f => f.figure.take(5)")
    heights = set()
    for presses in (0, 45):
        for _ in range(presses):
            figure.get_by_role("slider").first.press("ArrowRight")
        now, terms = figure.evaluate("f => [f.figure.state(), f.figure.terms(f.figure.state())]")
        assert now["angle"] == presses
        s2 = now["sigma2"]
        w = axes.T * (variances - s2).clamp(min=0).sqrt()
        cov = w @ w.T + s2 * torch.eye(4).double()
        log_p = MultivariateNormal(torch.zeros(4).double(), cov).log_prob(x[5]).item()
        turn = torch.tensor(presses).double().deg2rad()
        w = w @ torch.tensor([[turn.cos(), -turn.sin()], [turn.sin(), turn.cos()]]).double()
        precision = (w.T @ w + s2 * torch.eye(2).double()) / s2
        best = MultivariateNormal(torch.zeros(2).double(), torch.diag(1 / precision.diagonal()))
        exact = MultivariateNormal(torch.zeros(2).double(), precision_matrix=precision)
        gap = kl_divergence(best, exact).item()
        assert terms["log_p"] == pytest.approx(log_p, abs=1e-4)
        assert terms["gap"] == pytest.approx(gap, abs=1e-4)
        assert terms["elbo"] + terms["gap"] == pytest.approx(terms["log_p"], abs=1e-6)
        heights.add(round(terms["log_p"], 5))
    assert len(heights) == 1 and gap > 1e-3


def test_the_information_and_the_bound_are_those_of_the_package(page):
    x = cloud(2)
    figure = put(page, channel_playground(x, 0.5)).locator(".aecourse-live")
    cov = torch.cov(x.T, correction=0)
    figure.locator("canvas[tabindex]").press("ArrowUp")
    for presses, slider in zip((8, 20, 6, 8), figure.get_by_role("slider").all(), strict=True):
        for _ in range(presses):
            slider.press("ArrowRight")
        now, came = figure.evaluate("f => [f.figure.state(), f.figure.terms(f.figure.state())]")
        turn, angle = (torch.tensor(now[name]).double().deg2rad() for name in ("turn", "angle"))
        turn = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()]).view(2, 2)
        w, sigma, turned = (
            torch.stack([angle.cos(), angle.sin()])[None],
            now["sigma"],
            turn @ cov @ turn.T,
        )
        whole = information.mutual_information(w, turned, sigma).item()
        best, s = information.best_decoder(w, turned, sigma)
        a, s2 = now["slope"] * best, now["width"] * s
        assert came["information"] == pytest.approx(whole, abs=1e-4)
        assert came["bound"] == pytest.approx(
            information.bound(a, s2, w, turned, sigma).item(), abs=1e-4
        )
        z = (w @ turned @ w.T + sigma**2).sqrt()[0]  # the KL grows with z^2: at one sigma, its mean
        kl = information.gaussian_kl(best @ z, s, a @ z, s2).item()
        assert came["kl"] == pytest.approx(kl, abs=1e-4)
        assert came["information"] - came["bound"] == pytest.approx(kl, abs=1e-4)
    assert now["angle"] == 1 and now["turn"] == 20 and kl > 0.1
