"""Precision and recall of samples, against scikit-learn's neighbours and a count by hand."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from aecourse import data, samples


def cloud(n, d=3, seed=0, centre=0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) + centre


def by_scikit_learn(points, by, k):
    """The same by trees: the radius of a row is the distance to neighbour k, itself being 0."""
    neighbours = NearestNeighbors(n_neighbors=k + 1).fit(by)
    radius = neighbours.kneighbors(by)[0][:, -1]
    inside = [np.linalg.norm(by - p, axis=1) <= radius for p in points]
    return np.mean([row.any() for row in inside])


@pytest.mark.parametrize("k", [1, 3, 7])
@pytest.mark.parametrize("centre", [0.0, 1.5])
def test_covered_is_a_count_by_trees(k, centre):
    points, by = cloud(80, seed=1, centre=centre), cloud(60)
    truth = by_scikit_learn(points.double().numpy(), by.double().numpy(), k)
    assert samples.covered(points, by, k).item() == pytest.approx(truth, abs=1e-12)
    assert 0 < truth < 1


def test_covered_by_hand():
    by = torch.tensor([[0.0], [1.0], [10.0], [14.0]])  # radii for k = 1: 1, 1, 4, 4
    points = torch.tensor([[-1.0], [-1.1], [2.0], [2.1], [6.0], [5.9], [18.0], [19.0]])
    assert samples.covered(points, by, k=1).item() == 4 / 8


def test_precision_and_recall_are_two_looks_at_the_same_pair():
    real, drawn = cloud(70), 0.3 * cloud(50, seed=1)
    precision, recall = samples.precision_recall(real, drawn, 2)
    assert precision == samples.covered(drawn, real, 2) and recall == samples.covered(
        real, drawn, 2
    )
    assert precision > 0.8 and recall < 0.5  # drawn from the middle only
    assert samples.precision_recall(drawn, real, 2) == (recall, precision)


def test_copies_of_the_mean_are_precise_and_cover_nothing():
    real = cloud(200)
    drawn = real.mean(0).expand(50, -1)
    assert [value.item() for value in samples.precision_recall(real, drawn)] == [1, 0]


def test_the_same_examples_are_covered_and_far_ones_are_not():
    real = cloud(40, 784)
    assert [value.item() for value in samples.precision_recall(real, real.flip(0))] == [1, 1]
    assert [value.item() for value in samples.precision_recall(real, real + 99)] == [0, 0]


@pytest.mark.parametrize("scale", [255, 1e-3])
def test_the_unit_of_the_pixels_does_not_count(scale):
    real, drawn = cloud(60), cloud(60, seed=1, centre=0.7)
    pairs = [samples.precision_recall(s * real, s * drawn) for s in (1, scale)]
    assert pairs[0] == pairs[1]


def test_images_are_taken_as_rows():
    real, drawn = torch.rand(9, 1, 4, 4), torch.rand(8, 1, 4, 4)
    flat = samples.precision_recall(real.flatten(1), drawn.flatten(1))
    assert samples.precision_recall(real, drawn) == flat


def test_what_does_not_fit_is_told_in_one_sentence():
    with pytest.raises(ValueError, match=r"k = 3: each of the 3 rows of by has 2 others\.$"):
        samples.covered(cloud(5), cloud(3), 3)
    with pytest.raises(ValueError, match=r"they must agree in shape\.$"):
        samples.precision_recall(cloud(9, 3), cloud(9, 4))
    with pytest.raises(ValueError, match="drawn contains NaN or infinity"):
        samples.precision_recall(cloud(9), cloud(9) / 0)


def test_a_classifier_names_digits_and_knows_how_sure_it_may_be():
    known, test = data.load("mnist", "train", n=5000), data.load("mnist", "test")
    torch.manual_seed(0)
    judge = samples.classifier(known.x, known.labels)
    assert judge[:-1](test.x[:7]).shape == (7, 64) and not judge.training
    p, guess = judge(test.x).softmax(1).max(1)
    right = (guess == test.labels).float()
    assert right.mean() > 0.9  # logistic regression on these: 0.88
    assert (p.mean() - right.mean()).abs() < 0.03 and not p.requires_grad


def test_a_classifier_takes_words_for_labels_and_any_shape():
    x = torch.cat([cloud(40), cloud(40, centre=5.0)])
    judge = samples.classifier(x, ["low"] * 40 + ["high"] * 40, epochs=80)
    assert judge(x).argmax(1).tolist() == [1] * 40 + [0] * 40
