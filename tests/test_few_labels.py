"""Few labels: draws, scores of clusters, new codes, and classifiers side by side."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn import functional as F

from aecourse.few_labels import (
    Classifiers,
    adjusted_rand,
    cross_entropy,
    extrapolate,
    nearest_in_class,
    paired_difference,
    purity,
    stratified,
)
from aecourse.training import fit


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_stratified_takes_the_first_rows_of_each_class(generator):
    labels = torch.randint(5, (100,), generator=generator)
    rows = stratified(labels, 7).view(5, 7)
    for k in range(5):
        assert (labels[rows[k]] == k).all()
        assert (labels[: rows[k, -1] + 1] == k).sum() == 7  # none of the class was left out


@pytest.mark.parametrize("per_class", [0, 3, -1])
def test_stratified_refuses_more_than_there_are_or_none(per_class):
    with pytest.raises(ValueError, match=rf"per_class = {per_class}: a class has 2 examples\."):
        stratified(torch.tensor([0, 1, 1, 0, 1]), per_class)


@pytest.mark.parametrize("clusters", [2, 4, 9])
def test_scores_of_clusters_are_scikit_learns(clusters, generator):
    labels = torch.randint(4, (200,), generator=generator)
    kept = torch.rand(200, generator=generator) < 0.6
    found = torch.where(kept, labels, torch.randint(9, (200,), generator=generator)) % clusters
    right = metrics.adjusted_rand_score(labels, found)
    assert adjusted_rand(found, labels).item() == pytest.approx(right)
    table = metrics.cluster.contingency_matrix(labels, found)
    assert purity(found, labels).item() == pytest.approx(table.max(0).sum() / 200)


def test_scores_of_clusters_at_their_ends(generator):
    labels = torch.randint(4, (200,), generator=generator)
    assert adjusted_rand((labels + 1) % 4, labels) == 1 == purity((labels + 1) % 4, labels)
    assert purity(torch.arange(200), labels) == 1
    assert abs(adjusted_rand(torch.arange(200), labels)) < 1e-12
    by_chance = [
        adjusted_rand(torch.randint(4, (200,), generator=generator), labels) for _ in range(50)
    ]
    assert abs(np.mean(by_chance)) < 0.01


def test_paired_difference_is_the_t_test_of_scipy(generator):
    a, b = torch.randn(2, 9, generator=generator, dtype=torch.float64)
    mean, error = paired_difference(a, b)
    assert (mean / error).item() == pytest.approx(stats.ttest_rel(a, b).statistic)
    assert mean.item() == pytest.approx((a.mean() - b.mean()).item())


def test_nearest_in_class_is_scikit_learns_within_each_class(generator):
    z, labels = torch.randn(60, 3, generator=generator), torch.arange(60) % 4
    rows = nearest_in_class(z, labels, 5)
    for k in range(4):
        members = (labels == k).nonzero()[:, 0]
        found = NearestNeighbors(n_neighbors=5).fit(z[members]).kneighbors(return_distance=False)
        assert torch.equal(rows[members], members[torch.from_numpy(found)])


def test_nearest_in_class_needs_more_examples_than_neighbours():
    with pytest.raises(ValueError, match=r"k = 3: each class needs more examples than that\."):
        nearest_in_class(torch.randn(7, 2), torch.tensor([0, 0, 0, 0, 1, 1, 1]), 3)


def test_extrapolation_lies_on_the_line_through_the_neighbour(generator):
    z, labels = torch.randn(20, 3, generator=generator), torch.arange(20) % 2
    neighbours = z[nearest_in_class(z, labels, 4)]
    assert torch.allclose(extrapolate(z, labels, 4, -1.0), neighbours, atol=1e-6)
    assert torch.allclose(extrapolate(z, labels, 4, 0.0), z[:, None].expand(-1, 4, -1))
    middle = (z[:, None] + neighbours) / 2
    assert torch.allclose(extrapolate(z, labels, 4, -0.5), middle, atol=1e-6)
    beyond = extrapolate(z, labels, 4)
    ratio = (beyond - neighbours).norm(dim=2) / (z[:, None] - neighbours).norm(dim=2)
    assert torch.allclose(ratio, torch.tensor(1.5), atol=1e-4)


# ---- classifiers side by side -----------------------------------------------------------------


def rows_for(draws, ways, generator, n=40, d=3):
    """Rows (n, draws, ways, d + 1): two classes, told apart by the sign of a random direction."""
    x = torch.randn(n, draws, ways, d, generator=generator)
    directions = torch.randn(draws, ways, d, generator=generator)
    y = ((x * directions).sum(3, keepdim=True) > 0).float()
    return torch.cat([x, y], 3)


def test_ways_of_a_draw_start_alike_and_draws_do_not():
    torch.manual_seed(0)
    model = Classifiers(3, 2, [4, 5, 2])
    for w in model.weights:
        assert torch.equal(w[:, 0], w[:, 1]) and not torch.equal(w[0], w[1])
    model.weights[0].data[0, 0] += 1
    assert not torch.equal(model.weights[0][0, 0], model.weights[0][0, 1])  # but are separate
    wide = Classifiers(1, 1, [2000, 300]).weights[0]
    assert wide.std().item() == pytest.approx((2 / 2000) ** 0.5, rel=0.02)


@pytest.mark.parametrize("activation", [torch.relu, torch.sigmoid])
def test_each_classifier_is_the_network_of_its_weights(activation, generator):
    torch.manual_seed(0)
    model = Classifiers(2, 3, [4, 5, 6, 2], activation)
    model.biases[1].data += torch.randn(2, 3, 1, 6)
    x = torch.randn(7, 2, 3, 4, generator=generator)
    logits = model(x)
    for draw in range(2):
        for way in range(3):
            h = x[:, draw, way]
            for k in range(3):
                w, b = model.weights[k][draw, way], model.biases[k][draw, way, 0]
                h = F.linear(activation(h) if k else h, w.T, b)
            assert torch.allclose(logits[:, draw, way], h, atol=1e-5)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_training_side_by_side_is_training_alone(optimizer, generator, capsys):
    x = rows_for(2, 2, generator)
    torch.manual_seed(0)
    together = Classifiers(2, 2, [3, 8, 2])
    alone = Classifiers(1, 1, [3, 8, 2])
    for mine, all_of_them in zip(alone.parameters(), together.parameters(), strict=True):
        mine.data.copy_(all_of_them.data[1:, 1:])
    for model, rows in [(together, x), (alone, x[:, 1:, 1:])]:
        fit(model, rows, cross_entropy, epochs=5, batch=10, lr=0.05, optimizer=optimizer)
    for mine, all_of_them in zip(alone.parameters(), together.parameters(), strict=True):
        assert torch.allclose(mine, all_of_them[1:, 1:], atol=1e-4)


def test_cross_entropy_is_the_sum_over_classifiers_of_pytorchs(generator):
    x = rows_for(2, 3, generator)
    model = Classifiers(2, 3, [3, 4, 2])
    logits = model(x[..., :-1])
    nats = [
        nn.CrossEntropyLoss()(logits[:, k, w], x[:, k, w, -1].long())
        for k in range(2)
        for w in range(3)
    ]
    assert cross_entropy(model, x)["cross-entropy"].item() == pytest.approx(sum(nats).item(), 1e-5)
    assert cross_entropy(model, x.half())["cross-entropy"].item() == pytest.approx(
        sum(nats).item(), rel=1e-2
    )


def test_errors_count_what_each_takes_for_another_class(generator):
    model = Classifiers(2, 2, [3, 4, 3])
    x, labels = torch.randn(1203, 3, generator=generator), torch.arange(1203) % 3
    answers = model(x[:, None, None]).argmax(3)
    for draw in range(2):
        for way in range(2):
            right = metrics.accuracy_score(labels, answers[:, draw, way])
            assert model.errors(x, labels)[draw, way].item() == pytest.approx(100 * (1 - right))


def test_they_learn(generator, capsys):
    x = rows_for(2, 2, generator, n=300)
    torch.manual_seed(0)
    model = Classifiers(2, 2, [3, 16, 2])
    fit(model, x, cross_entropy, epochs=30, batch=50, lr=1e-2)
    wrong = model(x[..., :-1]).argmax(3) != x[..., -1]
    assert wrong.float().mean() < 0.05
