"""Exercises of notebook 08: the sheet of codes of equal probability."""

import torch
from torch.distributions import Normal

from aecourse import variational
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
