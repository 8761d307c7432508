"""The asserts "right plane, wrong axes" of the notebooks: they fail on the principal components in
another order and with other signs, and pass on rotations of them."""

import ast

import pytest
import torch
from test_notebooks import statements

from aecourse.neurons import matched


def bounds(name):
    """The number in each `assert matched(w, axes).min() < number` of a notebook."""
    found = []
    for node in ast.walk(ast.Module([line for cell in statements(name) for line in cell], [])):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
            left = ast.unparse(node.test.left)
            if left.startswith("matched(") and left.endswith(".min()"):
                assert isinstance(node.test.ops[0], ast.Lt)
                found.append(ast.literal_eval(node.test.comparators[0]))
    return found


def axes():
    torch.manual_seed(0)
    return torch.linalg.qr(torch.randn(30, 5).double())[0].T  # (5, 30)


@pytest.mark.parametrize(
    "name, least", [("03_neurons_learn_pca.ipynb", 1), ("04_linear_autoencoders.ipynb", 3)]
)
def test_wrong_axes_are_told_from_axes_in_another_order_and_from_rotations(name, least):
    assert len(bounds(name)) >= least
    other = axes()[[3, 0, 4, 1, 2]] * torch.tensor([1.0, -1, -1, 1, -1])[:, None]
    turned = [torch.linalg.qr(torch.randn(5, 5).double())[0] @ axes() for _ in range(500)]
    values = torch.stack([matched(w, axes()).min() for w in turned])
    for bound in bounds(name):
        assert not matched(other, axes()).min() < bound
        assert (values < bound).double().mean() > 0.95
