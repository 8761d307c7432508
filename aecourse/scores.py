"""Scores: what codes say of classes; what does not belong, high for an anomaly; what an alarm is
worth."""

import math

import torch

from aecourse.letters import number
from aecourse.shapes import guard


def auroc(score, odd):
    """Probability that an odd example scores higher than a normal one; a tie counts one half.

    score (N,), odd (N,) true for an anomaly. 0.5 is chance, 1 is perfect, 0 is the wrong way round.
    This is the area under the curve of recall against false alarms, by ranks (Mann & Whitney 1947).
    """
    _, place, count = score.unique(return_inverse=True, return_counts=True)
    rank = (count.cumsum(0) - (count - 1) / 2)[place]  # 1 is the lowest; ties share their mean
    n = odd.sum()
    if not 0 < n < len(odd):
        raise ValueError(f"odd has {n} anomalies in {len(odd)}: both kinds must occur.")
    return (rank[odd].sum() - n * (n + 1) / 2) / (n * (~odd).sum())


def mahalanobis(e, normal, ridge=1e-3):
    """Squared distance of each e from the mean of `normal`, in units of their spread: (N,).

    e (N, D) and normal (M, D) are error vectors. Each direction is divided by the variance that
    normal has along it: (e - mu)^T C^-1 (e - mu), C their covariance with 1/M. ridge times the mean
    variance is added to the diagonal of C, since few examples leave directions without any.
    """
    e, normal = e.double(), normal.double()
    c = torch.cov(normal.T, correction=0).view(normal.shape[1], -1)  # (D, D), also if D is 1
    if not c.trace() > 0:
        raise ValueError(f"normal {tuple(normal.shape)} is all the same: its spread is the unit.")
    c = c + ridge * c.diagonal().mean() * torch.eye(len(c)).to(c)
    gap = e - normal.mean(0)
    return (gap * torch.linalg.solve(c, gap.T).T).sum(1).float()


def f_beta(odd, alarm, beta):
    """(1 + beta^2) P R / (beta^2 P + R), with precision P and recall R; 0 where no alarm is right.

    odd, alarm (N,) true or false. beta < 1 makes precision count more, beta > 1 recall.
    """
    right = (odd & alarm).sum()
    return (1 + beta**2) * right / (beta**2 * odd.sum() + alarm.sum()).clamp(min=1e-12)


def knn(z, labels, k=5):
    """The part, 0 to 1, of the rows of z (N, d) that get their own label (N,) by a vote of their k
    nearest other rows: a plain score for what codes say of classes. A tie takes the lower label.
    """
    if k >= len(z):
        raise ValueError(f"k = {k}: each of the {len(z)} rows has {len(z) - 1} others.")
    distances = torch.cdist(z, z).fill_diagonal_(math.inf)  # nobody is its own neighbour
    nearest = labels[distances.topk(k, largest=False).indices]  # (N, k)
    votes = torch.nn.functional.one_hot(nearest).sum(1)  # (N, classes)
    return (votes.argmax(1) == labels).double().mean()


guard(globals(), score="N", alarm="N of binary", e="N D", normal="M D", ridge=number)
