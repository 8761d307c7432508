"""A figure of the page to play in: a code of one noisy number, its information, and a decoder whose
bound on it one tries to beat. It computes by itself, see live.py, and carries a static twin."""

import matplotlib.pyplot as plt
import torch

from aecourse import plots
from aecourse.information import best_decoder, bound, mutual_information
from aecourse.live import page
from aecourse.playgrounds import REMEDY, even, points


def channel_playground(x, sigma=None, names=("x1", "x2")):
    """A code z = w^T x + sigma * noise of a cloud x (N, 2), w of length 1, and its decoder.

    One drags w, the noise, and the cloud itself; and the decoder N(a z, S), whose slope a and
    covariance S are the best ones times a factor each. The figure shows the information I(X; Z) of
    the Gaussian with the covariance of x, and the bound on it that this decoder leaves, in nats:
    the gap is the mean KL(q(x|z) || p(x|z)), see information.py.

    sigma  of the noise at first, in units of x; without one, a third of the cloud's spread along
           its first principal component
    names  of the two numbers, with their unit
    At most 500 points go into the page, an even choice; they are centred.
    Raises ValueError when x is not (N, 2), not finite, has fewer than 3 rows, or lies on a line,
    and when sigma is not above 0.
    """
    x = points(x, "(N, 2)", lambda columns: columns == 2)
    x = x - x.mean(0)
    cov = x.T @ x / len(x)
    variances = torch.linalg.eigvalsh(cov)
    if not variances[0] > 1e-9 * variances[1]:
        raise ValueError("The points lie on a line: a cloud in the plane is wanted.")
    sigma = variances[1].sqrt().item() / 3 if sigma is None else float(sigma)
    x = x[even(len(x))]
    noise = torch.randn(len(x), generator=torch.Generator().manual_seed(0)).double()
    spec = {"points": x.round(decimals=6).tolist(), "noise": noise.tolist(), "cov": cov.tolist()}
    spec |= {"sigma": sigma, "reach": 2.7 * variances[1].sqrt().item(), "names": list(names)}
    return page("channel", _twin(x, noise, cov, sigma, spec["reach"], names), REMEDY, **spec)


def _twin(x, noise, cov, sigma, reach, names):
    """The static twin: the cloud and its reconstructions; the bounds that three decoders leave."""
    w = torch.tensor([[1.0, 0.0]]).double()
    a, s = best_decoder(w, cov, sigma)
    _, (plane, bars) = plt.subplots(1, 2, figsize=(9.4, 4.6))
    plane.plot(*x.T, ".", color="0.7", markersize=4)
    plane.plot(*(a @ (w @ x.T + sigma * noise)), ".", color="C5", markersize=4)
    plane.annotate("", (0.6 * reach * w[0]).tolist(), (0, 0), arrowprops={"color": "C0"})
    plane.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title="encoder w")
    plane.set(xlabel=names[0], ylabel=names[1])
    whole = mutual_information(w, cov, sigma).item()
    decoders = {"best": (a, s), "variance\n/ 4": (a, s / 4), "variance\nx 4": (a, 4 * s)}
    found = [bound(*decoder, w, cov, sigma).item() for decoder in decoders.values()]
    bars.bar(range(3), [whole - v for v in found], bottom=found, color="C1", label="gap = mean KL")
    bars.bar(range(3), [max(v, 0) for v in found], color="C2", label="bound")
    bars.axhline(whole, color="black", linestyle="--", linewidth=1.5, label="$I(X;Z)$")
    bars.axhline(0, color="black", linewidth=1)
    bars.set_xticks(range(3), list(decoders), fontsize=13)
    bars.set(ylabel="nats", ylim=(min(found) - 0.1, 1.7 * whole))
    bars.legend(fontsize=12, loc="upper center", ncols=2)
    words = "Left, an arrow over a cloud and what its noisy code gives back; right, the bound of "
    words += f"three decoders: {found[0]:.2f} nats, as much as the information, for the best, "
    return plots.bundle(plane, words + f"{found[1]:.2f} and {found[2]:.2f} for two others.")
