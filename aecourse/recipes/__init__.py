"""Full-scale results: how each model is built, trained and measured. `reproduce` runs a recipe.

The test images choose nothing: what is chosen is chosen by training images that are kept aside, or
was fixed before the run.
"""

from typing import NamedTuple

from aecourse import data, losses
from aecourse.training import evaluate

SHAPE = (1, 28, 28)


class Recipe(NamedTuple):
    """How a result comes about."""

    build: object  # () -> model, with its first weights
    train: object  # (model, checkpoint) -> {name: number, list or dict}; checkpoint(word) is a path
    # for `fit`, so that the training can be interrupted
    measure: object  # model -> {name: number or dict}, on the test set


def squared(model, x):
    return {"squared error": losses.squared_error(x, model(x))}


def error(model, x):
    """Mean squared error, summed over the pixels of an image."""
    return evaluate(model, x, squared)["squared error"]


def test_error(model):
    return {"test squared error": error(model, data.load("mnist", "test").x)}


def device(model):
    return next(model.parameters()).device
