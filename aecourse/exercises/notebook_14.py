"""Exercises of notebook 14: new codes from few, and whether a difference is more than luck."""

import torch

from aecourse import few_labels
from aecourse.exercises import exercise


def _codes():
    """Codes and labels, sorted by class and not, and a number of neighbours."""
    generator = torch.Generator().manual_seed(0)
    few = torch.randn(12, 3, generator=generator)
    more = torch.randn(20, 2, generator=generator)
    mixed = torch.tensor([0, 1, 2, 1, 0, 0, 2, 1, 2, 0, 1, 2, 2, 0, 1, 0, 1, 2, 0, 1])
    twins = 30 * torch.randn(3, 4, generator=generator).repeat(2, 1)
    twins[2] += 100  # the two of the third class are farther apart than the classes are
    many = torch.randn(48, 2, generator=generator), torch.arange(48) % 16
    return {
        1: (few, torch.arange(3).repeat_interleave(4), 2),
        2: (more, mixed, 3),
        "codes far apart, of which some are equal": (twins, torch.arange(3).repeat(2), 1),
        "16 classes": (*many, 2),
    }


def _distances(z, labels):
    """Distances (N, N), infinite between classes."""
    return torch.cdist(z, z) + torch.where(labels[:, None] == labels, 0, torch.inf)


def _of_the_class(z, labels, k):
    """Rows of neighbours counted within the class, not within all."""
    nearest = few_labels.nearest_in_class(z, labels, k)
    places = torch.stack([(labels[: i + 1] == labels[i]).sum() - 1 for i in range(len(z))])
    return places[nearest]


exercise(
    few_labels.nearest_in_class,
    cases=_codes,
    mistakes={
        "look at the row itself: its distance is 0, so it comes first; set it to infinity.": (
            lambda z, labels, k: _distances(z, labels).argsort(dim=1)[:, :k]
        ),
        "look at the labels: these are the nearest of all classes.": (
            lambda z, labels, k: torch.cdist(z, z).fill_diagonal_(torch.inf).argsort(1)[:, :k]
        ),
        "look at the order: these are the farthest of the class, not the nearest.": (
            lambda z, labels, k: (
                torch.cdist(z, z)
                .where(labels[:, None] == labels, -1)
                .argsort(dim=1, descending=True)[:, :k]
            )
        ),
        "look at what is asked for: rows, numbers (N, k), not the codes in these rows.": (
            lambda z, labels, k: z[few_labels.nearest_in_class(z, labels, k)]
        ),
        "look at the rows: they count from the first of all codes, not from the first of the class."
        "": _of_the_class,
    },
    hints=(
        "torch.cdist(z, z) is (N, N): the distance of each code to each.",
        "labels[:, None] != labels is (N, N), true where two codes are of different classes. Set "
        "these distances, and the diagonal, to torch.inf.",
        "Then distance.argsort(dim=1) has the rows in order, nearest first; keep k columns.",
        "Try:  return distance.argsort(dim=1)[:, :...]",
    ),
)

exercise(
    few_labels.extrapolate,
    cases=lambda: [
        (*case, strength) for case in [*_codes().values()][:2] for strength in (0.3, 1.5, -0.5, 0.0)
    ],
    mistakes={
        "look at the sign: away from the neighbour is the direction z - neighbour.": (
            lambda z, labels, k, strength: few_labels.extrapolate(z, labels, k, -strength)
        ),
        "look at the start: the new code lies beyond z, so the sum begins with z.": (
            lambda z, labels, k, strength: (
                few_labels.extrapolate(z, labels, k, strength)
                - z[:, None]
                + z[few_labels.nearest_in_class(z, labels, k)]
            )
        ),
        "look at the result: this is the step only; add it to z.": (
            lambda z, labels, k, strength: (
                few_labels.extrapolate(z, labels, k, strength) - z[:, None]
            )
        ),
        "look at the shape: keep the k new codes of each row together, (N, k, d).": (
            lambda z, labels, k, strength: few_labels.extrapolate(z, labels, k, strength).flatten(
                0, 1
            )
        ),
        "look at k: each of the k neighbours gives a code; don't average them.": (
            lambda z, labels, k, strength: few_labels.extrapolate(z, labels, k, strength).mean(
                1, keepdim=True
            )
        ),
    },
    hints=(
        "z[nearest_in_class(z, labels, k)] is (N, k, d): k neighbours of each code.",
        "z[:, None] is (N, 1, d), and so can be subtracted from (N, k, d).",
        "Try:  return z[:, None] + strength * (...)",
    ),
)


def _errors():
    """Errors of two ways by draw, which share its luck; one way better, then equally good."""
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n in (5, 12, 2):
        luck, ways = (torch.randn(*size, generator=generator) for size in [(n,), (2, n)])
        cases.append((9 + 2 * luck + 0.3 * ways[0], 10 + 2 * luck + 0.3 * ways[1]))
        cases.append((cases[-1][0], cases[-1][1] - 0.8))  # differences of either sign
    return cases


exercise(
    few_labels.paired_difference,
    cases=_errors,
    mistakes={
        "look at the sign: it is a - b.": lambda a, b: few_labels.paired_difference(b, a),
        "look at the standard error: that of a mean of n is the standard deviation over sqrt(n).": (
            lambda a, b: ((a - b).mean(), (a - b).std())
        ),
        "look at the denominator of s: n - 1, as torch's std has it, not n.": (
            lambda a, b: ((a - b).mean(), (a - b).std(correction=0) / len(a) ** 0.5)
        ),
        "look at the order: subtract first, then take the standard deviation of the differences.": (
            lambda a, b: ((a - b).mean(), ((a.var() + b.var()) / len(a)).sqrt())
        ),
        "look at the root: divide by sqrt(n), not by n.": (
            lambda a, b: ((a - b).mean(), (a - b).std() / len(a))
        ),
    },
    hints=(
        "All you need is difference = a - b, (n,).",
        "difference.std() has n - 1 in its denominator; divide it by len(difference) ** 0.5.",
        "Try:  return difference.mean(), difference.std() / ...",
    ),
)
