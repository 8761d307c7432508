"""Exercises of notebook 07: the memoriser, sparse codes, noise, and the contractive penalty."""

import math

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


def _activities():
    generator = torch.Generator().manual_seed(0)
    shapes = [(30, 5, 0.05), (8, 3, 0.2), (50, 2, 0.5)]
    cases = [(torch.rand(n, d, generator=generator).square(), rho) for n, d, rho in shapes]
    rare = (0.02 * torch.rand(20, 4, generator=generator), 0.05)
    return dict(zip((1, 2, 3, "rates near 0.01"), [*cases, rare], strict=True))


def _kl(z, rho, on=1, off=1):
    """The two terms of the KL divergence of each unit, each with its factor."""
    rate = z.mean(0)
    return on * rho * (rho / rate).log() + off * (1 - rho) * ((1 - rho) / (1 - rate)).log()


exercise(
    losses.activity_kl,
    trained=True,
    cases=_activities,
    mistakes={
        "look at the order: rho comes first; this is KL(rate || rho).": (
            lambda z, rho: sum(
                losses.activity_kl(z.new_tensor([[rho]]), r.item()) for r in z.mean(0)
            )
        ),
        "look at the mean: it is taken over the batch before the logarithm, not after.": (
            lambda z, rho: _kl(z.reshape(1, -1), rho).sum() / len(z)
        ),
        "look at the sum: one number is wanted, summed over all units.": _kl,
        "look at the sum: the units are summed, not averaged.": lambda z, rho: _kl(z, rho).mean(),
        "look at the second term: the time that a unit is off counts as well.": (
            lambda z, rho: _kl(z, rho, off=0).sum()
        ),
        "look at the sign: a KL divergence is never negative.": (
            lambda z, rho: -losses.activity_kl(z, rho)
        ),
        "look at the logarithm: log2 counts bits; nats want the natural one.": (
            lambda z, rho: losses.activity_kl(z, rho) / math.log(2)
        ),
        "look at the axis: the mean is over the batch, axis 0; this is the mean of each image.": (
            lambda z, rho: _kl(z.T, rho).sum()
        ),
    },
    hints=(
        "First the rate of each unit: z.mean(0), of shape (d,).",
        "Two terms a unit, one for on, rho * log(rho / rate), and one for off, with 1 - rho.",
        "Try:  return (rho * (rho / rate).log() + ...).sum()",
    ),
)


def _noise():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for shape, p in [((20, 1, 3, 4), 0.5), ((7, 1, 5, 5), 0.2), ((4, 6), 0.9)]:
        x, u = (torch.rand(shape, generator=generator) for _ in range(2))
        cases.append((x, p, u))
    edges = torch.tensor([[0.0, 0.25, 0.3], [1.0, 0.75, 0.7]])  # not below, not above
    return [*cases, (0.5 + edges / 10, 0.5, edges), (0.5 + edges / 10, 0.0, edges)]


exercise(
    losses.salt_and_pepper,
    cases=_noise,
    mistakes={
        "look at the part: p is for both together, each of the two gets p / 2.": (
            lambda x, p, u: losses.salt_and_pepper(x, min(2 * p, 1), u)
        ),
        "look at the white ones: where u > 1 - p / 2 a pixel becomes 1.": (
            lambda x, p, u: x.masked_fill(u < p / 2, 0.0)
        ),
        "look at the black ones: where u < p / 2 a pixel becomes 0.": (
            lambda x, p, u: x.masked_fill(u > 1 - p / 2, 1.0)
        ),
        "look at 0 and 1: small u gives black, large u gives white; yours are swapped.": (
            lambda x, p, u: losses.salt_and_pepper(x, p, 1 - u)
        ),
        "look at what stays: the pixels in the middle of u keep their value, the others change.": (
            lambda x, p, u: torch.where((u < p / 2) | (u > 1 - p / 2), x, (u > 0.5).float())
        ),
        "look at all pixels with u < p: this is masking noise, which only blackens.": (
            lambda x, p, u: x.masked_fill(u < p, 0.0)
        ),
        "look at the white ones: the pixel becomes 1, nothing is added to it.": (
            lambda x, p, u: x.masked_fill(u < p / 2, 0.0) + (u > 1 - p / 2).float()
        ),
    },
    hints=(
        "Two masks of the shape of x: u < p / 2, and u > 1 - p / 2.",
        "x.masked_fill(mask, value) is a copy of x with value where mask is True.",
        "Try:  return x.masked_fill(u < p / 2, 0.0).masked_fill(..., ...)",
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
