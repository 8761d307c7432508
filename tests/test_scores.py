"""Scores against scikit-learn and SciPy."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis as scipys
from sklearn.covariance import EmpiricalCovariance
from sklearn.datasets import load_iris
from sklearn.metrics import fbeta_score, roc_auc_score
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from aecourse import scores


@pytest.mark.parametrize("levels", [4, 1000])  # many ties, and none or few
def test_auroc_is_scikit_learns(levels):
    generator = torch.Generator().manual_seed(0)
    score = torch.randint(levels, (60,), generator=generator).float()
    odd = torch.rand(60, generator=generator) < 0.3
    truth = roc_auc_score(odd, score)
    assert scores.auroc(score, odd).item() == pytest.approx(truth, abs=1e-6)
    assert scores.auroc(-score, odd.long()).item() == pytest.approx(1 - truth, abs=1e-6)


def test_auroc_at_its_ends():
    odd = torch.tensor([False, False, True])
    assert [scores.auroc(torch.tensor(s), odd).item() for s in ([1, 2, 3], [5, 5, 5])] == [1, 0.5]


@pytest.fixture
def errors():
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(5, 5, generator=generator)
    return torch.randn(40, 5, generator=generator) @ mix + 3, torch.randn(7, 5, generator=generator)


def test_mahalanobis_is_scikit_learns(errors):
    normal, e = errors
    truth = EmpiricalCovariance().fit(normal.numpy()).mahalanobis(e.numpy())
    came = scores.mahalanobis(e, normal, ridge=0)
    torch.testing.assert_close(came, torch.from_numpy(truth).float(), rtol=1e-4, atol=1e-4)


def test_the_ridge_is_a_part_of_the_mean_variance(errors):
    normal, e = errors
    c = torch.cov(normal.double().T, correction=0)
    c += 0.2 * c.trace() / 5 * torch.eye(5)
    mean, inverse = normal.double().mean(0).numpy(), torch.linalg.inv(c).numpy()
    came = scores.mahalanobis(e, normal, ridge=0.2)
    assert came.tolist() == pytest.approx([scipys(row, mean, inverse) ** 2 for row in e], rel=1e-4)


def test_the_ridge_makes_it_finite_where_a_direction_has_no_variance(errors):
    flat = torch.cat([errors[0], torch.ones(40, 1)], 1)
    e = torch.cat([errors[1], torch.ones(7, 1)], 1)
    assert scores.mahalanobis(e, flat).isfinite().all()


@pytest.mark.parametrize("beta", [0.1, 0.5, 1, 2])
def test_f_beta_is_scikit_learns(beta):
    generator = torch.Generator().manual_seed(0)
    odd, alarm = torch.rand(2, 50, generator=generator) < 0.4
    truth = fbeta_score(odd, alarm, beta=beta)
    assert scores.f_beta(odd, alarm, beta).item() == pytest.approx(truth, abs=1e-6)
    assert scores.f_beta(odd, odd & False, beta).item() == 0
    assert scores.f_beta(odd & False, odd & False, beta).item() == 0


def test_knn_is_scikit_learns_with_each_row_left_out():
    x, labels = load_iris(return_X_y=True)
    x = x + 1e-3 * np.random.default_rng(0).normal(size=x.shape)  # no two at the same distance
    for k in (1, 5, 12):
        model = KNeighborsClassifier(k)
        truth = cross_val_score(model, x, labels, cv=LeaveOneOut()).mean()
        score = scores.knn(torch.from_numpy(x), torch.from_numpy(labels), k)
        assert float(score) == pytest.approx(truth, abs=1e-9)
