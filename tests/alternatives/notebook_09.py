"""Other ways to the right answers of notebook 09."""

import math

import numpy as np
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

from aecourse import losses, models


def kl_of_pytorch(mu, logvar):
    q = Independent(Normal(mu.double(), (logvar.double() / 2).exp()), 1)
    prior = Independent(Normal(torch.zeros_like(q.mean), 1.0), 1)
    return kl_divergence(q, prior).mean()


def kl_in_numpy(mu, logvar):
    mu, logvar = mu.numpy(), logvar.numpy()
    return -0.5 * np.mean(np.sum(1 + logvar - mu**2 - np.exp(logvar), axis=1))


def kl_in_loops(mu, logvar):
    total = 0.0
    for m, v in zip(mu.flatten().tolist(), logvar.flatten().tolist(), strict=True):
        total -= (1 + v - m * m - math.exp(v)) / 2
    return total / len(mu)


def sample_of_a_law(mu, logvar, eps):
    return torch.addcmul(mu, logvar.exp().sqrt(), eps)


def sample_in_double(mu, logvar, eps):
    return mu.double() + torch.exp(0.5 * logvar.double()) * eps


class TwoHeads(models.Autoencoder):
    """Two last layers in place of one twice as wide."""

    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, activation, output)
        self.encoder = models.mlp([math.prod(shape), *hidden], activation)
        self.mu, self.logvar = nn.Linear(hidden[-1], d), nn.Linear(hidden[-1], d)

    def posterior(self, x):
        h = F.relu(self.encoder(x.flatten(1)))
        return self.mu(h), self.logvar(h)

    def encode(self, x):
        return self.posterior(x)[0]


class FromNothing(nn.Module):
    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__()
        self.shape, self.d, self.squash = shape, d, output()
        self.trunk = models.mlp([math.prod(shape), *hidden, 2 * d], activation)
        self.back = models.mlp([d, *hidden[::-1], math.prod(shape)], activation)

    def posterior(self, x):
        out = self.trunk(x.reshape(len(x), -1))
        return out[:, : self.d], out[:, self.d :]

    def encode(self, x):
        mu, _ = self.posterior(x)
        return mu

    def logits(self, z):
        return self.back(z).view(-1, *self.shape)

    def decode(self, z):
        return self.squash(self.logits(z))

    def forward(self, x):
        return self.decode(self.encode(x))


class ByConvolutions(models.Autoencoder):
    """Two heads on convolutions, which take no widths from `hidden`."""

    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, activation, output)
        layers = nn.Conv2d(shape[0], 8, 3, padding=1), activation(), nn.Flatten()
        self.encoder = nn.Sequential(*layers)
        n = 8 * shape[1] * shape[2]
        self.fc_mu, self.fc_logvar = nn.Linear(n, d), nn.Linear(n, d)

    def posterior(self, x):
        h = self.encoder(x)
        return self.fc_mu(h), self.fc_logvar(h)

    def encode(self, x):
        return self.posterior(x)[0]


class ByEmbedding(nn.Module):
    """Labels by an embedding, heads of their own, no base class."""

    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__()
        self.shape, n = shape, math.prod(shape)
        self.of_pixels, self.of_codes = nn.Embedding(classes, 5), nn.Embedding(classes, 7)
        self.body = nn.Sequential(models.mlp([n + 5, *hidden], activation), activation())
        self.fc_mu, self.fc_logvar = nn.Linear(hidden[-1], d), nn.Linear(hidden[-1], d)
        self.back = models.mlp([d + 7, *hidden[::-1], n], activation)

    def posterior(self, x, y):
        h = self.body(torch.hstack([x.flatten(1), self.of_pixels(y)]))
        return self.fc_mu(h), self.fc_logvar(h)

    def logits(self, z, y):
        return self.back(torch.hstack([z, self.of_codes(y)])).view(-1, *self.shape)

    def decode(self, z, y):
        return self.logits(z, y).sigmoid()


class ByChannels(models.Autoencoder):
    """For the encoder each class is a channel of the image, white for its own."""

    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__(shape, hidden, d, activation)
        self.eye = torch.eye(classes)
        self.encoder = nn.Sequential(
            nn.Conv2d(shape[0] + classes, 4, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(4 * shape[1] * shape[2], 2 * d),
        )
        self.decoder = models.mlp([d + classes, *hidden[::-1], math.prod(shape)], activation)

    def posterior(self, x, y):
        channels = self.eye[y][:, :, None, None].expand(-1, -1, *self.shape[1:])
        return self.encoder(torch.cat([x, channels], 1)).chunk(2, 1)

    def logits(self, z, y):
        return self.decoder(torch.cat([z, self.eye[y]], 1)).unflatten(1, self.shape)

    def decode(self, z, y):
        return torch.sigmoid(self.logits(z, y))


class ByComparison(models.Autoencoder):
    """One-hot rows by comparing, the label before the numbers."""

    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__(shape, hidden, d, activation)
        self.k = torch.arange(classes)
        self.encoder = models.mlp([classes + math.prod(shape), *hidden, 2 * d], activation)
        self.decoder = models.mlp([classes + d, *hidden[::-1], math.prod(shape)], activation)

    def posterior(self, x, y):
        both = self.encoder(torch.cat([(y[:, None] == self.k).float(), x.flatten(1)], 1))
        return both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]

    def logits(self, z, y):
        return self.decoder(torch.cat([(y[:, None] == self.k).float(), z], 1)).view(-1, *self.shape)

    def decode(self, z, y):
        return self.output(self.logits(z, y))


def elbo_by_rsample(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
    mu, logvar = model.posterior(x)
    z = Normal(mu, (logvar / 2).exp()).rsample()
    if sigma is None:
        r = nll(x, model.logits(z))
    else:
        r = -Normal(model.decode(z), sigma).log_prob(x).flatten(1).sum(1).mean()
    return {"kl": beta * kl_of_pytorch(mu, logvar), "reconstruction": r}


def elbo_in_one_line(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
    mu, logvar = model.posterior(x)
    z = mu + torch.randn(mu.shape) * logvar.div(2).exp()
    if sigma is not None:

        def nll(x, logits):
            return losses.gaussian_nll(x, logits.sigmoid(), sigma)

    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()
    return dict(reconstruction=nll(x, model.logits(z)), kl=kl * beta)


def sample_by_law(decode, n, d):
    return decode(MultivariateNormal(torch.zeros(d), torch.eye(d)).sample((n,)))


def sample_one_by_one(decode, n, d):
    return torch.cat([decode(torch.normal(0.0, 1.0, (1, d))) for _ in range(n)])


def kl_from_squares(mu, logvar, eps):
    z = mu + (logvar / 2).exp() * eps
    return ((z.square() - eps.square() - logvar) / 2).sum(1).mean()


def kl_from_densities(mu, logvar, eps):
    mu, logvar, eps = mu.double(), logvar.double(), eps.double()
    q = MultivariateNormal(mu, torch.diag_embed(logvar.exp()))
    p = MultivariateNormal(torch.zeros(mu.shape[1]).double(), torch.eye(mu.shape[1]).double())
    z = mu + (logvar / 2).exp() * eps
    return (q.log_prob(z) - p.log_prob(z)).mean()


def free_bits_in_numpy(mu, logvar, floor):
    mu, logvar = mu.numpy(), logvar.numpy()
    return np.maximum(floor, np.mean(mu**2 + np.exp(logvar) - 1 - logvar, axis=0) / 2).sum()


def free_bits_by_column(mu, logvar, floor):
    columns = zip(mu.T, logvar.T, strict=True)
    each = [losses.kl_divergence(m[:, None], v[:, None]) for m, v in columns]
    return sum(kl if kl > floor else floor for kl in each)


def sample_of_a_cloud(mu, logvar, eps):
    return torch.distributions.Normal(mu, logvar.mul(0.5).exp()).mean + logvar.exp().sqrt() * eps


class WithoutChunk(models.Autoencoder):
    """Made on the base's parts, in NumPy's way of indexing."""

    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, activation, output)
        self.encoder = models.mlp((math.prod(shape), *hidden, 2 * d), activation)
        self.d = d

    def posterior(self, x):
        both = self.encoder(torch.flatten(x, start_dim=1))
        return [both[:, self.d :], both[:, : self.d]]

    def encode(self, x):
        return self.posterior(x)[0]


def elbo_summed_by_hand(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
    mu, logvar = model.posterior(x)
    z = losses.reparameterise(mu, logvar, torch.randn_like(mu))
    if sigma:
        x_hat, pixels = model.decode(z), x[0].numel()
        r = ((x - x_hat) ** 2).sum() / len(x) / (2 * sigma**2)
        r = r + pixels * math.log(sigma * math.sqrt(2 * math.pi))
    else:
        r = nll(x, model.logits(z))
    terms = {"reconstruction": r}
    terms["kl"] = beta * losses.kl_divergence(mu, logvar)
    return terms


def sample_of_numpy(decode, n, d):
    z = np.random.default_rng().standard_normal((n, d))
    return decode(torch.from_numpy(z).float())


def kl_in_one_line(mu, logvar, eps):
    sigma = (0.5 * logvar).exp()
    z = mu + sigma * eps
    return (0.5 * z**2 - 0.5 * ((z - mu) / sigma) ** 2 - sigma.log()).sum(dim=-1).mean()


def free_bits_by_maximum(mu, logvar, floor):
    each = -0.5 * (1 + logvar - mu**2 - torch.exp(logvar))
    return torch.maximum(each.mean(dim=0), torch.full_like(each[0], floor)).sum()


ALTERNATIVES = {
    "kl_divergence": (kl_of_pytorch, kl_in_numpy, kl_in_loops),
    "reparameterise": (sample_of_a_law, sample_in_double, sample_of_a_cloud),
    "VAE": (TwoHeads, FromNothing, WithoutChunk, ByConvolutions),
    "ConditionalVAE": (ByComparison, ByEmbedding, ByChannels),
    "negative_elbo": (elbo_by_rsample, elbo_in_one_line, elbo_summed_by_hand),
    "sample": (sample_by_law, sample_one_by_one, sample_of_numpy),
    "kl_by_sampling": (kl_from_squares, kl_from_densities, kl_in_one_line),
    "free_bits": (free_bits_in_numpy, free_bits_by_column, free_bits_by_maximum),
}


class MuOf(models.VAE):
    """A VAE with something done to mu, logvar or the code."""

    mu, logvar, code = (staticmethod(lambda a: a),) * 3

    def posterior(self, x):
        mu, logvar = super().posterior(x)
        return self.mu(mu), self.logvar(logvar)

    def encode(self, x):
        return self.code(self.posterior(x)[0])


def _vae(**what):
    return type("VAE", (MuOf,), {name: staticmethod(f) for name, f in what.items()})


class ReluAlways(models.VAE):
    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, output=output)


class ReluInTheDecoder(models.VAE):
    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, output=output)
        self.encoder = models.mlp([math.prod(shape), *hidden, 2 * d], activation)


class TheSame(models.VAE):
    def posterior(self, x):
        mu, _ = super().posterior(x)
        return mu, mu


class LeftOver(models.Autoencoder):
    """The inherited encoder is never used."""

    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, hidden, d, activation, output)
        self.cloud = models.mlp([math.prod(shape), *hidden, 2 * d], activation)

    def posterior(self, x):
        return self.cloud(x.flatten(1)).chunk(2, dim=1)

    def encode(self, x):
        return self.posterior(x)[0]


class LinearTrunk(TwoHeads):
    """No activation between the trunk and its two heads."""

    def posterior(self, x):
        h = self.encoder(x.flatten(1))
        return self.mu(h), self.logvar(h)


class Seeded(models.VAE):
    def __init__(self, *arguments, **named):
        torch.manual_seed(0)
        super().__init__(*arguments, **named)


class HiddenIgnored(models.VAE):
    def __init__(self, shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):
        super().__init__(shape, (256, 64), d, activation, output)


class WithDropout(models.VAE):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.encoder.insert(2, nn.Dropout(0.2))


class OneTensor(models.VAE):
    def posterior(self, x):
        return self.encoder(x.flatten(1))

    def encode(self, x):
        return self.posterior(x).chunk(2, dim=1)[0]


def _elbo(
    posterior=lambda model, x: model.posterior(x),
    eps=torch.randn_like,
    code=lambda z: z,
    kl=lambda kl: kl,
    gaussian=lambda sigma, nll: sigma is not None,
):
    def negative_elbo(model, x, beta=1.0, sigma=None, nll=losses.bernoulli_nll):
        mu, logvar = posterior(model, x)
        z = code(losses.reparameterise(mu, logvar, eps(mu)))
        if gaussian(sigma, nll):
            r = losses.gaussian_nll(x, model.decode(z), sigma)
        else:
            r = nll(x, model.logits(z))
        return {"reconstruction": r, "kl": kl(beta * losses.kl_divergence(mu, logvar))}

    return negative_elbo


def _seeded_noise(mu):
    return torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))


def _as_numbers(*arguments):
    return {name: term.item() for name, term in elbo_in_one_line(*arguments).items()}


def _drawn(noise):
    return lambda decode, n, d: decode(noise(n, d))


def _standardised(n, d):
    z = torch.randn(n, d)
    return (z - z.mean(0)) / z.std(0)


def _seeded_codes(n, d):
    torch.manual_seed(0)
    return torch.randn(n, d)


WRONG = {
    "VAE": {
        "mu through ReLU": _vae(mu=torch.relu),
        "mu through tanh": _vae(mu=torch.tanh),
        "logvar clamped": _vae(logvar=lambda v: v.clamp(-1, 1)),
        "logvar detached": _vae(logvar=torch.Tensor.detach),
        "code detached": _vae(code=torch.Tensor.detach),
        "activation ignored": ReluAlways,
        "activation ignored by the decoder": ReluInTheDecoder,
        "mu twice": TheSame,
        "an encoder left over": LeftOver,
        "linear from the trunk to its heads": LinearTrunk,
        "a seed fixed": Seeded,
        "hidden ignored": HiddenIgnored,
        "dropout": WithDropout,
        "one tensor": OneTensor,
    },
    "negative_elbo": {
        "numbers": _as_numbers,
        "kl detached": _elbo(kl=torch.Tensor.detach),
        "z detached": _elbo(code=torch.Tensor.detach),
        "posterior without gradient": _elbo(
            posterior=lambda model, x: [a.detach() for a in model.posterior(x)]
        ),
        "one eps for all numbers": _elbo(eps=lambda mu: torch.randn(len(mu), 1)),
        "one eps for all examples": _elbo(eps=lambda mu: torch.randn(mu.shape[1])),
        "a seed fixed": _elbo(eps=_seeded_noise),
        "uniform noise": _elbo(eps=torch.rand_like),
        "nll before sigma": _elbo(
            gaussian=lambda sigma, nll: sigma is not None and nll is losses.bernoulli_nll
        ),
    },
    "sample": {
        "a seed fixed": _drawn(_seeded_codes),
        "n and d exchanged": _drawn(lambda n, d: torch.randn(d, n)),
        "standardised over the batch": _drawn(_standardised),
        "of length one": _drawn(lambda n, d: F.normalize(torch.randn(n, d))),
    },
    "free_bits": {
        "detached": lambda mu, logvar, floor: free_bits_by_maximum(mu.detach(), logvar, floor),
        "a number": lambda *a: free_bits_by_maximum(*a).item(),
    },
    "kl_by_sampling": {
        "a number": lambda *a: kl_in_one_line(*a).item(),
        "detached": lambda mu, logvar, eps: kl_in_one_line(mu.detach(), logvar, eps),
    },
}
