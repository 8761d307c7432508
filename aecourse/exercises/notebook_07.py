"""Exercises of notebook 07: the memoriser, and the contractive penalty."""

import torch

from aecourse import losses, models
from aecourse.exercises import exercise


def _points():
    """Points at rising, uneven places; one of the cases has just two points."""
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n, size in [(6, 3), (2, 4), (9, 1)]:
        t = torch.rand(n, generator=generator).add(0.2).cumsum(0).double()
        cases.append((t, torch.randn(n, size, generator=generator).double()))
    return cases


def _bent(bend):
    """Output weights from the slopes (n - 1, D) by a rule that may be wrong."""
    return lambda t, y: bend(y.diff(dim=0) / t.diff()[:, None])


exercise(
    models.through_points,
    cases=_points,
    mistakes={
        "look at the slopes: all ReLUs to the left are still on, a new one adds the change only.": (
            _bent(lambda slopes: slopes)
        ),
        "look at the length: each slope is divided by the distance of its two points in t.": (
            lambda t, y: models.through_points(torch.arange(len(t)).double(), y)
        ),
        "look at the sign: a new ReLU adds the slope after its point minus the slope before.": (
            _bent(lambda slopes: torch.cat([slopes[:1], -slopes.diff(dim=0)]))
        ),
        "look at the sums: the slopes are sums of the weights, so the weights are differences.": (
            _bent(lambda slopes: slopes.cumsum(0))
        ),
        "look at the first ReLU: before it the slope is 0, so it adds the whole first slope.": (
            _bent(lambda slopes: slopes.diff(dim=0))
        ),
        "look at the steps: these are the differences of y; divide them by those of t.": (
            lambda t, y: y.diff(dim=0)
        ),
    },
    hints=(
        "Between two points the network is straight. Its n - 1 slopes are y.diff(dim=0) over dt.",
        "t.diff() is (n - 1,); [:, None] makes it a column that divides every pixel's difference.",
        "A ReLU stays on, so that each further one adds only the change of the slope, "
        "slopes.diff(dim=0); the first one adds the whole first slope.",
        "Try:  return torch.cat([slopes[:1], ...])",
    ),
)


def _layers():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n, d, size in [(9, 4, 6), (5, 3, 3)]:
        weight, x = (
            torch.randn(d, size, generator=generator),
            torch.rand(n, size, generator=generator),
        )
        cases.append(((x @ weight.T).sigmoid(), weight))
    return cases


def _contraction(slope, rows=lambda weight: weight.square().sum(1)):
    """The mean of slope(z) times the squared length of each unit's weights, each may be wrong."""
    return lambda z, weight: (slope(z) @ rows(weight)).mean()


exercise(
    losses.contractive,
    trained=True,
    cases=_layers,
    mistakes={
        "look at the slope: the Jacobian has z (1 - z), the penalty its square.": (
            _contraction(lambda z: z * (1 - z))
        ),
        "look at the slope: without z (1 - z) this is weight decay, the same for every image.": (
            _contraction(torch.ones_like)
        ),
        "look at the slope: 1 - z ** 2 belongs to tanh, a sigmoid has z (1 - z).": (
            _contraction(lambda z: (1 - z.square()).square())
        ),
        "look at the weights: they count squared.": (
            _contraction(lambda z: (z * (1 - z)).square(), lambda weight: weight.abs().sum(1))
        ),
        "look at the mean: the penalty is averaged over the batch; you sum.": (
            lambda z, weight: len(z) * losses.contractive(z, weight)
        ),
        "look at the mean: it comes last, after the square of each image's slopes.": (
            lambda z, weight: losses.contractive(z.mean(0, keepdim=True), weight)
        ),
        "look at the root: this is the norm, the penalty is its square.": (
            lambda z, weight: ((z * (1 - z)).square() @ weight.square().sum(1)).sqrt().mean()
        ),
        "look at the axis: row j of the weights belongs to unit j; sum over its D inputs.": (
            lambda z, weight: ((z * (1 - z)).square().sum(1) * weight.square().sum()).mean()
        ),
    },
    hints=(
        "A sigmoid has the slope z * (1 - z); entry (j, i) of the Jacobian is that times w_ji.",
        "The sum over i is a factor that depends on the unit only: weight.square().sum(1), (d,).",
        "The squared slopes (N, d) times these factors (d,), summed over the units, are one "
        "number an image, (N,).",
        "Try:  return ((z * (1 - z)).square() @ ...).mean()",
    ),
)
