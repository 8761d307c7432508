"""Other ways to the right answers of notebook 15."""

import numpy as np
import torch
from scipy.spatial.distance import cdist
from sklearn.metrics import fbeta_score, roc_auc_score


def auroc_by_pairs(score, odd):
    gap = score[odd][:, None] - score[~odd]
    return ((gap > 0).double() + (gap == 0) / 2).mean()


def auroc_in_loops(score, odd):
    wins = [(a > b) + (a == b) / 2 for a in score[odd].tolist() for b in score[~odd].tolist()]
    return sum(wins) / len(wins)


def auroc_as_an_area(score, odd):
    return roc_auc_score(odd.numpy(), score.numpy())


def windows_in_a_loop(x, size, step=1):
    return torch.stack([x[k : k + size] for k in range(0, len(x) - size + 1, step)])


def windows_in_numpy(x, size, step=1):
    starts = np.arange(0, len(x) - size + 1, step)
    return x.numpy()[starts[:, None] + np.arange(size)]


def mahalanobis_in_scipy(e, normal, ridge=1e-3):
    e, normal = e.double().numpy(), normal.double().numpy()
    c = np.cov(normal.T, bias=True)
    c = c + ridge * np.trace(c) / len(c) * np.eye(len(c))
    return cdist(e, normal.mean(0)[None], "mahalanobis", VI=np.linalg.inv(c))[:, 0] ** 2


def mahalanobis_by_whitening(e, normal, ridge=1e-3):
    e, normal = e.double(), normal.double()
    c = (normal - normal.mean(0)).T @ (normal - normal.mean(0)) / len(normal)
    values, axes = torch.linalg.eigh(c)
    values = values + ridge * values.mean()
    return ((e - normal.mean(0)) @ axes / values.sqrt()).square().sum(1)


def mahalanobis_in_a_loop(e, normal, ridge=1e-3):
    e, normal = e.double(), normal.double()
    c = torch.cov(normal.T, correction=0)
    inverse = torch.linalg.inv(c + ridge * c.trace() / len(c) * torch.eye(len(c)))
    return torch.stack([(r - normal.mean(0)) @ inverse @ (r - normal.mean(0)) for r in e])


def f_beta_in_scikit_learn(odd, alarm, beta):
    return fbeta_score(odd.numpy(), alarm.numpy(), beta=beta, zero_division=0)


def f_beta_by_precision_and_recall(odd, alarm, beta):
    right = int((odd & alarm).sum())
    if right == 0:
        return 0.0
    precision, recall = right / int(alarm.sum()), right / int(odd.sum())
    return 1 / ((1 / precision + beta**2 / recall) / (1 + beta**2))


def windows_as_a_list(x, size, step=1):
    found, start = [], 0
    while start + size <= len(x):
        found.append(x[start : start + size])
        start += step
    return found


def f_beta_by_counts(odd, alarm, beta):
    hits, false = int((odd & alarm).sum()), int((alarm & ~odd).sum())
    missed = int((odd & ~alarm).sum())
    return (1 + beta**2) * hits / ((1 + beta**2) * hits + beta**2 * missed + false)


ALTERNATIVES = {
    "auroc": (auroc_by_pairs, auroc_in_loops, auroc_as_an_area),
    "windows": (windows_in_a_loop, windows_in_numpy, windows_as_a_list),
    "mahalanobis": (mahalanobis_in_scipy, mahalanobis_by_whitening, mahalanobis_in_a_loop),
    "f_beta": (f_beta_in_scikit_learn, f_beta_by_precision_and_recall, f_beta_by_counts),
}


def _windows_at(starts):
    def windows(x, size, step=1):
        return torch.stack([x[k : k + size] for k in starts(len(x), size, step)])

    return windows


def _filled_up(x, size, step=1):
    rest = -(len(x) - size) % step
    return torch.cat([x, x.new_zeros(rest, x.shape[1])]).unfold(0, size, step).mT


def _f_beta_unguarded(odd, alarm, beta):
    right = (odd & alarm).sum()
    if not alarm.any():
        return torch.tensor(0.0)
    precision, recall = right / alarm.sum(), right / odd.sum()
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


WRONG = {
    "auroc": {
        "the better of the two ways round": lambda score, odd: max(
            auroc_by_pairs(score, odd), auroc_by_pairs(score, ~odd)
        ),
        "half of the size of the gap": lambda score, odd: (
            0.5 + (auroc_by_pairs(score, odd) - 0.5).abs()
        ),
    },
    "windows": {
        "the rest dropped at the beginning": _windows_at(
            lambda n, size, step: range((n - size) % step, n - size + 1, step)
        ),
        "the last one moved back": _windows_at(
            lambda n, size, step: [*range(0, n - size, step), n - size]
        ),
        "filled up with zeros": _filled_up,
    },
    "f_beta": {"0 only where there is no alarm": _f_beta_unguarded},
}
