"""Exercises of notebook 15: windows, and scores of anomalies."""

import torch

from aecourse import scores, sequences
from aecourse.exercises import exercise


def _scored():
    """Scores with ties and without, and which of them are odd."""
    odd = torch.tensor([0, 0, 1, 0, 1, 0, 0, 1]).bool()
    score = torch.tensor([1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 5.0, 8.0])
    generator = torch.Generator().manual_seed(0)
    free = torch.randn(40, generator=generator)
    free_odd = torch.rand(40, generator=generator) < 0.3
    upside_down = torch.where(free_odd, free - 1, free)  # below one half
    return {
        "with ties": (score, odd),
        "1": (free, free_odd),
        "the wrong way round": (upside_down, free_odd),
        "the highest two equal": (score.clamp(max=5), odd),
        "close together": (0.9 + free / 10_000, free_odd),
    }


def _pairs(score, odd):
    """Each odd score less each normal one."""
    return score[odd][:, None] - score[~odd]


def _ranks(score):
    """The rank of each score from 1; ties in the order in which they stand."""
    return score.argsort(stable=True).argsort() + 1.0


exercise(
    scores.auroc,
    cases=_scored,
    mistakes={
        "look at the order: count the pairs in which the odd one scores higher, not lower.": (
            lambda score, odd: 1 - scores.auroc(score, odd)
        ),
        "look at the ties: a pair with equal scores counts one half.": (
            lambda score, odd: (_pairs(score, odd) > 0).float().mean()
        ),
        "look at the ties: a pair with equal scores counts one half, not one.": (
            lambda score, odd: (_pairs(score, odd) >= 0).float().mean()
        ),
        "look at the ties: equal scores share the mean of their ranks; argsort numbers them.": (
            lambda score, odd: (
                (_ranks(score)[odd].sum() - odd.sum() * (odd.sum() + 1) / 2)
                / (odd.sum() * (~odd).sum())
            )
        ),
        "look at the smallest sum: with all odd ones lowest it is n (n + 1) / 2; subtract that.": (
            lambda score, odd: scores.auroc(score, odd) + (odd.sum() + 1) / 2 / (~odd).sum()
        ),
        "look at the denominator: it is a share of all pairs, odd times normal ones.": (
            lambda score, odd: scores.auroc(score, odd) * odd.sum() * (~odd).sum()
        ),
        "look at the definition: you compare the mean scores, not the scores of each pair.": (
            lambda score, odd: (score[odd].mean() > score[~odd].mean()).float()
        ),
    },
    hints=(
        "By pairs it is short: score[odd][:, None] - score[~odd] has a row for each odd example.",
        "The mean over all pairs of (difference > 0) + (difference == 0) / 2 is the answer.",
        "By ranks it is fast: (sum of the ranks of the n odd ones - n (n + 1) / 2) / (n * m).",
        "Try:  return ((difference > 0).float() + ...).mean()",
    ),
)


def _series():
    generator = torch.Generator().manual_seed(0)
    sizes = [(20, 2, 5, 3), (12, 1, 4, 1), (9, 3, 9, 2), (23, 2, 6, 5)]
    return [(torch.randn(t, c, generator=generator), size, step) for t, c, size, step in sizes]


exercise(
    sequences.windows,
    cases=_series,
    mistakes={
        "look at the axes: unfold gives (N, C, size); points come before channels.": (
            lambda x, size, step=1: x.unfold(0, size, step)
        ),
        "look at the last window: it may end with the last point of the series.": (
            lambda x, size, step=1: torch.stack(
                [x[k : k + size] for k in range(0, len(x) - size, step)] or [x[:0]]
            )
        ),
        "look at step: the windows should start `step` points apart, yours start at each point.": (
            lambda x, size, step=1: sequences.windows(x, size, 1)
        ),
        "look at the overlap: the windows start `step` points apart, yours follow end to end.": (
            lambda x, size, step=1: sequences.windows(x, size, size)
        ),
        "look at the shape: `reshape` mixes the axes; swap the last two, as .mT does.": (
            lambda x, size, step=1: x.unfold(0, size, step).reshape(-1, size, x.shape[1])
        ),
    },
    hints=(
        "Window n is x[n * step : n * step + size]; torch.stack puts a list of them together.",
        "The starts are range(0, len(x) - size + 1, step).",
        "Try:  return torch.stack([x[k : k + size] for k in range(0, ..., step)])",
    ),
)


def _errors():
    """Error vectors far from centred and correlated; with a ridge that counts, and with little."""
    generator = torch.Generator().manual_seed(0)
    cases = []
    for d, ridge in [(3, 0.2), (5, 1e-3)]:
        mix = torch.randn(d, d, generator=generator)
        normal = torch.randn(30, d, generator=generator) @ mix + 2
        cases.append((torch.randn(6, d, generator=generator), normal, ridge))
    return cases


def _scaled(e, normal, ridge, power=1.0, mean=None, unbiased=0, plain=False):
    """The distance with one of its parts taken in another way."""
    c = torch.cov(normal.double().T, correction=unbiased)
    c = c + ridge * (1 if plain else c.diagonal().mean()) * torch.eye(len(c))
    gap = e.double() - (normal.double().mean(0) if mean is None else mean)
    return (gap @ torch.linalg.inv(c) * gap).sum(1) ** power


exercise(
    scores.mahalanobis,
    cases=_errors,
    mistakes={
        "look at the inverse: you multiply by C, but a direction of large variance counts less.": (
            lambda e, normal, ridge=1e-3: (
                (e - normal.mean(0)) @ torch.cov(normal.T, correction=0) * (e - normal.mean(0))
            ).sum(1)
        ),
        "look at the mean: subtract the mean of `normal`, not that of e.": (
            lambda e, normal, ridge=1e-3: _scaled(e, normal, ridge, mean=e.double().mean(0))
        ),
        "look at the mean: subtract that of `normal`; an error vector has one of its own.": (
            lambda e, normal, ridge=1e-3: _scaled(e, normal, ridge, mean=0)
        ),
        "look at the square: here the distance is left squared, so there is no root.": (
            lambda e, normal, ridge=1e-3: _scaled(e, normal, ridge, power=0.5)
        ),
        "look at the ridge: without it the case of few examples has no answer.": (
            lambda e, normal, ridge=1e-3: _scaled(e, normal, 0)
        ),
        "look at the ridge: it is a part of the mean variance, c.diagonal().mean().": (
            lambda e, normal, ridge=1e-3: _scaled(e, normal, ridge, plain=True)
        ),
        "look at the covariance: divide by M, not by M - 1, with correction=0.": (
            lambda e, normal, ridge=1e-3: _scaled(e, normal, ridge, unbiased=1)
        ),
        "look at the sum: one number for each row of e, not for each pair of rows.": (
            lambda e, normal, ridge=1e-3: (
                (e - normal.mean(0)).double()
                @ torch.linalg.inv(
                    torch.cov(normal.double().T, correction=0)
                    + ridge
                    * torch.cov(normal.double().T, correction=0).diagonal().mean()
                    * torch.eye(e.shape[1])
                )
                @ (e - normal.mean(0)).double().T
            )
        ),
    },
    hints=(
        "torch.cov wants one variable a row: torch.cov(normal.T, correction=0) is (D, D).",
        "Add ridge * c.diagonal().mean() * torch.eye(len(c)).",
        "Try:  gap = e - normal.mean(0)  and  return (gap @ ... * gap).sum(1)",
    ),
)


def _alarms():
    odd = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0, 0, 0]).bool()
    some = torch.tensor([1, 1, 1, 0, 1, 1, 0, 0, 0, 0]).bool()
    few = torch.tensor([0, 1, 0, 0, 0, 0, 0, 0, 0, 0]).bool()
    return {
        1: (odd, some, 0.5),
        2: (odd, few, 2.0),
        "no alarm": (odd, odd & False, 0.5),
        "no alarm is right": (odd, ~odd, 0.5),
        3: (odd, some, 1.0),
    }


def _precision_recall(odd, alarm):
    right = (odd & alarm).sum()
    return right / alarm.sum().clamp(min=1), right / odd.sum()


def _f(p, r, beta):
    return (1 + beta**2) * p * r / (beta**2 * p + r).clamp(min=1e-12)


exercise(
    scores.f_beta,
    cases=_alarms,
    mistakes={
        "look at the denominator: beta^2 stands at the precision; so it makes recall count more.": (
            lambda odd, alarm, beta: _f(*_precision_recall(odd, alarm)[::-1], beta)
        ),
        "look at beta: it is squared.": (
            lambda odd, alarm, beta: _f(*_precision_recall(odd, alarm), beta**0.5)
        ),
        "look at beta: yours is F_1, in which precision and recall count alike.": (
            lambda odd, alarm, beta: _f(*_precision_recall(odd, alarm), 1.0)
        ),
        "look at the case without alarms: precision is 0 / 0 there; the answer should be 0.": (
            lambda odd, alarm, beta: _f(*_precision_recall(odd, alarm), beta) / alarm.any().float()
        ),
        "look at the mean: F is the harmonic mean of precision and recall, not the usual one.": (
            lambda odd, alarm, beta: sum(_precision_recall(odd, alarm)) / 2
        ),
        "look at precision: it is the share of the alarms that are right, not of all examples.": (
            lambda odd, alarm, beta: _f(
                (odd == alarm).float().mean(), _precision_recall(odd, alarm)[1], beta
            )
        ),
    },
    hints=(
        "right = (odd & alarm).sum(); precision is right / alarm.sum(), recall right / odd.sum().",
        "Where no alarm is right it is 0: return 0 there, or keep the numbers below the line from "
        "0 with .clamp(min=...).",
        "Try:  return (1 + beta**2) * precision * recall / (...).clamp(min=1e-12)",
    ),
)
