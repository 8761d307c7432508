"""The playgrounds in a real Chromium, without network: against torch, by mouse, touch and keys."""

import functools
import re

import numpy as np
import pytest
import torch
from conftest import put
from torch.distributions import MultivariateNormal, kl_divergence

from aecourse import neurons
from aecourse.playgrounds import bound_playground, neuron_playground

ROOT = "document.querySelector('.aecourse-live').figure"
RULES = {name: getattr(neurons, name) for name in ("hebb", "oja", "minor", "subspace", "sanger")}
RULES["flipped"] = lambda w, x, eta: neurons.oja(w, x, -eta)


def call(place, what, *given):
    """What root.figure.`what`(...given) gives."""
    figure = place.locator(".aecourse-live")
    return figure.evaluate(f"(root, given) => root.figure.{what}(...given)", list(given))


def press(page, place, x, y, way):
    """A click or a tap at a place in [0, 1] of the map."""
    box = place.locator("canvas[tabindex]").bounding_box()
    at = box["x"] + x * box["width"], box["y"] + y * box["height"]
    (page.mouse.click if way == "mouse" else page.touchscreen.tap)(*at)


def said(place):
    return place.locator(".live-words").text_content()


def fits(place):
    """Whether the figure is no larger than a notebook's cell, and its text large enough."""
    return place.locator(".aecourse-live").evaluate("""root => {
        const wide = root.style.width;
        root.style.width = "880px";
        const {left, height} = root.getBoundingClientRect(), shown = [...root.querySelectorAll(
            "p, label, span, output, button, select, option, canvas, div")];
        const right = Math.max(...shown.map(e => e.getBoundingClientRect().right));
        const size = Math.min(...shown.map(e => parseFloat(getComputedStyle(e).fontSize)));
        root.style.width = wide;
        return height <= 560 && right - left <= 880 && size >= 14;
    }""")


# ---- neurons ----------------------------------------------------------------------------------


def cloud(n=200):
    """Twice as long as wide, its long axis at 30 degrees."""
    turn = torch.tensor([[3**0.5, 1], [-1, 3**0.5]]).double() / 2
    z = torch.randn(n, 2, generator=torch.Generator().manual_seed(0)).double()
    return (z * torch.tensor([2.0, 0.7])) @ turn


@functools.cache
def neuron(n=200):
    return neuron_playground(cloud(n))


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("rule", RULES)
def test_a_step_of_the_page_is_that_of_the_package(page, rule, d):
    torch.manual_seed(d)
    put(page, neuron())
    for n, eta in [(1, 0.01), (1, 1.0), (7, 0.3), (64, 0.001)]:
        w, x = torch.randn(d, 2).double(), torch.randn(n, 2).double()
        new = call(page, "step", rule, w.tolist(), x.tolist(), eta)
        np.testing.assert_allclose(new, RULES[rule](w, x, eta), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_one_step_takes_a_point_of_the_cloud_and_each_of_them_once_in_a_round(page, rule):
    x = cloud(12)
    put(page, neuron_playground(x))
    x = (x - x.mean(0)) / (x - x.mean(0)).std(correction=0)
    page.get_by_role("combobox", name="rule").select_option(rule)
    page.get_by_role("slider", name="step size").fill("-2")
    taken = []
    for t in range(12):
        before = call(page, "state")
        page.get_by_role("button", name="one step").click()
        after = call(page, "state")
        w = torch.tensor(before["w"]).double()
        each = torch.stack([RULES[rule](w, row[None], 0.01) for row in x])
        far = (each - torch.tensor(after["w"])).abs().amax((1, 2))
        assert far.min() < 1e-7 and after["t"] == t + 1
        taken.append(int(far.argmin()))
        assert said(page).startswith(f"step {t + 1}: ")
    assert sorted(taken) == list(range(12)) != taken


def running(page, place, enough, timeout=60):
    """Run until state() is as wanted; pause."""
    place.get_by_role("button", name="run").click()
    for _ in range(10 * timeout):
        page.wait_for_timeout(100)
        if enough(call(place, "state")):
            break
    else:
        pytest.fail("it never came to that")
    if place.get_by_role("button", name="pause").count():
        place.get_by_role("button", name="pause").click()
    return call(place, "state")


@pytest.mark.parametrize("framed", [False, True])
def test_oja_comes_to_axis_1_and_says_so(page, framed):
    place = put(page, neuron(), framed)
    state = running(page, place, lambda state: state["t"] > 1000)
    (w,) = torch.tensor(state["w"])
    axis = torch.tensor([3**0.5, 1]) / 2
    assert abs(w @ axis) / w.norm() > 0.99 and abs(w.norm() - 1) < 0.05
    words = (
        rf"step {state['t']}: \|w\| = [01]\.\d\d, \d degrees? from axis 1, \|cos\| = (0.99\d|1.000)"
    )
    assert re.fullmatch(words, said(place))
    before = call(place, "state")
    page.wait_for_timeout(300)
    assert call(place, "state") == before and len(before["path"]) > 1000


def test_sanger_finds_both_axes_the_subspace_rule_an_orthonormal_pair_minor_the_last(page):
    put(page, neuron())
    axes = torch.tensor([[3**0.5, 1], [-1, 3**0.5]]) / 2
    rule = page.get_by_role("combobox", name="rule")
    for name in ("sanger", "subspace", "minor"):
        rule.select_option(name)
        page.get_by_role("slider", name="step size").fill("-1.5")
        w = torch.tensor(running(page, page, lambda state: state["t"] > 2000)["w"])
        cos = (w @ axes.T).abs() / w.norm(dim=1, keepdim=True)
        if name == "sanger":
            assert cos.diagonal().min() > 0.95 and "neuron 2" in said(page)
        elif name == "minor":
            assert w.shape == (1, 2) and cos[0, 1] > 0.97 and "from axis 2" in said(page)
        else:
            assert (w @ w.T - torch.eye(2)).abs().max() < 0.2 and "between the two" in said(page)


@pytest.mark.parametrize(
    ("rule", "why"), [("hebb", "nothing in Hebb's rule holds it"), ("flipped", "sign flipped")]
)
def test_what_explodes_stops_at_a_million_says_why_and_begins_again(page, rule, why):
    put(page, neuron())
    page.get_by_role("combobox", name="rule").select_option(rule)
    press(page, page, 0.9, 0.9, "mouse")  # a long w, which the flipped sign makes longer
    state = running(page, page, lambda state: state["gone"])
    assert not state["running"] and np.isfinite(state["w"]).all()
    assert f"step {state['t']}: stopped, |w| has passed 1,000,000: " in said(page)
    assert why in said(page)
    page.get_by_role("button", name="one step").click()
    assert call(page, "state")["t"] == state["t"]
    page.get_by_role("button", name="run").click()
    page.get_by_role("button", name="pause").click()
    again = call(page, "state")
    assert not again["gone"] and np.linalg.norm(again["path"][0][1]) < 0.5
    page.get_by_role("button", name="reset").click()
    assert call(page, "state")["t"] == 0 and said(page).startswith("step 0: ")


def test_too_large_a_step_is_told_for_oja_too(page):
    put(page, neuron())
    page.get_by_role("slider", name="step size").press("End")
    assert call(page, "state")["eta"] == 1
    running(page, page, lambda state: state["gone"])
    assert "the step is too large for these points" in said(page)


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize("way", ["mouse", "touch"])
def test_mouse_and_touch_set_w(page, way, framed):
    figure = neuron()
    reach = float(re.search(r'"reach": ([\d.]+)', figure.bundle["text/html"])[1])
    place = put(page, figure, framed)
    for x, y in [(0.75, 0.25), (0.1, 0.6)]:
        press(page, place, x, y, way)
        state = call(place, "state")
        np.testing.assert_allclose(
            state["w"], [[reach * (2 * x - 1), reach * (1 - 2 * y)]], atol=0.04
        )
        assert state["t"] == 0 and len(state["path"]) == 1
    box = place.locator("canvas[tabindex]").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 100, steps=4)
    page.mouse.up()
    w = [[reach * (2 * 300 / 402 - 1), reach * (1 - 2 * 100 / 402)]]
    np.testing.assert_allclose(call(place, "state")["w"], w, atol=0.04)


@pytest.mark.parametrize("framed", [False, True])
def test_keys_move_either_neuron_and_do_everything(page, framed):
    place = put(page, neuron(), framed)
    rule, canvas = place.get_by_role("combobox", name="rule"), place.locator("canvas[tabindex]")
    rule.select_option("sanger")
    one, two = call(place, "state")["w"]
    for key, held, way in [("1", 0, [1, 0]), ("2", 1, [0, -1]), ("1", 0, [-1, 1])]:
        before = np.array(call(place, "state")["w"])
        canvas.press(key)
        for axis, (less, more) in enumerate(
            [("ArrowLeft", "ArrowRight"), ("ArrowDown", "ArrowUp")]
        ):
            if way[axis]:
                canvas.press(more if way[axis] > 0 else less)
        moved = np.array(call(place, "state")["w"]) - before
        assert np.array_equal(np.sign(moved.round(9))[held], way)
        assert (moved[1 - held] == 0).all()
    place.get_by_role("button", name="one step").press("Enter")
    assert call(place, "state")["t"] == 1
    place.get_by_role("button", name="run").press("Space")
    place.get_by_role("button", name="pause").press("Space")
    place.get_by_role("button", name="reset").press("Enter")
    assert call(place, "state")["w"] == [one, two]
    place.get_by_role("slider", name="step size").press("ArrowRight")
    assert call(place, "state")["eta"] == pytest.approx(10**-1.95)
    rule.press("ArrowUp")
    assert call(place, "state")["rule"] == "subspace"


def test_a_press_moves_the_neuron_whose_arrow_ends_nearer(page):
    put(page, neuron())
    page.get_by_role("combobox", name="rule").select_option("subspace")
    press(page, page, 0.2, 0.2, "mouse")
    before = call(page, "state")["w"]
    press(page, page, 0.25, 0.25, "mouse")
    after = call(page, "state")["w"]
    assert [a == b for a, b in zip(before, after, strict=True)].count(True) == 1


@pytest.mark.parametrize(("motion", "steps"), [("no-preference", 4), ("reduce", 100)])
def test_reduced_motion_moves_once_a_second_and_only_rest_is_spoken(page, motion, steps):
    page.clock.install()
    page.emulate_media(reduced_motion=motion)
    put(page, neuron())
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    words, button = page.locator(".live-words"), page.get_by_role("button", name="run")
    assert words.get_attribute("aria-live") == "polite"
    button.click()
    assert words.get_attribute("aria-live") == "off" and call(page, "state")["t"] == 0
    page.clock.run_for(999)
    assert (call(page, "state")["t"] == 0) == (motion == "reduce")
    page.clock.run_for(1)
    assert call(page, "state")["t"] % steps == 0 < call(page, "state")["t"]
    page.get_by_role("button", name="pause").click()
    assert words.get_attribute("aria-live") == "polite"


def test_neurons_fit_a_cell_and_draw_what_they_do(page):
    put(page, neuron(10_000))
    assert fits(page)
    for name in RULES:
        page.get_by_role("combobox", name="rule").select_option(name)
        page.get_by_role("button", name="one step").click()
        assert fits(page)
    for canvas in page.locator("canvas").all():
        before = canvas.screenshot()
        page.get_by_role("button", name="reset").click()
        running(page, page, lambda state: state["t"] > 20)
        assert canvas.screenshot() != before
    assert page.locator("canvas[role=img]").get_attribute("aria-label").count("and") == 1


# ---- bound ------------------------------------------------------------------------------------


def numbers(n=60, d=4):
    torch.manual_seed(0)
    return torch.randn(n, d).double() @ torch.randn(d, d).double() + 3


@functools.cache
def bound(n=60, d=4):
    return bound_playground(numbers(n, d))


def truth(x, k, angle, widen, sigma2):
    """log p(x) and the gap of point k by torch.distributions, from an eigendecomposition."""
    x = (x - x.mean(0)) / x.std(0, correction=0)
    values, vectors = torch.linalg.eigh(x.T @ x / len(x))
    turn = torch.tensor(angle).double().deg2rad()
    turn = torch.tensor([[turn.cos(), -turn.sin()], [turn.sin(), turn.cos()]])
    scale = (values[[-1, -2]] - sigma2).clamp(min=0).sqrt()
    w = vectors[:, [-1, -2]] * scale @ turn.double()
    marginal = MultivariateNormal(0 * x[0], w @ w.T + sigma2 * torch.eye(len(w)).double())
    inner = torch.linalg.inv(w.T @ w + sigma2 * torch.eye(2).double())
    posterior = MultivariateNormal(inner @ w.T @ x[k], sigma2 * inner)
    spread = widen**2 / torch.linalg.inv(posterior.covariance_matrix).diagonal()
    q = MultivariateNormal(posterior.mean, torch.diag(spread))
    return marginal.log_prob(x[k]).item(), kl_divergence(q, posterior).item(), q


@pytest.mark.parametrize("d", [3, 4, 30])
def test_log_p_is_elbo_and_gap_and_those_of_torch(page, d):
    x = numbers(d=d)
    put(page, bound(d=d))
    for k in (0, 7, 59):
        for angle, widen, sigma2 in [
            (0, 1, 0.2), (45, 1, 0.2), (90, 1, 0.2), (20, 0.6, 0.05), (70, 1.7, 1.5), (45, 1, 30)
        ]:  # fmt: skip
            case = {"k": k, "angle": angle, "widen": widen, "sigma2": sigma2}
            found = call(page, "terms", case)
            log_p, gap, q = truth(x, **case)
            assert found["log_p"] == pytest.approx(log_p, abs=1e-6)
            assert found["gap"] == pytest.approx(gap, abs=1e-6) and found["gap"] >= 0
            assert found["elbo"] + found["gap"] == pytest.approx(log_p, abs=1e-6)
            assert angle % 90 or widen != 1 or found["gap"] < 1e-12
            assert found["v"] == pytest.approx(q.variance.tolist(), abs=1e-9)
            # pca and eigh may differ in the sign of an axis
            length = np.linalg.norm(found["m"])
            assert length == pytest.approx(q.mean.norm().item(), abs=1e-9)


def test_at_45_degrees_the_gap_is_widest_and_the_elbo_alone_pays(page):
    put(page, bound())
    now = call(page, "state")
    at = [call(page, "terms", now | {"angle": angle}) for angle in range(91)]
    gaps = [terms["gap"] for terms in at]
    assert max(gaps) == gaps[45] > 0.01 and gaps[0] == pytest.approx(0, abs=1e-12)
    assert np.ptp([terms["log_p"] for terms in at]) == 0
    at = [call(page, "terms", now | {"widen": widen}) for widen in (0.6, 0.9, 1, 1.1, 1.7)]
    assert [terms["gap"] for terms in at].index(min(t["gap"] for t in at)) == 2
    assert np.ptp([terms["log_p"] for terms in at]) == 0


def test_a_unit_dies_when_sigma2_passes_its_variance(page):
    figure = bound()
    variances = re.search(r'"variances": \[([\d.]+), ([\d.]+)\]', figure.bundle["text/html"])
    first, second = float(variances[1]), float(variances[2])
    put(page, figure)
    slider = page.get_by_role("slider", name="σ²")
    for sigma2, alive, words in [
        (0.9 * second, 2, "Both units are alive."),
        (1.1 * second, 1, "One unit is alive"),
        (1.1 * first, 0, "No unit is alive"),
    ]:
        slider.fill(str(np.log10(sigma2)))
        state = call(page, "state")
        assert state["sigma2"] == pytest.approx(sigma2) and state["alive"] == alive
        assert words in said(page)
        terms = call(page, "terms", state)
        dead = [k for k in (0, 1) if k >= alive]
        assert [terms["m"][k] for k in dead] == [0] * len(dead)
        assert [terms["v"][k] for k in dead] == pytest.approx([1] * len(dead))


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize("way", ["mouse", "touch"])
def test_mouse_and_touch_choose_a_point_and_move_the_sliders(page, way, framed):
    place = put(page, bound(), framed)
    start = call(place, "state")["k"]
    for k in (3, 20, 41):
        m = call(place, "terms", call(place, "state") | {"k": k})["m"]
        press(page, place, 0.5 + m[0] / 6.4, 0.5 - m[1] / 6.4, way)
        assert call(place, "state")["k"] == k != start
        assert said(place).startswith(f"Point {k + 1}: log p(x) = −")
    slider = place.get_by_role("slider", name="turn W")
    box, before = slider.bounding_box(), place.locator("canvas").nth(1).screenshot()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    (page.mouse.click if way == "mouse" else page.touchscreen.tap)(*middle)
    assert 40 < call(place, "state")["angle"] < 50
    assert "W turned by 4" in said(place) and "gap 0.000" not in said(place)
    assert place.locator("canvas").nth(1).screenshot() != before


@pytest.mark.parametrize("framed", [False, True])
def test_keys_choose_a_point_move_the_sliders_and_reset(page, framed):
    place = put(page, bound(), framed)
    canvas, first = place.locator("canvas[tabindex]"), call(place, "state")
    seen = set()
    for key, axis, sign in [("ArrowRight", 0, 1), ("ArrowUp", 1, 1), ("ArrowLeft", 0, -1),
                            ("ArrowDown", 1, -1)]:  # fmt: skip
        for _ in range(60):
            before = call(place, "state")
            canvas.press(key)
            after = call(place, "state")
            seen.add(after["k"])
            if before["k"] == after["k"]:  # there is none in this direction
                break
            m, n = (call(place, "terms", state)["m"] for state in (before, after))
            assert sign * (n[axis] - m[axis]) > 0
    assert len(seen) > 12
    for name, key, what in [("turn W", "ArrowRight", "angle"), ("widen q", "ArrowUp", "widen"),
                            ("σ²", "ArrowRight", "sigma2")]:  # fmt: skip
        place.get_by_role("slider", name=name).press(key)
        assert call(place, "state")[what] > first[what]
    place.get_by_role("button", name="reset").press("Enter")
    assert call(place, "state") == first | {"k": call(place, "state")["k"]}
    assert place.get_by_role("slider", name="turn W").input_value() == "0"


def bar_s_top(page):
    """The highest coloured pixel of the bar, and the highest green one, as rows of the canvas."""
    pixels = (
        page.locator("canvas")
        .nth(1)
        .evaluate("c => [...c.getContext('2d').getImageData(200, 0, 1, c.height).data]")
    )
    column = np.array(pixels).reshape(-1, 4)
    black = (column[:, :3].max(1) < 60) & (column[:, 3] > 200)
    green = (np.abs(column[:, :3] - [0, 158, 115]).max(1) < 5) & (column[:, 3] > 200)
    return int(black.argmax()), int(green.argmax())


def test_the_bar_keeps_its_height_and_the_gap_grows_in_it(page):
    put(page, bound())
    top, green = bar_s_top(page)
    heights = [green]
    for angle, widen in [(45, 0), (45, 0.4), (45, 0.8)]:
        page.get_by_role("slider", name="turn W").fill(str(angle))
        page.get_by_role("slider", name="widen q").fill(str(widen))
        assert bar_s_top(page)[0] == top
        heights.append(bar_s_top(page)[1])
    assert heights == sorted(heights) and heights[-1] > heights[0] + 100
    assert heights[-1] < 500  # the ELBO is seen too


@pytest.mark.parametrize("framed", [False, True])
def test_the_bound_fits_a_cell(page, framed):
    page = put(page, bound(1000, 49), framed)
    assert fits(page)
    page.get_by_role("slider", name="σ²").fill("0.5")
    page.get_by_role("slider", name="turn W").fill("45")
    assert fits(page)
