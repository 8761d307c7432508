"""What drawn samples are worth, beside real ones: do they look real, and do they cover what is?"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from aecourse.letters import count
from aecourse.shapes import guard
from aecourse.training import fit, one_cycle


def covered(points, by, k=3):
    """The part of the points, 0 to 1, that lie in one of the balls around the rows of `by`.

    points (N, *shape), by (M, *shape), M > k. The ball of a row reaches to its k-th nearest other
    row, so that it is small where the rows are dense. Nothing changes if all are scaled alike.
    (Kynkaanniemi et al. 2019, equation 1)
    """
    points, by = points.flatten(1).double(), by.flatten(1).double()
    if k >= len(by):
        raise ValueError(f"k = {k}: each of the {len(by)} rows of by has {len(by) - 1} others.")
    others = torch.cdist(by, by).fill_diagonal_(math.inf)  # (M, M), nobody is its own neighbour
    radius = others.topk(k, largest=False).values[:, -1]  # (M,)
    return (torch.cdist(points, by) <= radius).any(1).double().mean()


def precision_recall(real, drawn, k=3):
    """(precision, recall) of drawn (M, *shape) beside real examples (N, *shape), each 0 to 1.

    precision  the part of the drawn that lie among the real: are they right?
    recall     the part of the real that lie among the drawn: is every kind there?
    Only both together say something: copies of one mean image have precision 1 and recall 0. Both
    depend on k, on the space and on N and M; compare where these are equal, and show fresh real
    examples in place of the drawn. (Kynkaanniemi et al. 2019, *Improved precision and recall*)
    """
    return covered(drawn, real, k), covered(real, drawn, k)


def classifier(x, labels, epochs=4):
    """A trained judge of images x (N, *shape) with labels (N,): judge(images) are logits, one a
    class, and judge[:-1](images) the 64 features (N, 64) that they are made of.

    Dropout and few epochs keep its probabilities near the truth; verify it on a test set, as Guo et
    al. 2017 do, before you believe them. It starts from the global seed.
    """
    classes, size = int(labels.max()) + 1, x[0].numel()
    layers = [nn.Linear(size, 256), nn.GELU(), nn.Dropout(0.3), nn.Linear(256, 64), nn.GELU()]
    judge = nn.Sequential(nn.Flatten(), *layers, nn.Linear(64, classes))
    rows = torch.cat([x.flatten(1), labels[:, None]], 1)  # (N, D + 1), the label comes last

    def loss(judge, rows):
        return {"cross-entropy": F.cross_entropy(judge(rows[:, :-1]), rows[:, -1].long())}

    fit(judge, rows, loss, epochs, lr=2e-3, schedule=one_cycle)
    return judge.requires_grad_(False)


guard(
    globals(),
    epochs=count,
    points="N *shape",
    by="M *shape",
    real="N *shape",
    drawn="M *shape",
)
