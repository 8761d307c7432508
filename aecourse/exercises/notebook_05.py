"""Exercises of notebook 05: deep autoencoders."""

import torch

from aecourse import models, pretraining, scores
from aecourse.exercises import exercise


def _codes_and_images():
    """Codes far from 0, and images that depend on them and on other things."""
    generator = torch.Generator().manual_seed(0)
    cases = []
    for d, n, shape in [(2, 30, (1, 3, 4)), (1, 12, (1, 2, 2)), (5, 40, (7,))]:
        z = torch.randn(n, d, generator=generator) + 1
        w = torch.randn(d, *shape, generator=generator)
        noise = torch.randn(n, *shape, generator=generator)
        cases.append((z, torch.tensordot(z, w, dims=1) + noise + 2))
    return cases


def _least_squares(z, x):
    return (z @ torch.linalg.lstsq(z, x.flatten(1)).solution).view_as(x)


exercise(
    models.linear_decoding,
    cases=_codes_and_images,
    mistakes={
        "look at the bias: the decoder needs one; give z a column of ones.": _least_squares,
        "look at the mean: you took it away from x, and it must come back at the end.": (
            lambda z, x: models.linear_decoding(z, x) - x.mean(0)
        ),
        "look at the mean of z: with x centred, centre z as well.": (
            lambda z, x: _least_squares(z, x - x.mean(0)) + x.mean(0)
        ),
        "look at the result: it is the reconstructions, of the shape of x, not what is left.": (
            lambda z, x: x - models.linear_decoding(z, x)
        ),
        "look at z: codes are neither of length 1 nor orthogonal, so z.T @ x is not enough.": (
            lambda z, x: (z @ (z.T @ x.flatten(1)) / len(z)).view_as(x)
        ),
    },
    hints=(
        "Give the codes a column of ones, torch.cat([z, torch.ones(len(z), 1)], 1): its weight is "
        "the bias.",
        "torch.linalg.lstsq(a, b).solution is the w for which a @ w is nearest to b; b is "
        "x.flatten(1).",
        "Try:  w = torch.linalg.lstsq(z, ...).solution  and  return (z @ w).view_as(x), with the "
        "z that has the column of ones.",
    ),
)


def _clouds():
    """Overlapping clouds, two called 2 and 7, and odd k; then four. No vote is a tie."""
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n, d, k in [(40, 2, 5), (30, 3, 1), (60, 1, 7)]:
        labels = torch.where(torch.rand(n, generator=generator) < 0.4, 7, 2)
        z = torch.randn(n, d, generator=generator) * torch.arange(1.0, d + 1)
        cases.append((z + 0.2 * labels[:, None], labels, k))
    generator = torch.Generator().manual_seed(50)  # few votes have a majority, none is a tie
    labels = torch.randint(4, (30,), generator=generator)
    z = torch.randn(30, 2, generator=generator) + 2.2 * torch.stack([labels % 2, labels // 2], 1)
    cases = dict(zip((1, 2, 3, "four classes"), [*cases, (z, labels, 7)], strict=True))
    many = torch.arange(48) % 12
    z = torch.randn(48, 3, generator=generator) + many[:, None] * torch.tensor([0, 0, 2.0])
    z[12:17], z[18:22] = z[:5], z[7:11]  # twins of the same class, and of another
    return cases | {"twelve classes, and codes that are equal": (z, many, 1)}


def _voted(z, labels, rows):
    """Accuracy of the vote of the given rows (N, k)."""
    votes = torch.nn.functional.one_hot(labels[rows]).sum(1)
    return (votes.argmax(1) == labels).double().mean()


def _apart(z):
    return torch.cdist(z, z).fill_diagonal_(torch.inf)


exercise(
    scores.knn,
    cases=_clouds,
    mistakes={
        "look at the nearest one: it is the row itself, at distance 0; leave it out.": (
            lambda z, labels, k=5: _voted(
                z, labels, torch.cdist(z, z).topk(k, largest=False).indices
            )
        ),
        "look at the number of neighbours: without the row itself there are k - 1; take k.": (
            lambda z, labels, k=5: _voted(
                z, labels, _apart(z).topk(max(k - 1, 1), largest=False).indices
            )
        ),
        "look at topk: the nearest are the smallest distances, largest=False.": (
            lambda z, labels, k=5: _voted(z, labels, (-_apart(z)).topk(k, largest=False).indices)
        ),
        "look at the vote: labels are names; take the most frequent one, not a mean.": (
            lambda z, labels, k=5: (
                (
                    labels[_apart(z).topk(k, largest=False).indices].double().mean(1).round()
                    == labels
                )
                .double()
                .mean()
            )
        ),
        "look at the result: a part between 0 and 1, not a number of rows.": (
            lambda z, labels, k=5: scores.knn(z, labels, k) * len(z)
        ),
        "look at the comparison: count the rows whose vote is right, not those that err.": (
            lambda z, labels, k=5: 1 - scores.knn(z, labels, k)
        ),
        "look at the vote: each row has one; you count all neighbours that agree.": (
            lambda z, labels, k=5: (
                (labels[_apart(z).topk(k, largest=False).indices] == labels[:, None])
                .double()
                .mean()
            )
        ),
    },
    hints=(
        "torch.cdist(z, z) is (N, N), the distance of each row to each; fill_diagonal_(torch.inf) "
        "puts the row itself last.",
        "distances.topk(k, largest=False).indices is (N, k), and labels[...] of it their labels.",
        "labels[...].mode(1).values is the most frequent label of each row.",
        "Try:  return (labels[...].mode(1).values == labels).float().mean()",
    ),
)


def _machines():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for size, d, n in [(6, 4, 20), (3, 5, 8), (4, 1, 11)]:
        w, b, c = (torch.randn(*s, generator=generator) for s in [(d, size), (d,), (size,)])
        v, u = torch.rand(n, size, generator=generator), torch.rand(n, d, generator=generator)
        cases.append((w, b, c, v, u))
    return cases


def _cd1(w, b, c, v, u, fire=lambda h, u: (u < h).to(h), first=lambda h, u: h):
    """The update, with another way to draw h, or other statistics of the data."""
    h = (v @ w.T + b).sigmoid()
    v_hat = (fire(h, u) @ w + c).sigmoid()
    h_hat = (v_hat @ w.T + b).sigmoid()
    h = first(h, u)
    dw = (h.T @ v - h_hat.T @ v_hat) / len(v)
    return dw, (h - h_hat).mean(0), (v - v_hat).mean(0)


exercise(
    pretraining.cd1,
    cases=_machines,
    mistakes={
        "look at the sample: h must be 0 or 1 on the way back; you pass its probability on.": (
            lambda w, b, c, v, u: _cd1(w, b, c, v, u, fire=lambda h, u: h)
        ),
        "look at the comparison: h is 1 where u is below its probability.": (
            lambda w, b, c, v, u: _cd1(w, b, c, v, u, fire=lambda h, u: (u > h).to(h))
        ),
        "look at the statistics: sample only for the way back; count with the probabilities.": (
            lambda w, b, c, v, u: _cd1(w, b, c, v, u, first=lambda h, u: (u < h).to(h))
        ),
        "look at the sign: data minus reconstruction, since the changes are added.": (
            lambda w, b, c, v, u: tuple(-p for p in pretraining.cd1(w, b, c, v, u))
        ),
        "look at the mean: you sum over the batch; divide by len(v).": (
            lambda w, b, c, v, u: tuple(len(v) * p for p in pretraining.cd1(w, b, c, v, u))
        ),
        "look at the second half: without what the machine itself likes this is Hebb's rule.": (
            lambda w, b, c, v, u: (
                (v @ w.T + b).sigmoid().T @ v / len(v),
                (v @ w.T + b).sigmoid().mean(0),
                v.mean(0),
            )
        ),
        "look at dw: it has the shape of w, (d, D); yours is transposed.": (
            lambda w, b, c, v, u: (
                pretraining.cd1(w, b, c, v, u)[0].T,
                *pretraining.cd1(w, b, c, v, u)[1:],
            )
        ),
        "look at the order: the change of w, then of b (hidden), then of c (visible).": (
            lambda w, b, c, v, u: [pretraining.cd1(w, b, c, v, u)[k] for k in (0, 2, 1)]
        ),
    },
    hints=(
        "h = (v @ w.T + b).sigmoid() is (N, d); the sample is (u < h).float().",
        "v_hat = (sample @ w + c).sigmoid(), and h_hat comes from v_hat as h from v.",
        "The mean of h v over the batch is h.T @ v / len(v), of shape (d, D).",
        "Try:  dw = (h.T @ v - ...) / len(v); the other two are means over the batch of h - h_hat "
        "and of v - v_hat.",
    ),
)


def _noises():
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(*size, generator=generator),) for size in [(5, 8), (20, 3), (1, 6)]]


def _scaled(variance):
    return lambda noise: noise * variance(*noise.shape) ** 0.5


exercise(
    pretraining.he,
    cases=_noises,
    mistakes={
        "look at the rows: weights are (n_out, n_in), and what counts is n_in.": (
            _scaled(lambda n_out, n_in: 2 / n_out)
        ),
        "look at the square root: 2 / n_in is the variance, noise has to be scaled by its root.": (
            _scaled(lambda n_out, n_in: 4 / n_in**2)
        ),
        "look at the 2: a ReLU lets only half through, so the variance is twice 1 / n_in.": (
            _scaled(lambda n_out, n_in: 1 / n_in)
        ),
        "look at n_out: with it this is Glorot's start, made for tanh.": (
            _scaled(lambda n_out, n_in: 2 / (n_in + n_out))
        ),
        "look at the division: the more inputs, the smaller the weights.": (
            _scaled(lambda n_out, n_in: n_in / 2)
        ),
    },
    hints=(
        "noise.shape is (n_out, n_in); noise has variance 1.",
        "To give noise the variance v, multiply it by the square root of v.",
        "Try:  return noise * (... / noise.shape[1]) ** 0.5",
    ),
)
