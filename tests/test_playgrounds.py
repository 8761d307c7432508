"""The playgrounds without a browser: what they carry, their static twins, errors."""

import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from sklearn.decomposition import PCA

from aecourse.channel import channel_playground
from aecourse.playgrounds import bound_playground, neuron_playground

ALL = [neuron_playground, bound_playground, channel_playground]


def columns(playground):
    return 4 if playground is bound_playground else 2


def cloud(n, d, seed=0):
    """n points with variances 4, 1, 1/4, ..., turned, and far from 0."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    return 5 + rng.normal(size=(n, d)) * 2.0 ** (1 - np.arange(d)) @ turn


def carried(figure):
    """The mime bundle that IPython sends to the page, and the spec in it."""
    data = DisplayFormatter().format(figure)[0]
    return data, json.loads(re.search(r"spec = (\{.*\});\n", data["text/html"])[1])


@pytest.mark.parametrize("playground", ALL)
def test_a_static_twin_says_what_is_to_be_seen_and_no_figure_stays_open(playground):
    before = plt.get_fignums()
    data, _ = carried(playground(cloud(50, columns(playground))))
    assert plt.get_fignums() == before
    alt = re.search(
        r'<img alt="([^"]*)" width="(\d+)" src="data:image/webp;base64,', data["text/html"]
    )
    assert alt[1] == data["text/plain"].replace("'", "&#x27;")
    assert len(alt[1]) > 100 and alt[1].endswith(".") and 800 < int(alt[2]) <= 960
    assert "Run this cell to move it." in data["text/html"]


@pytest.mark.parametrize("kind", ["tensor", "float32", "list", "whole numbers", "gradient"])
@pytest.mark.parametrize("playground", ALL)
def test_any_numbers_will_do(playground, kind):
    x = (10 * cloud(30, columns(playground))).round()
    given = {"tensor": torch.from_numpy(x), "float32": x.astype(np.float32), "list": x.tolist()}
    given |= {"whole numbers": x.astype(int), "gradient": torch.from_numpy(x).requires_grad_()}
    one, other = (carried(playground(a))[1] for a in (x, given[kind]))
    for name in ("points", "axes", "variances", "cov", "sigma"):
        np.testing.assert_allclose(other.get(name, 0), one.get(name, 0), atol=1e-4)


@pytest.mark.parametrize(
    ("n", "kept"), [(3, [0, 1, 2]), (500, range(500)), (999, range(0, 999, 2))]
)
@pytest.mark.parametrize("playground", ALL)
def test_at_most_500_points_evenly_chosen_go_into_the_page(playground, n, kept):
    x = cloud(n, columns(playground))
    _, spec = carried(playground(x))
    assert len(spec["points"]) == len(kept)
    if playground is neuron_playground:
        chosen = x[list(kept)] - x[list(kept)].mean(0)
        np.testing.assert_allclose(spec["points"], chosen / chosen.std(), atol=1e-6)


def test_a_cloud_is_centred_scaled_and_has_the_axes_of_scikit_learn():
    x = cloud(400, 2)
    _, spec = carried(neuron_playground(x))
    points = np.array(spec["points"])
    np.testing.assert_allclose(points, (x - x.mean(0)) / (x - x.mean(0)).std(), atol=1e-6)
    np.testing.assert_allclose(np.abs(spec["axes"]), np.abs(PCA(2).fit(x).components_), atol=1e-6)
    assert np.quantile(np.abs(points), 0.99) < spec["reach"] < 2 * np.abs(points).max()
    assert "400 points, centred, and divided by their standard deviation" in spec["says"]
    _, again = carried(neuron_playground(points))
    np.testing.assert_allclose(again["points"], points, atol=2e-6)  # it stays as it is
    lengths = np.linalg.norm(spec["start"], axis=1)
    assert (lengths > 0.2).all() and (lengths < 0.5).all()
    assert "10,000 points" in carried(neuron_playground(cloud(10_000, 2)))[1]["says"]


@pytest.mark.parametrize("d", [3, 4, 30])
def test_the_bound_s_numbers_are_those_of_scikit_learn_s_probabilistic_pca(d):
    x = cloud(200, d)
    z = (x - x.mean(0)) / x.std(0)
    _, spec = carried(bound_playground(x))
    theirs = PCA(2).fit(z)
    shrink = (len(x) - 1) / len(x)  # they divide by N - 1
    np.testing.assert_allclose(spec["variances"], shrink * theirs.explained_variance_)
    a = np.array(spec["points"])[:, :2]
    np.testing.assert_allclose(np.abs(a), np.abs(theirs.transform(z)), atol=1e-9)
    rest = (z**2).sum(1) - (a**2).sum(1)
    np.testing.assert_allclose(np.array(spec["points"])[:, 2], rest, atol=1e-9)
    best = max(shrink * theirs.noise_variance_, spec["variances"][0] / 100)
    assert spec["sigma2"] == pytest.approx(best) and spec["D"] == d
    assert spec["low"] <= spec["sigma2"] <= spec["variances"][1] < spec["high"]


def test_a_channel_has_the_covariance_of_all_its_points_in_their_own_units():
    x = cloud(999, 2)
    _, spec = carried(channel_playground(x))
    cov = np.cov(x.T, bias=True)
    np.testing.assert_allclose(spec["cov"], cov)
    np.testing.assert_allclose(spec["points"], x[::2] - x.mean(0), atol=1e-6)
    assert spec["sigma"] == pytest.approx(np.linalg.eigvalsh(cov)[-1] ** 0.5 / 3)
    assert carried(channel_playground(x, 2, ("a", "b")))[1]["sigma"] == 2
    inside = np.abs(spec["points"]).max(1) < spec["reach"]
    assert inside.mean() > 0.97 and abs(np.std(spec["noise"]) - 1) < 0.1


def test_fewer_rows_than_columns_a_constant_column_and_a_line_are_fine():
    x = cloud(40, 3)
    wider = np.hstack([x, np.full((40, 1), 0.1)])
    one, other = (carried(bound_playground(a))[1] for a in (x, wider))
    np.testing.assert_allclose(one["variances"], other["variances"])
    assert carried(bound_playground(cloud(5, 49)))[1]["D"] == 49
    line = np.outer(np.arange(9.0), np.ones(3))
    for figure in (bound_playground(line), neuron_playground(line[:, :2])):
        assert "NaN" not in json.dumps(carried(figure)[1])


X = torch.from_numpy(cloud(9, 2))
WIDE = torch.from_numpy(cloud(9, 4))


@pytest.mark.parametrize(
    ("playground", "x", "words"),
    [
        (neuron_playground, WIDE, r"\(9, 4\)"),
        (neuron_playground, X[:, 0], r"\(9,\)"),
        (neuron_playground, X[None], r"\(1, 9, 2\)"),
        (neuron_playground, X[:2], "2 rows"),
        (neuron_playground, X[:0], "empty"),
        (neuron_playground, X / 0, "NaN"),
        (neuron_playground, X * torch.tensor([1, torch.nan]), "NaN"),
        (neuron_playground, X[:1].expand(9, -1), "equal"),
        (channel_playground, WIDE, r"\(9, 4\)"),
        (channel_playground, X[:2], "2 rows"),
        (channel_playground, X[:1].expand(9, -1), "equal"),
        (channel_playground, X[:, :1].expand(-1, 2), "on a line"),
        (lambda x: channel_playground(x, 0), X, "sigma = 0.0"),
        (bound_playground, X, r"\(9, 2\)"),
        (bound_playground, WIDE[:, 0], r"\(9,\)"),
        (bound_playground, WIDE[None], r"\(1, 9, 4\)"),
        (bound_playground, WIDE[:2], "2 rows"),
        (bound_playground, WIDE[:0], "empty"),
        (bound_playground, WIDE / 0, "NaN"),
        (bound_playground, WIDE[:1].expand(9, -1), "equal"),
    ],
)
def test_what_is_no_cloud_is_told_in_one_sentence(playground, x, words):
    with pytest.raises(ValueError, match=words) as error:
        playground(x)
    assert str(error.value).count(". ") == 0 and str(error.value).endswith(".")
