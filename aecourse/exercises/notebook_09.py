"""Exercises of notebook 09: a variational autoencoder from an empty page.

`sample` and the tasks for the fast are used in that notebook only; their solutions stand here. The
others are the package's.
"""

import functools
import inspect
import math

import torch
from torch import nn
from torch.distributions import Normal

from aecourse import conditional, losses, models
from aecourse.attempts import Stopped
from aecourse.exercises import exercise
from aecourse.exercises.notebook_06 import SEEDED, alike, answered, is_linear, made, tensor
from aecourse.losses import reparameterise


def _posteriors():
    """mu and logvar: the talk's own example, -2 and 2 log 0.5, then random ones."""
    generator = torch.Generator().manual_seed(0)
    cases = [(torch.tensor([[-2.0]]), torch.tensor([[2 * math.log(0.5)]]))]
    cases += [tuple(torch.randn(2, n, d, generator=generator)) for n, d in [(5, 2), (4, 6)]]
    return [*cases, (torch.zeros(3, 2), torch.tensor([[-9.0, 5.0], [0.0, 4.0], [-4.0, 1.0]]))]


def _kl_with(power=2, sign=1, half=2, by=len, var=torch.exp, log=lambda logvar: logvar):
    def kl_divergence(mu, logvar):
        terms = mu**power + var(logvar) - 1 - log(logvar)
        return sign * terms.sum() / half / by(mu)

    return kl_divergence


exercise(
    losses.kl_divergence,
    trained=True,
    cases=_posteriors,
    mistakes={
        "look at mu: it counts squared. This is the misprint on the talk's slide, which has -mu "
        "in place of -mu^2.": _kl_with(power=1),
        "look at mu and at the sign: this is the talk's slide as printed, with -mu in place of "
        "-mu^2, and it is minus a divergence.": _kl_with(power=1, sign=-1),
        "look at the sign: a divergence is never negative; the slide maximises minus this.": (
            _kl_with(sign=-1)
        ),
        "look at the half: it stands before the whole sum.": _kl_with(half=1),
        "look at the mean: the latent dimensions are summed, only the examples are averaged.": (
            _kl_with(by=torch.numel)
        ),
        "look at the sum: it grows with the number of examples; divide by len(mu).": (
            _kl_with(by=lambda mu: 1)
        ),
        "look at the variance: it is logvar.exp(), here logvar stands for it.": (
            _kl_with(var=lambda logvar: logvar)
        ),
        "look at the variance: logvar is the log of sigma^2 already; exp(2 logvar) is sigma^4.": (
            _kl_with(var=lambda logvar: (2 * logvar).exp())
        ),
        "look at the variance: exp(logvar / 2) is sigma, and sigma^2 is wanted.": (
            _kl_with(var=lambda logvar: (logvar / 2).exp())
        ),
        "look at the sum: one number for the batch is wanted, not one for each example.": (
            lambda mu, logvar: (mu**2 + logvar.exp() - 1 - logvar).sum(1) / 2
        ),
        "look at the axes: sum over the latent dimensions, axis 1, average over the examples.": (
            _kl_with(by=lambda mu: mu.shape[1])
        ),
        "look at the logarithm: the formula has log sigma^2, which is logvar, not half of it.": (
            _kl_with(log=lambda logvar: logvar / 2)
        ),
    },
    hints=(
        "For each number of the code: mu^2 + sigma^2 - 1 - log sigma^2, with sigma^2 = e^logvar.",
        "Sum over all of (N, d), halve, divide by len(mu).",
        "Try:  return (mu.square() + logvar.exp() - 1 - ...).sum() / 2 / len(mu)",
    ),
)


def _try_reparameterise(reparameterise, n, d):
    mu, logvar, eps = torch.randn(3, n, d)
    logvar[0] *= 6  # narrow and wide ones
    mu.requires_grad_(), logvar.requires_grad_()
    z = torch.as_tensor(reparameterise(mu, logvar, eps))
    if z.requires_grad:
        z.sum().backward()
    gradients = [torch.zeros(n, d) if a.grad is None else a.grad for a in (mu, logvar)]
    return {
        "z": z,
        "the gradient of the sum of z with respect to mu": gradients[0],
        "the gradient of the sum of z with respect to logvar": gradients[1],
    }


exercise(
    losses.reparameterise,
    cases=lambda: [(5, 2), (4, 7)],
    probe=_try_reparameterise,
    mistakes={
        "look at sigma: it is exp(logvar / 2); exp(logvar) is the variance.": (
            lambda mu, logvar, eps: mu + logvar.exp() * eps
        ),
        "look at sigma: logvar is a logarithm, take exp(logvar / 2).": (
            lambda mu, logvar, eps: mu + logvar * eps
        ),
        "look at sigma: logvar is the logarithm of sigma^2, whose root is exp(logvar / 2).": (
            lambda mu, logvar, eps: mu + logvar.sqrt() * eps
        ),
        "look at eps: the noise is given, as an argument; do not draw another.": (
            lambda mu, logvar, eps: mu + (logvar / 2).exp() * torch.randn_like(mu)
        ),
        "look at the gradient: it must flow back to mu and logvar, that is what the trick is for; "
        "no detach, no no_grad.": (
            lambda mu, logvar, eps: reparameterise(mu, logvar, eps).detach()
        ),
        "look at torch.normal: it draws noise of its own and has no gradient; the sample is mu + "
        "sigma * eps.": lambda mu, logvar, eps: torch.normal(mu, (logvar / 2).exp()),
        "look at mu: no gradient reaches it, for it is detached; the value is right.": (
            lambda mu, logvar, eps: reparameterise(mu.detach(), logvar, eps)
        ),
        "look at logvar: no gradient reaches it, for it is detached; the value is right.": (
            lambda mu, logvar, eps: reparameterise(mu, logvar.detach(), eps)
        ),
        "look at mu: the noise lies around it, not around 0.": (
            lambda mu, logvar, eps: (logvar / 2).exp() * eps
        ),
        "look at the square: eps is used as it comes.": (
            lambda mu, logvar, eps: mu + (logvar / 2).exp() * eps**2
        ),
    },
    hints=(
        "z = mu + sigma * eps, number by number.",
        "logvar is log sigma^2, so sigma is exp(logvar / 2).",
        "Try:  return mu + (...).exp() * eps",
    ),
)


def _try_vae(VAE, shape, hidden, d):
    model, x = made(VAE, shape, hidden, d), torch.rand(5, *shape)
    mu, logvar = _told(model, VAE, model.posterior, x)
    z, x_hat = tensor(model.encode(x), "encode"), None
    if mu.shape == logvar.shape == z.shape == (5, d):
        _takes_codes(model, z)
        x_hat = answered(model, x)
        (x_hat.sum() + (logvar.sum() if logvar.requires_grad else 0)).backward()
    twice = [_pair(model.train().posterior(x))[0] for _ in range(2)]
    model.eval()
    return {
        "posterior says something else of the same image at the second call: is there dropout? "
        "The noise belongs to the loss.": not _equal(*twice),
        "the shapes of mu and logvar of 5 images": (*mu.shape, *logvar.shape),
        "the shape of encode(x), of 5 images,": z.shape,
        "the shapes of mu and logvar of one image": tuple(
            n for part in _pair(model.posterior(x[:1])) for n in part.shape
        ),
        "the shape of encode(x) of one image": model.encode(x[:1]).shape,
        "encode(x) should be the mean mu, the first of the two of posterior(x).": _equal(z, mu),
        "model(x) should be the decoded mean, decode(encode(x)).": bool(
            x_hat is not None and _equal(x_hat, model.decode(mu))
        ),
        **_of_its_posterior(model, x, torch.stack([mu, logvar]) if x_hat is not None else mu),
        **_of_its_layers(VAE, model, shape, hidden, d),
    }


def _takes_codes(model, z):
    """Raise Stopped where the decoder waits for 2 d numbers."""
    try:
        model.logits(torch.cat([z, z], 1))
    except (RuntimeError, ValueError):
        return
    raise Stopped(
        "look at super().__init__: given 2 * d, the decoder waits for 2 d numbers too; give it d, "
        "and make self.encoder anew."
    )


def _pair(answer):
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Stopped("look at posterior: it should return two tensors, mu and logvar.")
    return [tensor(part, "posterior") for part in answer]


class _Call(nn.Module):
    """A method of a model as a network: `answered` names the layer at which it stops."""

    def __init__(self, model, call):
        super().__init__()
        self.model, self.call = model, call

    def forward(self, x):
        self.answer = self.call(x)
        return x


def _told(model, make, posterior, x):
    """mu and logvar that posterior(x) gives. Raises Stopped with the layer that does not fit."""
    network = _Call(model, posterior)
    answered(network, x, make)
    return _pair(network.answer)


def _of_its_posterior(model, x, pair):
    """Facts about the numbers that posterior gives, also of images far from usual ones."""
    mu, logvar = _pair(model.posterior(100 * torch.randn(200, *x.shape[1:])))
    halves = torch.rand(2, 50, *x.shape[1:])
    return {
        "mu and logvar should not be the same numbers: the encoder gives 2 d.": (
            len(pair) == 2 and (pair[0][..., None] == pair[1][:, None]).all(0).any().item()
        ),
        "logvar can be any number, below -1 and above 1: is it clamped, or an exp of something?": (
            bool((logvar < -1).any() and (logvar > 1).any())
        ),
        "no number of mu is ever negative: is there a ReLU or a sigmoid at the end?": (
            bool((mu >= 0).all())
        ),
        "mu never leaves [-1, 1]: is there a tanh at the end?": bool((mu.abs() <= 1).all()),
        "the encoder is linear: is there an activation between any two of its layers?": (
            is_linear(model.encode, *halves)
        ),
        "no gradient flows through encode: is there a detach or a no_grad?": (
            not model.encode(x).requires_grad
        ),
        "no gradient flows through logvar: is there a detach or a no_grad?": (
            not model.posterior(x)[1].requires_grad
        ),
    }


LEFT_OVER = (
    "some of its layers get no gradient: the encoder of Autoencoder is still there, beside your "
    "own; replace it, or set it to None."
)


def _of_its_layers(VAE, model, shape, hidden, d):
    """Facts about what the model holds. Layers may have any names, and convolutions any widths."""
    kinds = {type(layer) for layer in VAE(shape, hidden, d, nn.Tanh).modules()}
    wider = made(VAE, shape, tuple(2 * n for n in hidden), d)
    wider.posterior(torch.rand(1, *shape))  # a lazy layer has sizes then
    sizes = [[p.shape for p in net.parameters()] for net in (model, wider)]
    return {
        LEFT_OVER: any(p.grad is None for p in model.parameters()),
        "hidden is an argument: encoder and decoder have layers of these widths.": (
            sizes[0] == sizes[1] and not any(isinstance(m, nn.Conv2d) for m in model.modules())
        ),
        "output is an argument: what the decoder ends with, in place of a sigmoid.": (
            VAE(shape, hidden, d, output=nn.Identity).decode(50 * torch.randn(20, d)).min() >= 0
        ),
        "activation is an argument: encoder and decoder use it.": (
            nn.Tanh in kinds and nn.ReLU not in kinds
        ),
        SEEDED: alike(model, VAE(shape, hidden, d)),
    }


def _equal(a, b):
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-6)


class _Spare(models.VAE):
    """The inherited encoder is never used."""

    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, activation, output)
        self.spare, self.encoder = self.encoder, models.Autoencoder(shape, hidden, d).encoder

    def posterior(self, x):
        return self.spare(x.flatten(1)).chunk(2, dim=1)


class _Half(models.VAE):
    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, activation, output)
        self.encoder = models.mlp([math.prod(shape), *hidden, d], activation)


class _Positive(models.VAE):
    def posterior(self, x):
        mu, logvar = super().posterior(x)
        return mu, logvar.exp()


class _Shared(_Half):
    def posterior(self, x):
        mu = self.encoder(x.flatten(1))
        return mu, mu


class _Random(models.VAE):
    def encode(self, x):
        mu, logvar = self.posterior(x)
        return mu + (logvar / 2).exp() * torch.randn_like(mu)


class _Both(models.VAE):
    def encode(self, x):
        return self.encoder(x.flatten(1))

    def forward(self, x):
        return self.decode(self.posterior(x)[0])


exercise(
    models.VAE,
    cases=lambda: [((1, 6, 5), (16, 8), 2), ((1, 4, 4), (12,), 4), ((3, 4, 4), (9,), 3)],
    probe=_try_vae,
    mistakes={
        "look at the encoder: its last layer needs 2 d numbers, d for mu and d for logvar.": _Half,
        "look at the encoder: mu and logvar are the same numbers here; it needs 2 d of them.": (
            _Shared
        ),
        "look at logvar: the network's raw output is taken for log sigma^2, any number; no exp, "
        "no clamp.": _Positive,
        "look at encode: it is mu, the first of the two of posterior, without noise.": _Random,
        "look at encode: it is mu alone, (N, d), and not both halves.": _Both,
        "look at the encoder of Autoencoder: it is still there, beside your own, and never used; "
        "replace it, or set it to None.": _Spare,
    },
    hints=(
        "After super().__init__(shape, hidden, d, activation, output) replace self.encoder only.",
        "self.encoder = mlp([math.prod(shape), *hidden, 2 * d], activation)",
        "posterior: self.encoder(x.flatten(1)).chunk(2, dim=1); encode: the first of the two.",
        "Try:  self.encoder = mlp([math.prod(shape), *hidden, ...], activation),  and in encode  "
        "return self.posterior(x)[...]",
    ),
)


def _try_conditional(ConditionalVAE, shape, classes, hidden, d):
    model, x = made(ConditionalVAE, shape, classes, hidden, d), torch.rand(classes, *shape)
    y, z = torch.arange(classes), torch.randn(classes, d)
    mu, logvar = _told(model, ConditionalVAE, lambda x: model.posterior(x, y), x)
    logits = _logits(model, ConditionalVAE, z, y)
    if len(inspect.signature(model.decode).parameters) < 2:
        raise Stopped("look at decode: that of Autoencoder knows no y; write decode(self, z, y).")
    shapes = mu.shape == logvar.shape == (classes, d) and logits.shape == (classes, *shape)
    if shapes:
        _also_without_the_last_class(model, x, z)
        total = mu.sum() + logvar.sum() + model.logits(mu, y).square().sum()
        total.backward() if total.requires_grad else None
    return {
        "the shapes of mu and logvar of one image of each class": (*mu.shape, *logvar.shape),
        "the shape of the logits of one code of each class": logits.shape,
        "decode(z, y) should be the sigmoid of logits(z, y).": bool(
            shapes and _equal(tensor(model.decode(z, y), "decode"), logits.sigmoid())
        ),
        "logits never leave [0, 1]: is there a sigmoid? It belongs to decode.": bool(
            shapes and ((far := model.logits(100 * z, y)) >= 0).all() and (far <= 1).all()
        ),
        **(_of_the_label(model, x[:1], z[:1], classes) if shapes else {}),
        "no gradient flows through posterior: is there a detach or a no_grad?": not (
            mu.requires_grad and logvar.requires_grad
        ),
        "no gradient flows through logits: is there a detach or a no_grad?": (
            not logits.requires_grad
        ),
        "some of its layers get no gradient: those of Autoencoder are still there, beside your "
        "own; replace them.": any(p.grad is None for p in model.parameters()),
        SEEDED: alike(model, ConditionalVAE(shape, classes, hidden, d)),
    }


def _logits(model, make, z, y):
    network = _Call(model, lambda z: model.logits(z, y))
    answered(network, z, make)
    return tensor(network.answer, "logits")


def _also_without_the_last_class(model, x, z):
    """Raise Stopped if a batch of one class alone is not taken."""
    y = torch.zeros(len(x), dtype=torch.long)
    try:
        model.posterior(x, y), model.logits(z, y)
    except RuntimeError:
        told = "it counts the classes that it sees, and a batch may lack the last one"
        raise Stopped(f"look at one_hot: {told}; F.one_hot(y, classes).") from None


def _of_the_label(model, x, z, classes):
    """Facts about what changes with the label of one image x (1, *shape) or one code z (1, d)."""
    y = torch.arange(classes)
    x, z = x.expand(classes, *x.shape[1:]), z.expand(classes, -1)
    mu, logits = model.posterior(x, y)[0], model.logits(z, y)
    return {
        "posterior says the same of an image whatever its label: is the label left out there?": (
            _equal(mu, mu[:1].expand_as(mu))
        ),
        "logits are the same whatever the label: is the label left out there?": (
            _equal(logits, logits[:1].expand_as(logits))
        ),
        "posterior says the same of any image: are the pixels left out?": (
            _equal(mu, model.posterior(1 - x, y)[0])
        ),
        "logits are the same for any code: is the code left out?": (
            _equal(logits, model.logits(z + 1, y))
        ),
        "the encoder takes the label as a size, so that class 2 lies between 1 and 3: a one-hot "
        "row keeps classes apart.": _is_a_size(lambda y: model.posterior(x, y)[0], y),
        "the decoder takes the label as a size, so that class 2 lies between 1 and 3: a one-hot "
        "row keeps classes apart.": _is_a_size(lambda y: model.logits(z, y), y),
        "the label of one image changes what is said of another: is it one label for the batch?": (
            not _equal(mu[-1:], model.posterior(x, y.roll(1))[0][:1])
        ),
    }


def _is_a_size(f, y):
    """Whether f goes on to change where there are no more classes."""
    try:
        beyond = [f(torch.full_like(y, 100 + k)) for k in (0, 5)]
    except Exception:
        return False
    return not _equal(*beyond)


class _Sized(conditional.ConditionalVAE):
    """The label as a number."""

    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__(shape, 1, hidden, d, activation)

    def posterior(self, x, y):
        return self.encoder(torch.cat([x.flatten(1), y[:, None]], 1)).chunk(2, dim=1)

    def logits(self, z, y):
        return self.decoder(torch.cat([z, y[:, None]], 1)).unflatten(1, self.shape)


class _HalfConditional(conditional.ConditionalVAE):
    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__(shape, classes, hidden, d, activation)
        self.encoder = models.mlp([math.prod(shape) + classes, *hidden, d], activation)


class _Blind(conditional.ConditionalVAE):
    """The encoder is not told the label."""

    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__(shape, classes, hidden, d, activation)
        self.encoder = models.mlp([math.prod(shape), *hidden, 2 * d], activation)

    def posterior(self, x, y):
        return self.encoder(x.flatten(1)).chunk(2, dim=1)


class _Mute(conditional.ConditionalVAE):
    """The decoder is not told the label."""

    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__(shape, classes, hidden, d, activation)
        self.decoder = models.mlp([d, *hidden[::-1], math.prod(shape)], activation)

    def logits(self, z, y):
        return self.decoder(z).unflatten(1, self.shape)


class _Raw(conditional.ConditionalVAE):
    def decode(self, z, y):
        return self.logits(z, y)


class _Twice(conditional.ConditionalVAE):
    def logits(self, z, y):
        return super().logits(z, y).sigmoid()

    def decode(self, z, y):
        return self.logits(z, y)


exercise(
    conditional.ConditionalVAE,
    cases=lambda: [((1, 6, 5), 3, (16, 8), 2), ((1, 4, 4), 12, (24,), 4), ((3, 4, 4), 2, (9,), 3)],
    probe=_try_conditional,
    mistakes={
        "look at the label: as one number it makes class 2 lie between 1 and 3; F.one_hot(y, "
        "classes) keeps classes apart.": _Sized,
        "look at posterior: the encoder is not told the label; append it to the pixels too.": (
            _Blind
        ),
        "look at logits: the decoder is not told the label, so it can't know what to draw.": _Mute,
        "look at the encoder: its last layer needs 2 d numbers, d for mu and d for logvar.": (
            _HalfConditional
        ),
        "look at decode: pixels are wanted, the sigmoid of the logits.": _Raw,
        "look at logits: they are any real numbers; the sigmoid belongs to decode.": _Twice,
    },
    hints=(
        "A one-hot row has a 1 at the place of the class: F.one_hot(y, classes) is (N, classes).",
        "torch.cat([x.flatten(1), F.one_hot(y, classes)], 1) is what the encoder gets: its first "
        "layer takes math.prod(shape) + classes numbers.",
        "The decoder gets the code and the same row: mlp([d + classes, *hidden[::-1], "
        "math.prod(shape)], activation); .unflatten(1, shape) makes images of its answer.",
        "Try:  return self.decoder(torch.cat([z, ...], 1)).unflatten(1, self.shape)",
    ),
)


class _Given:
    """A VAE whose posterior is given, and which remembers the codes that it is asked to decode."""

    def __init__(self, shape, n, d, logvar):
        self.shape, self.codes = shape, None
        self.mu, self.logvar = torch.randn(n, d), torch.full((n, d), logvar)
        self.weight = torch.randn(d, math.prod(shape))
        for a in (self.mu, self.logvar, self.weight):
            a.requires_grad_()

    def slopes(self, term):
        """Gradients of a term with respect to mu, logvar and the decoder's weight."""
        inputs = (self.mu, self.logvar, self.weight)
        if not (isinstance(term, torch.Tensor) and term.requires_grad):
            return [torch.zeros_like(a) for a in inputs]
        slopes = torch.autograd.grad(term, inputs, allow_unused=True, retain_graph=True)
        return [
            torch.zeros_like(a) if s is None else s for a, s in zip(inputs, slopes, strict=True)
        ]

    def posterior(self, x):
        return 1 * self.mu, 1 * self.logvar  # under no_grad without a way back, as a network's

    def encode(self, x):
        return 1 * self.mu

    def logits(self, z):
        self.codes = z
        return (z @ self.weight).unflatten(1, self.shape)

    def decode(self, z):
        return self.logits(z).sigmoid()

    def __call__(self, x):
        return self.decode(self.mu)


def _try_elbo(negative_elbo, shape, n, d):
    model, x = _Given(shape, n, d, -40.0), torch.rand(n, *shape)
    plain, heavy = negative_elbo(model, x), negative_elbo(model, x, 4.0)
    gaussian = negative_elbo(model, x, 1.0, 0.5)
    other = negative_elbo(model, x, 1.0, None, _absolute)
    both = negative_elbo(model, x, 1.0, 0.5, _absolute)
    named = [isinstance(t, dict) and set(t) == {"reconstruction", "kl"} for t in (plain, heavy)]
    return {
        'it should return a dict of two terms, "reconstruction" and "kl".': all(named),
        "the reconstruction, without noise,": _term(plain, "reconstruction"),
        "the kl term": _term(plain, "kl"),
        "the kl term with beta = 4": _term(heavy, "kl"),
        "the kl term with beta = 0": _term(negative_elbo(model, x, 0.0), "kl"),
        "the reconstruction with beta = 4": _term(heavy, "reconstruction"),
        "the reconstruction with sigma = 0.5": _term(gaussian, "reconstruction"),
        "the reconstruction with another nll": _term(other, "reconstruction"),
        "the reconstruction with sigma = 0.5 and another nll": _term(both, "reconstruction"),
        **_of_its_noise(negative_elbo, _Given(shape, 1000, d, 1.0), torch.rand(1000, *shape)),
        **_with_a_sigma(negative_elbo, _Given(shape, 1000, d, 1.0), torch.rand(1000, *shape)),
    }


def _with_a_sigma(negative_elbo, model, x):
    facts = _of_its_noise(functools.partial(negative_elbo, sigma=0.5), model, x)
    return {f"with a sigma, {fact}": value for fact, value in facts.items()}


def _of_its_noise(negative_elbo, model, x):
    """Facts about z in two calls, and about the gradients of both terms."""
    drawn = []
    for _ in range(2):
        terms = negative_elbo(model, x)
        if model.codes is None:
            raise Stopped("look at the reconstruction: no code is given to logits or decode.")
        drawn.append((model.codes - model.mu).detach())
    return {
        "the noise should be drawn anew in each call: is a seed fixed?": not torch.equal(*drawn),
        "each number of a code should have its own noise, eps like mu.": bool(
            drawn[0][:, :2].T.corrcoef()[0, 1].abs() < 0.5 and drawn[0][:2, 0].diff().abs() > 1e-6
        ),
        "the width of the noise in z, as a multiple of sigma,": round(
            float(drawn[0].std() / math.exp(0.5)), 1
        ),
        **_of_its_gradients(
            model.slopes(_term(terms, "reconstruction")), model.slopes(_term(terms, "kl"))
        ),
    }


def _of_its_gradients(of_reconstruction, of_kl):
    by_mu, by_logvar, by_weight = (slope.any() for slope in of_reconstruction)
    return {
        "no gradient of the reconstruction reaches mu: is z detached, or a term .item()?": (
            not by_mu
        ),
        "no gradient of the reconstruction reaches logvar: is the noise scaled by it?": (
            not by_logvar
        ),
        "no gradient of the reconstruction reaches the decoder.": not by_weight,
        "no gradient of the kl term reaches mu or logvar: is it detached, or a number?": (
            not all(slope.any() for slope in of_kl[:2])
        ),
        "the gradient of the kl term with respect to mu": of_kl[0],
        "the gradient of the kl term with respect to logvar": of_kl[1],
    }


def _absolute(x, logits):
    return (x - logits).abs().sum()


def _term(terms, name):
    return terms.get(name, 0.0) if isinstance(terms, dict) else 0.0


def _elbo_with(code=reparameterise, pixels=False, kl=1.0, beta_of_kl=True, gaussian=True):
    def negative_elbo(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
        mu, logvar = model.posterior(x)
        z = code(mu, logvar, torch.randn_like(mu))
        if sigma is None or not gaussian:
            reconstruction = nll(x, model.decode(z) if pixels else model.logits(z))
        else:
            reconstruction = losses.gaussian_nll(x, model.decode(z), sigma)
        divergence = (beta if beta_of_kl else 1) * kl * losses.kl_divergence(mu, logvar)
        return {"reconstruction": reconstruction, "kl": divergence}

    return negative_elbo


def _averaged(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
    terms = losses.negative_elbo(model, x, beta, sigma, nll)
    return terms | {"reconstruction": terms["reconstruction"] / x[0].numel()}


def _beta_at_both(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
    terms = losses.negative_elbo(model, x, beta, sigma, nll)
    return terms | {"reconstruction": beta * terms["reconstruction"]}


def _mean_squared(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
    terms = losses.negative_elbo(model, x, beta, sigma, nll)
    if sigma is not None:
        return terms
    return terms | {"reconstruction": (x - model.decode(model.codes)).square().mean()}


def _total(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
    return sum(losses.negative_elbo(model, x, beta, sigma, nll).values())


def _gaussian_of(pixels):
    def negative_elbo(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
        terms = losses.negative_elbo(model, x, beta, sigma, nll)
        if sigma is None:
            return terms
        return terms | {"reconstruction": losses.gaussian_nll(x, pixels(model, x), sigma)}

    return negative_elbo


exercise(
    losses.negative_elbo,
    cases=lambda: [((1, 4, 4), 6, 2), ((1, 3, 5), 7, 3)],
    probe=_try_elbo,
    mistakes={
        "look at z: it is mu here; without noise the decoder never sees the neighbourhood of a "
        "code.": _elbo_with(code=lambda mu, logvar, eps: mu),
        "look at the sign: the kl term is added to the loss, it pulls towards the prior.": (
            _elbo_with(kl=-1.0)
        ),
        "look at beta: it multiplies the kl term.": _elbo_with(beta_of_kl=False),
        "look at the sigmoid: nll takes logits, decode(z) has been through it already.": (
            _elbo_with(pixels=True)
        ),
        "look at the mean: averaged over the pixels the reconstruction is hundreds of times too "
        "weak, and the codes collapse; sum them.": _averaged,
        "look at what is returned: a dict of two named terms, no tuple and not their sum.": _total,
        "look at beta: it multiplies the kl term alone.": _beta_at_both,
        "look at model(x): it decodes mu, without noise, and has been through the sigmoid; nll "
        "takes model.logits(z).": _elbo_with(code=lambda mu, logvar, eps: mu, pixels=True),
        "look at nll: it is an argument; call it, in place of bernoulli_nll.": (
            lambda model, x, beta=1.0, sigma=None, nll=None: losses.negative_elbo(
                model, x, beta, sigma
            )
        ),
        "look at the reconstruction: it is nll(x, model.logits(z)), in nats, and no mean squared "
        "error.": _mean_squared,
        "look at sigma: where it is given the likelihood is Gaussian, gaussian_nll.": (
            _elbo_with(gaussian=False)
        ),
        "look at z where there is a sigma: model(x) decodes mu, without noise; decode z.": (
            _gaussian_of(lambda model, x: model(x))
        ),
        "look at the pixels of gaussian_nll: they are model.decode(z), not the logits.": (
            _gaussian_of(lambda model, x: model.logits(model.codes))
        ),
        "look at the noise: it is as wide as the variance, not as sigma.": (
            _elbo_with(code=lambda mu, logvar, eps: mu + logvar.exp() * eps)
        ),
    },
    hints=(
        "mu, logvar = model.posterior(x); z by reparameterise, with eps = torch.randn_like(mu).",
        "The reconstruction is nll(x, model.logits(z)), or, if there is a sigma, gaussian_nll(x, "
        "model.decode(z), sigma).",
        'Try:  return {"reconstruction": ..., "kl": beta * kl_divergence(mu, logvar)}',
    ),
)


def sample(decode, n, d):
    return decode(torch.randn(n, d))


def _try_sample(sample, n, d):
    def decode(z):
        if z.ndim != 2:
            raise Stopped(f"look at the codes: decode is given shape {tuple(z.shape)}, not (n, d).")
        return (3 * z + 1)[:, None, None]

    images, again = (tensor(sample(decode, n, d), "what is returned") for _ in range(2))
    z = (images.flatten(1) - 1) / 3
    r = float(z[:, :2].T.corrcoef()[0, 1].nan_to_num().abs()) if len(z) > 1 else 0.0
    return {
        "the shape of the images": images.shape,
        "the number of different codes": len(z.unique(dim=0)),
        "the mean of the codes": abs(round(float(z.mean()), 1)),
        "the standard deviation of the codes": round(float(z.std()), 1),
        "no code lies beyond 2.5: is it drawn from the normal distribution?": (
            not (z.abs() > 2.5).any()
        ),
        "two calls give the same images: draw new codes each time, without a fixed seed.": (
            torch.equal(images, again)
        ),
        "the correlation of two numbers of a code": round(r if r > 0.15 else 0.0, 1),  # 6.7 sigma
        "the codes of a call have a mean of just 0: each is drawn by itself, none is centred.": (
            bool((z.mean(0).abs() < 1e-5).all())
        ),
    }


exercise(
    sample,
    cases=lambda: [(3000, 2), (2000, 5)],
    probe=_try_sample,
    mistakes={
        "look at the law: torch.rand is uniform on [0, 1], the prior is normal: torch.randn.": (
            lambda decode, n, d: decode(torch.rand(n, d))
        ),
        "look at the law: a uniform one on [-1, 1] is still not the prior; torch.randn.": (
            lambda decode, n, d: decode(2 * torch.rand(n, d) - 1)
        ),
        "look at the noise: each image needs a code of its own, randn(n, d).": (
            lambda decode, n, d: decode(torch.randn(1, d).expand(n, d))
        ),
        "look at the code: each of its numbers is drawn anew, randn(n, d), not randn(n, 1).": (
            lambda decode, n, d: decode(torch.randn(n, 1).expand(n, d).contiguous())
        ),
        "look at what is returned: images are wanted, that is decoded codes.": (
            lambda decode, n, d: torch.randn(n, d)
        ),
    },
    hints=(
        "The prior is N(0, I): torch.randn(n, d) draws n codes from it.",
        "Try:  return decode(...)",
    ),
)


def kl_by_sampling(mu, logvar, eps):
    """KL(q || N(0, I)) estimated by log q(z) - log p(z) at one sample z an example.

    Summed over the d dimensions, averaged over the batch; mu, logvar, eps (N, d).
    """
    z = reparameterise(mu, logvar, eps)
    normal = torch.distributions.Normal
    log_q = normal(mu, (logvar / 2).exp()).log_prob(z)
    return (log_q - normal(0.0, 1.0).log_prob(z)).sum() / len(mu)


def _with_noise():
    generator = torch.Generator().manual_seed(0)
    cases = [tuple(torch.randn(3, n, d, generator=generator)) for n, d in [(5, 2), (4, 7)]]
    eps = torch.randn(6, 3, generator=generator)  # where p is larger than q: an estimate below 0
    return [*cases, (-0.3 * eps, 0.1 * eps, eps)]


exercise(
    kl_by_sampling,
    trained=True,
    cases=_with_noise,
    mistakes={
        "look at the sample: this is the closed form; estimate it from z.": (
            lambda mu, logvar, eps: losses.kl_divergence(mu, logvar)
        ),
        "look at the sign: it is log q minus log p.": (
            lambda mu, logvar, eps: -kl_by_sampling(mu, logvar, eps)
        ),
        "look at z: the densities are taken at mu + sigma eps, not at mu.": (
            lambda mu, logvar, eps: kl_by_sampling(mu, logvar, 0 * eps)
        ),
        "look at the width of q: it is exp(logvar / 2), the variance is exp(logvar).": (
            lambda mu, logvar, eps: (
                (
                    Normal(mu, logvar.exp()).log_prob(reparameterise(mu, logvar, eps))
                    - Normal(0.0, 1.0).log_prob(reparameterise(mu, logvar, eps))
                ).sum()
                / len(mu)
            )
        ),
        "look at the mean: the dimensions are summed, only the examples are averaged.": (
            lambda mu, logvar, eps: kl_by_sampling(mu, logvar, eps) / mu.shape[1]
        ),
    },
    hints=(
        "z = reparameterise(mu, logvar, eps), and then two log densities of z.",
        "torch.distributions.Normal(mean, sigma).log_prob(z) is the log density, (N, d).",
        "Try:  return (Normal(mu, (logvar / 2).exp()).log_prob(z) - ...).sum() / len(mu)",
    ),
)


def free_bits(mu, logvar, floor):
    """The KL term in which no latent dimension counts less than `floor` nats, so that none gains by
    being switched off: the sum over dimensions of max(floor, its KL averaged over the batch).

    (Kingma et al. 2016, section 4, "free bits")
    """
    each = (mu.square() + logvar.exp() - 1 - logvar).mean(0) / 2  # (d,)
    return each.clamp(min=floor).sum()


def _free_bits_with(by=lambda kl, floor: kl.mean(0).clamp(min=floor).sum()):
    def free_bits(mu, logvar, floor):
        return by((mu.square() + logvar.exp() - 1 - logvar) / 2, floor)

    return free_bits


exercise(
    free_bits,
    trained=True,
    cases=lambda: [
        (4 * mu, logvar, floor)
        for (mu, logvar, _), floor in zip(_with_noise(), (8.0, 0.5, 0.3), strict=True)
    ],
    mistakes={
        "look at the order: first the mean over the batch, then the floor for each dimension.": (
            _free_bits_with(lambda kl, floor: kl.clamp(min=floor).mean(0).sum())
        ),
        "look at the floor: it holds for each dimension; here it never comes into play.": (
            _free_bits_with(lambda kl, floor: kl.mean(0).sum().clamp(min=floor))
        ),
        "look at the direction: what is below the floor is raised to it, nothing is cut above.": (
            _free_bits_with(lambda kl, floor: kl.mean(0).clamp(max=floor).sum())
        ),
        "look at the sum: the dimensions are summed, not averaged.": (
            _free_bits_with(lambda kl, floor: kl.mean(0).clamp(min=floor).mean())
        ),
        "look at the axis: the mean is over the examples, axis 0.": (
            _free_bits_with(lambda kl, floor: kl.mean(1).clamp(min=floor).sum())
        ),
    },
    hints=(
        "The KL of each number of each example is (N, d); do not sum it yet.",
        ".mean(0) leaves one number a dimension; .clamp(min=floor) is the floor; then .sum().",
        "Try:  each = (mu.square() + logvar.exp() - 1 - logvar) / 2  and  return each.mean(0)...",
    ),
)
