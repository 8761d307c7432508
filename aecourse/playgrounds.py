"""Two figures of the page to play in: neurons that learn a cloud, and the bound of a VAE where all
of it is known. Each computes by itself, see live.py, and carries a static twin."""

import math

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Ellipse
from torch.distributions import MultivariateNormal

from aecourse import inputs, neurons, plots
from aecourse.information import gaussian_kl
from aecourse.live import page
from aecourse.models import pca

MOST = 500  # points in a page
REMEDY = "fewer points make it smaller"


def neuron_playground(x):
    """Neurons that learn a cloud x (N, 2): set w by hand, choose a rule and a step size, run.

    The rules are those of neurons.py, hebb, oja, minor, subspace, sanger, and oja(w, x, -eta); a
    step takes one point, in random order. At most 500 points go into the page, an even choice.
    They are centred, and divided by one number, their standard deviation, so that any cloud suits
    the step sizes from 0.001 to 1; the principal components are theirs.
    Raises ValueError when x is not (N, 2), not finite, has fewer than 3 rows, or all are equal.
    """
    x, n = points(x, "(N, 2)", lambda columns: columns == 2), len(x)
    x = x[even(n)]
    x = x - x.mean(0)
    x = x / x.std(correction=0)
    _, axes, _ = pca(x, 2)
    axes = axes * torch.where(axes.sum(1, keepdim=True) < 0, -1, 1)  # a sign that stays
    # short weights, first across axis 1, so that there is a way to go
    start = 0.3 * torch.tensor([[0.3, -1.0], [0.8, 1.0]]).double() @ axes
    reach = max(1.5, 1.1 * x.abs().quantile(0.995).item())
    chosen = f"{len(x):,} of {n:,} points" if len(x) < n else f"{n:,} points"
    says = f"{chosen}, centred, and divided by their standard deviation. "
    says += "Arrow keys move w; 1 and 2 choose it."
    spec = {"points": x.round(decimals=6).tolist(), "axes": axes.tolist(), "reach": reach}
    still = _learning(x, axes, start[:1], reach)
    return page("neurons", still, REMEDY, **spec, start=start.tolist(), says=says)


def _learning(x, axes, start, reach):
    """The static twin: the way of one neuron by Oja's rule, and its length beside Hebb's."""
    order = torch.randint(len(x), (600,), generator=torch.Generator().manual_seed(0)).tolist()
    paths = {}
    for rule in (neurons.oja, neurons.hebb):
        paths[rule] = [start]
        for row in order:
            paths[rule].append(rule(paths[rule][-1], x[row : row + 1], 0.02))
    _, (plane, lengths) = plt.subplots(1, 2, figsize=(9.4, 4.6))
    plane.plot(*x.T, ".", color="0.7", markersize=4)
    plane.add_patch(plt.Circle((0, 0), 1, fill=False, linestyle=":", linewidth=1.5))
    for k, axis in enumerate(axes):
        plane.axline((0, 0), axis.tolist(), color="black", linestyle="--", linewidth=1)
        place = 0.9 * reach * axis / axis.abs().max()
        plane.text(*place, f"PC {k + 1}", ha="center", backgroundcolor="white")
    path = torch.cat(paths[neurons.oja])  # (601, 2)
    plane.plot(*path.T, "C0", linewidth=1.5, alpha=0.6)
    plane.annotate("", path[-1].tolist(), (0, 0), arrowprops={"color": "C0", "width": 3})
    plane.set(
        xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title="weights w, Oja's rule"
    )
    for rule, name in ((neurons.hebb, "Hebb"), (neurons.oja, "Oja")):
        lengths.semilogy(torch.cat(paths[rule]).norm(dim=1), label=name)
    lengths.axhline(1, color="black", linestyle="--", linewidth=1)
    lengths.set(xlabel="step", title="length |w| of the weights")
    lengths.legend()
    words = "Left, a cloud in which the weights of a neuron turn by Oja's rule to PC 1, up to "
    words += "length 1; right, the lengths over 600 steps: Oja's stays at 1, Hebb's explodes."
    return plots.bundle(plane, words)


def bound_playground(x):
    """What a VAE's bound leaves open, in probabilistic PCA, where all of it is a closed form.

    x (N, D), D >= 3, each column centred and divided by its standard deviation. The model has two
    latent numbers: p(z) = N(0, I), p(x|z) = N(w z, sigma^2 I), whose best w (D, 2) for a given
    sigma has the columns sqrt(max(v_k - sigma^2, 0)) u_k, from the first two principal components
    u_k and the variances v_k along them; turned, w R is as good. With M = w^T w + sigma^2 I
        p(x)    N(0, w w^T + sigma^2 I), the same for every R
        p(z|x)  N(m, s), m = M^-1 w^T x, s = sigma^2 M^-1
        q(z|x)  N(mu, diag(exp(logvar))), mu = m, and exp(logvar_k) = 1 / (s^-1)_kk, which is the
                best diagonal one, times a factor squared
        log p(x) = E_q[log p(x|z)] - KL(q || p(z)) + KL(q || p(z|x)) = ELBO + gap
    The gap is 0 where s is diagonal, and q as wide: why a VAE's q prefers the axes. A unit dies
    when sigma^2 passes its v_k. At first sigma^2 is the best one, the mean of the variances
    left over, if it is at least v_1 / 100. At most 500 points go into the page.
    Raises ValueError when x is not (N, 3 or more), not finite, has fewer than 3 rows, or all are
    equal. Source: Tipping & Bishop 1999.
    """
    x = points(x, "(N, D) with D of 3 or more", lambda columns: columns >= 3)
    varies = (x != x[0]).any(0)  # a column that is constant becomes 0
    x = (x - x.mean(0)) / torch.where(varies, x.std(0, correction=0), 1)
    axes, variances, sigma2, low, high = _ppca(x)
    shown = x[even(len(x))]
    a = shown @ axes.T  # (N, 2)
    rest = (shown - a @ axes).square().sum(1, keepdim=True)
    start = a.norm(dim=1).argsort()[7 * len(a) // 10].item()  # not in the middle
    spec = {"points": torch.cat([a, rest], 1).tolist(), "variances": variances.tolist()}
    spec |= {"D": x.shape[1], "sigma2": sigma2, "low": low, "high": high, "start": start}
    still = _bars(shown[start], axes, variances, sigma2)
    return page("bound", still, REMEDY, **spec)


def _ppca(x):
    """Two axes (2, D) of centred x, the variances along them, the best sigma^2, and its range."""
    _, axes, variances = pca(x, 2)
    left = (x.square().sum() / len(x) - variances.sum()) / (x.shape[1] - 2)
    low, high = variances[0].item() / 100, 2 * variances[0].item()
    return axes, variances, min(max(left.item(), low), high), low, high


def _bars(x, axes, variances, sigma2):
    """The static twin: of one point x (D,), the posterior and q at 45 degrees, and three bars."""
    _, (plane, bars) = plt.subplots(1, 2, figsize=(9.4, 4.6))
    cases = {"W on the\naxes": (0, 1), "turned\nby 45°": (45, 1), "and q 1.5 x\nas wide": (45, 1.5)}
    found = [_terms(x, axes, variances, sigma2, *case) for case in cases.values()]
    log_p, most = found[0][0], max(gap for _, gap, *_ in found)
    foot = log_p - 1.4 * most - 0.1
    for k, (_, gap, *_) in enumerate(found):
        bars.bar(k, log_p - gap - foot, bottom=foot, color="C2", label="ELBO" if k == 0 else None)
        bars.bar(k, gap, bottom=log_p - gap, color="C1", label="gap" if k == 0 else None)
        bars.text(k, log_p + 0.02 * most, f"gap {gap:.2f}", ha="center", va="bottom")
    bars.set_xticks(range(len(cases)), list(cases), fontsize=13)
    bars.set(ylim=(foot, log_p + 0.4 * most + 0.1), title=f"log p(x) = {log_p:.2f} nats")
    bars.grid(axis="x", visible=False)
    bars.legend(loc="lower left", frameon=True, fontsize=13)
    _ellipses(plane, *found[1][2:])
    words = "Left, codes' plane: the posterior of one point, a tilted ellipse, and q, an upright "
    words += f"one; right, three bars up to log p(x) = {log_p:.2f} nats, of an ELBO and a gap: of "
    words += ", ".join(f"{gap:.2f}" for _, gap, *_ in found) + " nats."
    return plots.bundle(plane, words)


def _ellipses(plane, m, s, q):
    """One and two sigma of N(m, s), solid, and of N(m, q), dashed, in the latent plane."""
    plane.add_patch(plt.Circle((0, 0), 1, fill=False, linestyle=":", label="prior p(z)"))
    for cov, colour, line, name in ((s, "C0", "-", "posterior p(z|x)"), (q, "C1", "--", "q(z|x)")):
        spread, ways = torch.linalg.eigh(cov)
        turn = torch.atan2(ways[1, 0], ways[0, 0]).rad2deg().item()
        for n, label in ((1, name), (2, None)):
            size, style = (2 * n * spread.sqrt()).tolist(), {"ec": colour, "ls": line, "lw": 2.5}
            plane.add_patch(Ellipse(m.tolist(), *size, angle=turn, fc="none", label=label, **style))
    plane.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", title="W turned by 45°")
    plane.set(xlabel="code $z_1$", ylabel="code $z_2$")
    plane.legend(loc="lower left", fontsize=12, frameon=True)


def _terms(x, axes, variances, sigma2, angle, factor):
    """log p(x) and the gap of one point x (D,), in nats; m (2,), s and q's covariance (2, 2)."""
    turn = torch.tensor(angle / 180 * math.pi).double()
    turn = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()]).view(2, 2)
    w = axes.T * (variances - sigma2).clamp(min=0).sqrt() @ turn  # (D, 2)
    s = sigma2 * torch.linalg.inv(w.T @ w + sigma2 * torch.eye(2).double())
    m = s @ w.T @ x / sigma2
    q = factor**2 * torch.diag(1 / torch.linalg.inv(s).diagonal())
    marginal = MultivariateNormal(0 * x, w @ w.T + sigma2 * torch.eye(len(x)).double())
    return marginal.log_prob(x).item(), max(gaussian_kl(m, q, m, s).item(), 0.0), m, s, q


def points(x, wanted, fits):
    """x as finite numbers (N, D) in double precision on the CPU, of three points or more."""
    x = inputs.scaled(inputs.finite(inputs.numbers(x, "x"), "x")).detach().cpu().double()
    if x.ndim != 2 or not fits(x.shape[1]):
        raise ValueError(f"x is {tuple(x.shape)}: points {wanted} are wanted.")
    if len(x) < 3:
        raise ValueError(f"x has {len(x)} rows: three points at least are wanted.")
    if (x == x[0]).all():
        raise ValueError("All points of x are equal: there is no axis to find.")
    return x


def even(n):
    """The numbers of at most 500 of n rows, evenly chosen."""
    return torch.linspace(0, n - 1, min(n, MOST)).round().long()
