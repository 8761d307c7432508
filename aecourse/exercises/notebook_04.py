"""Exercises of notebook 04: PCA and the linear autoencoder."""

import numpy as np
import torch

from aecourse import models
from aecourse.exercises import exercise


def _clouds(d):
    """Data of known, well separated variances, far from the origin, more than D rows and fewer."""
    generator = torch.Generator().manual_seed(0)
    clouds = []
    for n, shape in [(60, (1, 3, 4)), (9, (1, 4, 4))]:
        size = shape[1] * shape[2]
        turn, _ = torch.linalg.qr(torch.randn(size, size, generator=generator))
        spread = 2.0 ** -torch.arange(size) * 4
        rows = torch.randn(n, size, generator=generator) * spread @ turn.T + 1
        clouds.append((rows.unflatten(1, shape), d))
    return clouds


def _turn(d):
    return torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(1)))[0]


def _signed(axes):
    """Axes as rows, each with the sign that makes its largest entry positive."""
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return axes * np.where(largest < 0, -1, 1)


def _signed_alike(answer):
    """Encoder and decoder, with a sign for each axis that the two have in common."""
    encoder, decoder = answer
    if encoder.shape != decoder.T.shape:
        return answer
    return (_signed(np.hstack([encoder, decoder.T])),)


def _pca_with(centre=True, ascending=False, power=2, ddof=0, axes_of="vt"):
    def pca(x, d):
        flat = x.flatten(1)
        mean = flat.mean(0)
        u, s, vt = torch.linalg.svd(flat - mean if centre else flat, full_matrices=False)
        order = slice(len(s) - d, None) if ascending else slice(d)
        axes = {"vt": vt[order], "columns": vt[:, order], "v": vt.T[order], "u": u[:, order].T}
        return mean, axes[axes_of], s[order] ** power / (len(flat) - ddof if power == 2 else 1)

    return pca


def _pca_of_the_smallest(x, d):
    flat = x.flatten(1)
    variances, axes = torch.linalg.eigh(torch.cov(flat.T, correction=0))
    return flat.mean(0), axes.T[:d], variances[:d]


exercise(
    models.pca,
    cases=lambda: _clouds(3),
    mistakes={
        "look at the centre: subtract the mean before the SVD.": _pca_with(centre=False),
        "look at V: its axes are the columns, which are the rows of the vt that PyTorch returns.": (
            _pca_with(axes_of="v")
        ),
        "look at the axes: they are wanted as rows (d, D); you cut columns.": (
            _pca_with(axes_of="columns")
        ),
        "look at u: it holds the scores of the images; the axes are in vt.": (
            _pca_with(axes_of="u")
        ),
        "look at the order: the first axes have the largest variances.": _pca_with(ascending=True),
        "look at the order: eigh sorts upwards, so these are the smallest variances; flip it.": (
            _pca_of_the_smallest
        ),
        "look at the variances: these are singular values; square them, divide by N.": (
            _pca_with(power=1)
        ),
        "look at the variances: divide by N here, not by N - 1.": _pca_with(ddof=1),
    },
    hints=(
        "Flatten the images to rows (N, D), subtract their mean, and take the SVD of what is left.",
        "torch.linalg.svd(a, full_matrices=False) returns u, s, vt; the rows of vt are the axes.",
        "The variance along axis k is s[k] ** 2 / N.",
        "Try:  return mean, vt[:d], s[:d] ** 2 / ...",
    ),
    view=lambda answer: (answer[0], _signed(answer[1]), answer[2]),
)


def _optimum_with(scale):
    def optimal_weights(x, d, lam=0.0):
        _, axes, variances = models.pca(x, d)
        encoder = scale(lam, variances)[:, None] * axes
        return encoder, encoder.T

    return optimal_weights


exercise(
    models.optimal_weights,
    cases=lambda: [(x, d, lam) for x, d in _clouds(3) for lam in (0.0, 0.05, 2.0)],
    mistakes={
        "look at lam: L2 shrinks the weights, these are the bare axes.": (
            _optimum_with(lambda lam, v: torch.ones_like(v))
        ),
        "look at the root: 1 - lam / v is the product of both layers, each has its square root.": (
            _optimum_with(lambda lam, v: (1 - lam / v).clamp(min=0))
        ),
        "look at the variances: the formula has variances, not standard deviations.": (
            _optimum_with(lambda lam, v: (1 - lam / v.sqrt()).clamp(min=0).sqrt())
        ),
        "look at the root of a negative number: where v < lam the axis is given up, scale 0.": (
            _optimum_with(lambda lam, v: (1 - lam / v).sqrt())
        ),
        "look at the decoder: it is the transpose of the encoder, (D, d).": (
            lambda x, d, lam=0.0: (models.optimal_weights(x, d, lam)[0],) * 2
        ),
    },
    hints=(
        "pca(x, d) gives the axes and the variances v along them.",
        "Each row of the encoder is an axis times sqrt(1 - lam / v); clamp the inside at 0 first.",
        "scale[:, None] * axes multiplies row k by scale[k]. The decoder is encoder.T.",
        "Try:  encoder = (1 - ...).clamp(min=0).sqrt()[:, None] * axes  and return it with its "
        "transpose.",
    ),
    view=_signed_alike,
)


def _decoders():
    """Weights that L2 has shrunk, of 3 axes; and 7 axes in 12 dimensions."""
    trained = [(models.optimal_weights(x, d, 0.3)[1] @ _turn(d),) for x, d in _clouds(3)]
    axes = torch.linalg.qr(torch.randn(12, 7, generator=torch.Generator().manual_seed(2)))[0]
    return [*trained, (axes * torch.linspace(3, 1, 7) @ _turn(7),)]


exercise(
    models.recover_axes,
    cases=_decoders,
    mistakes={
        "look at the columns: they are turned within the subspace; use the SVD.": (
            lambda w: (w / w.norm(dim=0)).T
        ),
        "look at QR: it orthogonalises the columns one after the other and keeps the first.": (
            lambda w: torch.linalg.qr(w)[0].T
        ),
        "look at the shape: one axis a row, (d, D); transpose u.": (
            lambda w: torch.linalg.svd(w, full_matrices=False)[0]
        ),
        "look at full_matrices: False gives the thin SVD, whose u is (D, d).": (
            lambda w: torch.linalg.svd(w)[0].T
        ),
        "look at the other factor: vt turns the code (d, d), the axes of pixel space are in u.": (
            lambda w: torch.linalg.svd(w, full_matrices=False)[2]
        ),
        "look at the order: the largest singular value comes first.": (
            lambda w: torch.linalg.svd(w, full_matrices=False)[0].T.flip(0)
        ),
    },
    hints=(
        "The decoder's weight is (D, d): which factor of its SVD lives in pixel space, D?",
        "Try:  u, s, vt = torch.linalg.svd(decoder_weight, full_matrices=False)  and  return ...",
    ),
    view=lambda answer: (_signed(answer[0]),),
)
