"""Exercises of notebook 00."""

import torch

from aecourse import losses
from aecourse.exercises import exercise


def two_batches():
    generator = torch.Generator().manual_seed(0)
    shapes = [(20, 1, 3, 4), (7, 1, 5, 5)]
    return [tuple(torch.rand(2, *shape, generator=generator)) for shape in shapes]


def _three_batches():
    """The third is a single image, of black and white, and its x_hat leaves [0, 1]."""
    x, x_hat = torch.rand(2, 1, 1, 4, 6, generator=torch.Generator().manual_seed(1))
    return [*two_batches(), ((x > 0.5).float(), 3 * x_hat - 1)]


exercise(
    losses.squared_error,
    trained=True,
    cases=_three_batches,
    mistakes={
        "look at the mean: the pixels are summed, only the images are averaged.": (
            lambda x, x_hat: (x - x_hat).square().mean()
        ),
        "look at the sum: it grows with the number of images; divide by it.": (
            lambda x, x_hat: (x - x_hat).square().sum()
        ),
        "look at the sum: one number for the batch is wanted, not one for each image.": (
            lambda x, x_hat: (x - x_hat).square().flatten(1).sum(1)
        ),
        "look at the square: this sums absolute differences.": (
            lambda x, x_hat: (x - x_hat).abs().sum() / len(x)
        ),
        "look at the root: this is the distance, the loss is its square.": (
            lambda x, x_hat: (x - x_hat).flatten(1).norm(dim=1).mean()
        ),
    },
    hints=(
        "Three steps: the difference of each pixel, its square, and the sum of all squares.",
        "len(x) is the number of images; dividing the sum by it averages over the images only.",
        "Try:  return (x - x_hat).square().sum() / ...",
    ),
)
