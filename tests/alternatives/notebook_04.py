"""Other ways to the right answers of notebook 04."""

import numpy as np
import torch
from sklearn.decomposition import PCA as SklearnPCA


def pca_by_eigh(x, d):
    flat = x.flatten(1)
    mean = flat.mean(0)
    values, vectors = torch.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    return mean, vectors.T.flip(0)[:d], values.flip(0)[:d]


def pca_in_numpy(x, d):
    rows = x.numpy().astype(np.float64).reshape(len(x), -1)
    values, vectors = np.linalg.eigh(np.cov(rows.T, bias=True))
    return [rows.mean(0), -vectors[:, ::-1][:, :d].T, values[::-1][:d]]


def pca_of_scikit_learn(x, d):
    n = len(x)
    fitted = SklearnPCA(d, svd_solver="full").fit(x.flatten(1).numpy())
    return fitted.mean_, fitted.components_, fitted.explained_variance_ * (n - 1) / n


def pca_by_power_iteration(x, d):
    flat = x.flatten(1).double()
    mean = flat.mean(0)
    covariance = (flat - mean).T @ (flat - mean) / len(flat)
    axes, variances = [], []
    for _ in range(d):
        axis = torch.ones(len(mean), dtype=torch.float64)
        for _ in range(200):
            axis = covariance @ axis
            axis /= axis.norm()
        axes.append(axis)
        variances.append(axis @ covariance @ axis)
        covariance = covariance - variances[-1] * torch.outer(axis, axis)
    return mean, torch.stack(axes), torch.stack(variances)


def optimal_weights_by_eigh(x, d, lam=0.0):
    _, axes, variances = pca_in_numpy(x, d)
    scale = np.sqrt(np.maximum(0, variances - lam) / variances)
    return np.diag(scale) @ axes, axes.T * scale


def optimal_weights_in_a_loop(x, d, lam=0.0):
    _, axes, variances = pca_by_eigh(x.double(), d)
    encoder = torch.zeros_like(axes)
    for k, variance in enumerate(variances.tolist()):
        if variance > lam:
            encoder[k] = -axes[k] * (1 - lam / variance) ** 0.5
    return encoder, encoder.T.clone()


def recover_axes_by_eigh(w):
    values, vectors = torch.linalg.eigh(w.double() @ w.double().T)
    return vectors[:, values.argsort(descending=True)[: w.shape[1]]].T


def recover_axes_by_qr_and_eigh(w):
    q, r = torch.linalg.qr(w.double())
    _, turn = torch.linalg.eigh(r @ r.T)
    return -(q @ turn).T.flip(0)


def recover_axes_from_the_small_side(w):
    w = w.numpy().astype(np.float64)
    values, turn = np.linalg.eigh(w.T @ w)
    return ((w @ turn) / np.sqrt(values)).T[::-1]


def optimal_weights_by_the_svd(x, d, lam=0.0):
    flat = x.flatten(1).double()
    _, s, vt = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
    kept = torch.relu(1 - lam * len(x) / s[:d] ** 2).sqrt()
    return torch.diag(kept) @ vt[:d], vt[:d].T * kept


ALTERNATIVES = {
    "pca": (pca_by_eigh, pca_in_numpy, pca_of_scikit_learn, pca_by_power_iteration),
    "optimal_weights": (
        optimal_weights_by_eigh,
        optimal_weights_in_a_loop,
        optimal_weights_by_the_svd,
    ),
    "recover_axes": (
        recover_axes_by_eigh,
        recover_axes_by_qr_and_eigh,
        recover_axes_from_the_small_side,
    ),
}
