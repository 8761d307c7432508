"""Full-scale results: how each model is built, trained and measured. `reproduce` runs a recipe.

The test images choose nothing: what is chosen is chosen by training images that are kept aside, or
was fixed before the run.
"""

from typing import NamedTuple

import torch

from aecourse import data, losses
from aecourse.training import evaluate

SHAPE = (1, 28, 28)


def _bf16_pays():
    """Does this GPU or processor compute in bfloat16 in hardware?"""
    if torch.cuda.is_available():
        return torch.cuda.get_device_capability() >= (8, 0)
    able = getattr(torch.cpu, "get_capabilities", dict)()  # not in old versions of torch
    return able.get("avx512_bf16", False) or able.get("amx_bf16", False)


BF16 = _bf16_pays()  # results are stored with it; on this course's networks, a third less time


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
