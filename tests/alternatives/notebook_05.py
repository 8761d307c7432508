"""Other ways to the right answers of notebook 05."""

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.special import expit
from scipy.stats import mode
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import NearestNeighbors


def decoding_by_scikit_learn(z, x):
    flat = x.flatten(1).numpy().astype(np.float64)
    return LinearRegression().fit(z.numpy(), flat).predict(z.numpy()).reshape(x.shape)


def decoding_by_the_covariance(z, x):
    a, b = z.double() - z.double().mean(0), x.flatten(1).double()
    weight = torch.linalg.solve(a.T @ a, a.T @ (b - b.mean(0)))
    return (a @ weight + b.mean(0)).view_as(x)


def decoding_by_projection(z, x):
    q, _ = torch.linalg.qr(torch.cat([torch.ones(len(z), 1), z], 1).double())
    return (q @ (q.T @ x.flatten(1).double())).view_as(x)


def knn_by_scikit_learn(z, labels, k=5):
    near = NearestNeighbors(n_neighbors=k).fit(z).kneighbors(return_distance=False)  # but itself
    return (mode(labels.numpy()[near], axis=1).mode == labels.numpy()).mean()


def knn_in_numpy(z, labels, k=5):
    order = np.argsort(cdist(z.numpy(), z.numpy()) + 1e9 * np.eye(len(z)), axis=1)[:, :k]
    votes = [np.bincount(labels.numpy()[row]).argmax() for row in order]
    return np.mean(np.array(votes) == labels.numpy())


def knn_in_a_loop(z, labels, k=5):
    right = 0
    for i in range(len(z)):
        distances = (z - z[i]).square().sum(1)
        distances[i] = torch.inf
        vote = labels[distances.argsort()[:k]].mode().values
        right += int(vote == labels[i])
    return right / len(z)


def cd1_in_numpy(w, b, c, v, u):
    w, b, c, v, u = (a.numpy().astype(np.float64) for a in (w, b, c, v, u))
    h = expit(v @ w.T + b)
    v_hat = expit((u < h) @ w + c)
    h_hat = expit(v_hat @ w.T + b)
    dw = np.einsum("nd,nk->dk", h, v) - np.einsum("nd,nk->dk", h_hat, v_hat)
    return dw / len(v), np.mean(h - h_hat, axis=0), np.mean(v - v_hat, axis=0)


def cd1_in_a_loop(w, b, c, v, u):
    dw, db, dc = torch.zeros_like(w), torch.zeros_like(b), torch.zeros_like(c)
    for row, noise in zip(v, u, strict=True):
        h = torch.sigmoid(w @ row + b)
        back = torch.sigmoid(w.T @ (noise < h).float() + c)
        again = torch.sigmoid(w @ back + b)
        dw += torch.outer(h, row) - torch.outer(again, back)
        db += h - again
        dc += row - back
    return dw / len(v), db / len(v), dc / len(v)


def cd1_as_a_gradient(w, b, c, v, u):
    parameters = [p.double().requires_grad_() for p in (w, b, c)]
    v = v.double()
    sample = (u < torch.sigmoid(v @ w.double().T + b)).double()
    v_hat = torch.sigmoid(sample @ w.double() + c)

    def free_energy(v):
        w, b, c = parameters
        return (-v @ c - torch.log1p(torch.exp(v @ w.T + b)).sum(1)).mean()

    return torch.autograd.grad(free_energy(v_hat) - free_energy(v), parameters)


def he_in_numpy(noise):
    return np.sqrt(2.0 / noise.shape[1]) * noise.numpy().astype(np.float64)


def he_by_division(noise):
    return noise / (noise[0].numel() / 2) ** 0.5


def he_of_a_layer(noise):
    gain = torch.nn.init.calculate_gain("relu")
    return torch.stack([row * gain / len(row) ** 0.5 for row in noise])


ALTERNATIVES = {
    "linear_decoding": (
        decoding_by_scikit_learn,
        decoding_by_the_covariance,
        decoding_by_projection,
    ),
    "knn": (knn_by_scikit_learn, knn_in_numpy, knn_in_a_loop),
    "cd1": (cd1_in_numpy, cd1_in_a_loop, cd1_as_a_gradient),
    "he": (he_in_numpy, he_by_division, he_of_a_layer),
}


def _vote(z, labels, k, by=2, pick=lambda near: near.mode(1).values):
    distance = torch.cdist(z, z, p=by).fill_diagonal_(torch.inf)
    return (pick(labels[distance.topk(k, largest=False).indices]) == labels).float().mean()


WRONG = {
    "knn": {
        "the median label": lambda z, labels, k=5: _vote(
            z, labels, k, pick=lambda near: near.median(1).values
        ),
        "distances in city blocks": lambda z, labels, k=5: _vote(z, labels, k, by=1),
        "one neighbour more": lambda z, labels, k=5: _vote(z, labels, k + 1),
        "the farthest label": lambda z, labels, k=5: _vote(z, labels, k, pick=lambda n: n[:, -1]),
        "the largest label": lambda z, labels, k=5: _vote(z, labels, k, pick=lambda n: n.amax(1)),
    },
}
