"""Exercises of notebook 08: codes of equal probability; what drawn samples are worth."""

import math

import torch
from torch.distributions import Normal

from aecourse import samples, variational
from aecourse.exercises import exercise


def _grid_with(places, order="image"):
    def prior_grid(n):
        a = places(n)
        rows, columns = torch.meshgrid(a if order == "upside down" else a.flip(0), a, indexing="ij")
        pair = [rows, columns] if order == "swapped" else [columns, rows]
        return torch.stack(pair, -1).flatten(0, 1)

    return prior_grid


def _quantiles(n):
    return Normal(0.0, 1.0).icdf((torch.arange(n) + 0.5) / n)


exercise(
    variational.prior_grid,
    cases=lambda: [(3,), (4,), (1,)],
    mistakes={
        "look at the ends: the quantiles of 0 and 1 are infinite; take (k + 1/2) / n.": (
            _grid_with(lambda n: Normal(0.0, 1.0).icdf(torch.linspace(0, 1, n)))
        ),
        "look at the steps: these are equal lengths; equal probabilities need icdf.": (
            _grid_with(lambda n: torch.linspace(-2, 2, n))
        ),
        "look at icdf: these are still probabilities between 0 and 1.": (
            _grid_with(lambda n: (torch.arange(n) + 0.5) / n)
        ),
        "look at icdf: cdf goes from codes to probabilities, this is the other way.": (
            _grid_with(lambda n: Normal(0.0, 1.0).cdf((torch.arange(n) + 0.5) / n))
        ),
        "look at the probabilities: (k + 1) / (n + 1) doesn't cut it into n equal slices.": (
            _grid_with(lambda n: Normal(0.0, 1.0).icdf((torch.arange(n) + 1.0) / (n + 1)))
        ),
        "look at the columns: z_1 grows to the right, along a row; z_2 changes from row to row.": (
            _grid_with(_quantiles, "swapped")
        ),
        "look at the rows: the first row of an image is on top, where z_2 is largest.": (
            _grid_with(_quantiles, "upside down")
        ),
        "look at the shape: one code a row, (n * n, 2).": (
            lambda n: variational.prior_grid(n).view(n, n, 2)
        ),
        "look at the samples: a grid has nothing random in it.": lambda n: torch.randn(n * n, 2),
    },
    hints=(
        "First the n places on one axis: icdf of (k + 1/2) / n for k = 0 ... n - 1.",
        "torch.meshgrid or two loops give all pairs; z_1 runs within a row, z_2 falls row by row.",
        "Try:  rows, columns = torch.meshgrid(places.flip(0), places, indexing='ij')  and  return "
        "torch.stack([...], -1).flatten(0, 1)",
    ),
)


def _clouds():
    """Points and rows that overlap in part, more of the one or of the other, and images."""
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n, m, shape, k in [(30, 20, (2,), 3), (15, 40, (3,), 1), (25, 12, (1, 2, 2), 5)]:
        by = torch.randn(m, *shape, generator=generator)
        cases.append((0.8 * torch.randn(n, *shape, generator=generator) + 0.5, by, k))
    return cases


def _covering(radius, inside=lambda distance, radius: (distance <= radius).any(1)):
    """A share by a rule for the radii, from the distances within `by`, that may be wrong."""

    def covered(points, by, k=3):
        points, by = points.flatten(1).double(), by.flatten(1).double()
        far = inside(torch.cdist(points, by), radius(torch.cdist(by, by), k))
        return far.double().mean()

    return covered


def _others(distance):
    return distance.clone().fill_diagonal_(math.inf)


def _right(distance, k):
    return _others(distance).topk(k, largest=False).values[:, -1]


exercise(
    samples.covered,
    cases=_clouds,
    mistakes={
        "look at the neighbours: a row is its own nearest at distance 0; take k others.": (
            _covering(lambda distance, k: distance.topk(k, largest=False).values[:, -1])
        ),
        "look at topk: its default is the largest; the nearest need largest=False.": (
            _covering(lambda distance, k: distance.topk(k).values[:, -1])
        ),
        "look at the radius: the k-th nearest is the last of the k, not the first.": (
            _covering(lambda distance, k: _others(distance).amin(1))
        ),
        "look at the radius: each row has its own, not one mean for all.": (
            _covering(lambda distance, k: _right(distance, k).mean())
        ),
        "look at any: one ball is enough, all balls at once are not wanted.": (
            _covering(_right, lambda distance, radius: (distance <= radius).all(1))
        ),
        "look at the axis: a share of the points (N,), so any runs over the rows of by.": (
            _covering(_right, lambda distance, radius: (distance <= radius).any(0))
        ),
        "look at the mean: a share of the points, not of all pairs.": (
            _covering(_right, lambda distance, radius: distance <= radius)
        ),
        "look at the sides: the balls are around the rows of by, the points are counted.": (
            lambda points, by, k=3: samples.covered(by, points, k)
        ),
        "look at <=: these are the points outside of all balls.": (
            lambda points, by, k=3: 1 - samples.covered(points, by, k)
        ),
    },
    hints=(
        "First the radii: torch.cdist(by, by) is (M, M); its diagonal is 0, and topk with "
        "largest=False gives the smallest of a row.",
        "With itself in, the k-th nearest other row is number k + 1: topk(k + 1, largest=False).",
        "Images need .flatten(1) first. torch.cdist(points, by) is (N, M); compare it with the "
        "radii (M,) of the columns.",
        "Try:  return (torch.cdist(points, by) <= ...).any(1).double().mean()",
    ),
)
