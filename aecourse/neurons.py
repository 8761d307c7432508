"""Neurons that learn without a teacher: one update a function, vectorised over a batch.

d linear neurons see N inputs x (N, D) through their weights w (d, D), one neuron a row, and answer
y = x w^T (N, d). Each rule takes w, x and a step size eta > 0, averages over the batch, and returns
the new weights (d, D); a single neuron has d = 1. C = x^T x / N (D, D) is what a rule knows of the
data: their covariance where they are centred, which is up to the caller.
"""

import torch
from scipy.optimize import linear_sum_assignment

from aecourse.shapes import guard


def hebb(w, x, eta):
    """Hebb's rule, w + eta <y x>: what fires together grows together, for ever.

    In the mean w + eta w C, whose length only grows. (Hebb 1949, in words)
    """
    y = x @ w.T  # (N, d)
    return w + eta * y.T @ x / len(x)


def oja(w, x, eta):
    """Oja's rule for each row on its own, w + eta <y x - y^2 w>.

    Each row converges to plus or minus the first eigenvector of C, of length 1. To first order in
    eta this is Hebb's rule followed by w / |w|. (Oja 1982; Oja & Karhunen 1985)
    """
    y = x @ w.T  # (N, d)
    return hebb(w, x, eta) - eta * y.square().mean(0)[:, None] * w


def subspace(w, x, eta):
    """Oja's subspace rule, w + eta <y x^T - y y^T w>: each row decays by all outputs.

    The rows become an orthonormal basis of the first d eigenvectors of C, but not these: which
    basis depends on the start. (Oja & Karhunen 1985; Oja 1992)
    """
    y = x @ w.T  # (N, d)
    return hebb(w, x, eta) - eta * y.T @ y / len(x) @ w


def sanger(w, x, eta):
    """Sanger's rule, w + eta <y x^T - tril(y y^T) w>: row k decays by the outputs 1 to k only.

    The rows become plus or minus the first d eigenvectors of C in order. Also called the
    generalised Hebbian algorithm. (Sanger 1989)
    """
    y = x @ w.T  # (N, d)
    return hebb(w, x, eta) - eta * (y.T @ y).tril() / len(x) @ w


def minor(w, x, eta):
    """The minor component for each row on its own, w - eta <y x - y^2 w> + eta (1 - |w|^2) w.

    Oja's rule with the sign flipped, and a term that holds the length at 1, without which it runs
    away. Each row converges to plus or minus the last eigenvector of C, if the variance along w
    stays below 1: scale x so that it does. (Oja 1992)
    """
    return oja(w, x, -eta) + eta * (1 - w.square().sum(1, keepdim=True)) * w


def cosines(w, axes):
    """|cos| of the angle between each row of w (d, D) and each of axes (m, D): (d, m), 0 to 1.

    1 is the same direction or the opposite one: an axis has no sign.
    """
    lengths = w.norm(dim=1, keepdim=True) * axes.norm(dim=1)  # (d, m)
    return (w @ axes.T).abs() / lengths.clamp(min=1e-30)


def matched(w, axes):
    """|cos| of each of axes (m, D) and the row of w (d, D) that is matched with it: (m,), d >= m.

    No row is matched twice; of all ways the one with the largest sum is taken, so that the order
    and the signs of the rows do not count. (Kuhn 1955, the Hungarian method)
    """
    if len(w) < len(axes):
        raise ValueError(f"w has {len(w)} rows, axes {len(axes)}: each axis wants one of its own.")
    table = cosines(w, axes)  # (d, m)
    rows, columns = linear_sum_assignment(-table.detach().cpu().nan_to_num().T)
    return table[torch.as_tensor(columns), torch.as_tensor(rows)]


guard(globals(), x="N D", w="d D or NaN", axes="m D")  # a rule may run away, and shows it
