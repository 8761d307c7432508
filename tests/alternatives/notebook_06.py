"""Other ways to the right answers of notebook 06."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from aecourse import models


class ConvEncoder(nn.Module):
    def __init__(self, shape, d):
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.last = nn.LazyLinear(d)
        self.last(self.conv(torch.zeros(1, *shape)).flatten(1))

    def forward(self, x):
        return self.last(self.norm(self.conv(x)).tanh().flatten(1))


def encoder_of_the_package(shape, d):
    return nn.Sequential(nn.Flatten(), *models.mlp([math.prod(shape), 32, d], nn.GELU))


class ConvDecoder(nn.Module):
    def __init__(self, shape, d):
        super().__init__()
        self.shape = shape
        self.first = nn.Linear(d, 4 * math.prod(shape[1:]))
        self.conv = nn.Conv2d(4, shape[0], 3, padding=1)

    def forward(self, z):
        return self.conv(F.relu(self.first(z)).unflatten(1, (4, *self.shape[1:])))


def decoder_of_the_package(shape, d):
    return nn.Sequential(*models.mlp([d, 32, math.prod(shape)], nn.Tanh), nn.Unflatten(1, shape))


class InOneGo(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.parts = nn.ModuleList([encoder, decoder])

    def encode(self, x):
        return self.parts[0](x)

    def logits(self, z):
        return self.parts[1](z)

    def decode(self, z):
        return 1 / (1 + torch.exp(-self.parts[1](z)))

    def forward(self, x):
        return torch.sigmoid(self.logits(self.encode(x)))


class AsSequential(nn.Sequential):
    def __init__(self, encoder, decoder):
        super().__init__(encoder, decoder, nn.Sigmoid())

    def encode(self, x):
        return self[0](x)

    def logits(self, z):
        return self[1](z)

    def decode(self, z):
        return self[2](self[1](z))


def bernoulli_by_softplus(model, x):
    logits = model.logits(model.encode(x)).double()
    return {"reconstruction": (F.softplus(logits) - x * logits).flatten(1).sum(1).mean()}


def bernoulli_by_distribution(model, x):
    law = torch.distributions.Bernoulli(logits=model.logits(model.encode(x)), validate_args=False)
    return {"reconstruction": -law.log_prob(x).sum() / len(x)}


def step_that_clears_afterwards(model, x, loss, optimizer):
    for p in model.parameters():
        p.grad = None
    terms = loss(model, x)
    total = torch.stack(list(terms.values())).sum()
    total.backward()
    optimizer.step()
    model.zero_grad()
    return float(total.detach())


def step_by_closure(model, x, loss, optimizer):
    def closure():
        optimizer.zero_grad()
        total = 0
        for term in loss(model, x).values():
            total = total + term
        total.backward()
        return total

    return optimizer.step(closure).detach().numpy()


def train_by_loader(model, x, loss, step, epochs, batch=128, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loader = DataLoader(TensorDataset(x), batch_size=batch, shuffle=True)
    history = []
    for _ in range(epochs):
        total = 0.0
        for (rows,) in loader:
            total += len(rows) * step(model, rows, loss, optimizer)
        history.append(total / len(x))
    return history


def train_by_index(model, x, loss, step, epochs, batch=128, lr=1e-3):
    optimizer = torch.optim.AdamW(model.parameters(), lr)
    history = np.zeros(epochs)
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(len(x))
        starts = range(0, len(x), batch)
        for start in starts:
            rows = x[torch.from_numpy(order[start : start + batch])]
            history[epoch] += step(model, rows, loss, optimizer) / len(starts)
    return history


def gradients_by_autograd(w, v, x):
    w, v = w.clone().requires_grad_(), v.clone().requires_grad_()
    ((x @ w.T @ v.T - x).square().sum() / len(x)).backward()
    return w.grad, v.grad


def gradients_in_loops(w, v, x):
    w, v, x = w.numpy(), v.numpy(), x.numpy()
    of_w, of_v = np.zeros_like(w), np.zeros_like(v)
    for row in x:
        error = v @ (w @ row) - row
        of_w += 2 * np.outer(v.T @ error, row) / len(x)
        of_v += 2 * np.outer(error, w @ row) / len(x)
    return of_w, of_v


def adam_of_pytorch(p, g, m, v, t, lr):
    p = p.clone().requires_grad_()
    optimizer = torch.optim.Adam([p], lr)
    p.grad = g
    state = {"step": torch.tensor(float(t - 1)), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
    optimizer.state[p] = state
    optimizer.step()
    return p, state["exp_avg"], state["exp_avg_sq"]


def adam_in_numpy(p, g, m, v, t, lr):
    p, g, m, v = (a.numpy() for a in (p, g, m, v))
    m = m + (1 - 0.9) * (g - m)
    v = v + (1 - 0.999) * (g * g - v)
    rate = lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return p - rate * m / (np.sqrt(v) + 1e-8 * np.sqrt(1 - 0.999**t)), m, v


class LeNet(nn.Module):
    """LeNet's convolutions without padding, and layers of the sizes that are left."""

    def __init__(self, shape, d):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(shape[0], 6, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        n = self.features(torch.zeros(1, *shape)).shape[1]
        self.head = nn.Sequential(nn.Linear(n, 120), nn.ReLU(), nn.Linear(120, d))

    def forward(self, x):
        return self.head(self.features(x))


def encoder_with_dropout(shape, d):
    wide = nn.Linear(math.prod(shape), 50)
    return nn.Sequential(nn.Flatten(), wide, nn.SiLU(), nn.Dropout(0.2), nn.Linear(50, d))


def decoder_of_transposed_convolutions(shape, d):
    channels, height, width = shape
    return nn.Sequential(
        nn.Linear(d, 8 * (height // 4) * (width // 4)),
        nn.ReLU(),
        nn.Unflatten(1, (8, height // 4, width // 4)),
        nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.ConvTranspose2d(4, channels, 4, stride=2, padding=1),
    )


class WithScale(nn.Module):
    """A model with a number of its own to learn, 1 at first."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.f, self.g, self.scale = encoder, decoder, nn.Parameter(torch.ones(1))

    def encode(self, x):
        return self.f(x)

    def logits(self, z):
        return self.scale * self.g(z)

    def decode(self, z):
        return F.sigmoid(self.logits(z))

    def forward(self, x):
        z = self.encode(x)
        return self.decode(z)


def bernoulli_by_name(model, x):
    logits = model.logits(model.encode(x=x))
    mean = F.binary_cross_entropy_with_logits(input=logits, target=x)
    return {"reconstruction": mean * x[0].numel()}


def step_in_named_parts(model, x, loss, optimizer):
    optimizer.zero_grad(set_to_none=False)
    terms = loss(model, x)
    value = sum(term.item() for term in terms.values())
    for term in terms.values():
        term.backward(retain_graph=True)
    optimizer.step()
    return value


def train_with_while(model, x, loss, step, epochs, batch=128, lr=1e-3):
    adam, means = torch.optim.Adam([*model.parameters()], lr), []
    while len(means) < epochs:
        mixed = x[torch.randperm(len(x))]
        values = [step(model, rows, loss, adam) for rows in mixed.split(batch)]
        means.append(torch.tensor(values).mean())
    return means


def gradients_by_the_second_moment(w, v, x):
    c = x.T @ x / len(x)  # (D, D)
    gap = (v @ w - torch.eye(len(c)).to(c)) @ c
    return 2 * v.T @ gap, 2 * gap @ w.T


def adam_in_a_loop(p, g, m, v, t, lr):
    rows = []
    for a, b, c, e in zip(*(part.tolist() for part in (p, g, m, v)), strict=True):
        c, e = 0.9 * c + 0.1 * b, 0.999 * e + 0.001 * b * b
        a -= lr * c / (1 - 0.9**t) / (math.sqrt(e / (1 - 0.999**t)) + 1e-8)
        rows.append((a, c, e))
    return [torch.tensor(column) for column in zip(*rows, strict=True)]


ALTERNATIVES = {
    "encoder": (ConvEncoder, encoder_of_the_package, LeNet, encoder_with_dropout),
    "decoder": (ConvDecoder, decoder_of_the_package, decoder_of_transposed_convolutions),
    "EncoderDecoder": (InOneGo, AsSequential, WithScale),
    "bernoulli": (bernoulli_by_softplus, bernoulli_by_distribution, bernoulli_by_name),
    "train_step": (step_that_clears_afterwards, step_by_closure, step_in_named_parts),
    "train": (train_by_loader, train_by_index, train_with_while),
    "gradients": (gradients_by_autograd, gradients_in_loops, gradients_by_the_second_moment),
    "adam": (adam_of_pytorch, adam_in_numpy, adam_in_a_loop),
}


class Through(nn.Module):
    """A network with something done to what goes in or comes out."""

    def __init__(self, network, before=None, after=None):
        super().__init__()
        self.network, self.before, self.after = network, before, after

    def forward(self, x):
        y = self.network(self.before(x) if self.before else x)
        return self.after(y) if self.after else y


class Anew(nn.Module):
    """A layer is made in each call."""

    def __init__(self, network, d):
        super().__init__()
        self.network, self.d = network, d

    def forward(self, x):
        return nn.Linear(self.d, self.d)(self.network(x))


def _coded(**what):
    return lambda shape, d: Through(encoder_of_the_package(shape, d), **what)


def _decoded(**what):
    return lambda shape, d: Through(decoder_of_the_package(shape, d), **what)


def _relu_first(shape, d):
    pixels = math.prod(shape)
    layers = nn.Linear(pixels, 64), nn.Linear(64, d)
    return nn.Sequential(nn.Flatten(), nn.ReLU(), *layers)


def _seeded(make):
    def seeded(shape, d):
        torch.manual_seed(0)
        return make(shape, d)

    return seeded


def _frozen(make):
    return lambda shape, d: make(shape, d).requires_grad_(False)


def _of_sides_exchanged(shape, d):
    pixels, (channels, height, width) = math.prod(shape), shape
    return nn.Sequential(
        nn.Linear(d, 50),
        nn.ReLU(),
        nn.Linear(50, pixels),
        nn.Unflatten(1, (channels, width, height)),
    )


class Detached(InOneGo):
    def encode(self, x):
        return super().encode(x).detach()


class WithoutGradient(InOneGo):
    @torch.no_grad()
    def logits(self, z):
        return super().logits(z)


class InAList(nn.Module):
    """Parts in a plain list, which PyTorch does not look into."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.parts = [encoder, decoder]

    encode, logits, decode, forward = (
        InOneGo.encode,
        InOneGo.logits,
        InOneGo.decode,
        InOneGo.forward,
    )


class WithoutReturn(InOneGo):
    def forward(self, x):
        self.decode(self.encode(x))


def _by_hand(model, x, loss, optimizer, lr=0.01):
    """Gradient descent without the optimizer."""
    total = sum(loss(model, x).values())
    model.zero_grad()
    total.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= optimizer.param_groups[0]["lr"] * p.grad
    return total.item()


def _trained(
    optimizer=lambda model, lr: torch.optim.Adam(model.parameters(), lr),
    rows=lambda x, i: x[i],
    after=lambda optimizer: None,
    value=lambda values: sum(values) / len(values),
):
    def train(model, x, loss, step, epochs, batch=128, lr=1e-3):
        adam, means = optimizer(model, lr), []
        for _ in range(epochs):
            values = []
            for i in torch.randperm(len(x)).split(batch):
                values.append(step(model, rows(x, i), loss, adam))
                after(adam)
            means.append(value(values))
        return means

    return train


def _shuffled_in_place(model, x, loss, step, epochs, batch=128, lr=1e-3):
    adam, means = torch.optim.Adam(model.parameters(), lr), []
    for _ in range(epochs):
        x[:] = x[torch.randperm(len(x))]
        values = [step(model, rows, loss, adam) for rows in x.split(batch)]
        means.append(sum(values) / len(values))
    return means


class _Cut:
    """A model whose codes have no way back."""

    def __init__(self, model):
        self.model, self.logits = model, model.logits

    def encode(self, x):
        return self.model.encode(x).detach()


def _adam_with_root(root):
    def adam(p, g, m, v, t, lr):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        return p - lr * m / (1 - 0.9**t) / root(v / (1 - 0.999**t)), m, v

    return adam


WRONG = {
    "encoder": {
        "a ReLU before the first layer, and none between": _relu_first,
        "standardised over the batch": _coded(after=lambda z: (z - z.mean(0)) / (z.std(0) + 1e-3)),
        "a layer made in each call": lambda shape, d: Anew(encoder_of_the_package(shape, d), d),
        "detached": _coded(after=torch.Tensor.detach),
        "dropout that eval does not end": _coded(before=F.dropout),
        "a seed fixed": _seeded(encoder_of_the_package),
        "frozen": _frozen(encoder_of_the_package),
        "a function": lambda shape, d: lambda x: encoder_of_the_package(shape, d)(x),
        "the class, not a network": lambda shape, d: LeNet,
        "784 pixels, always": lambda shape, d: encoder_of_the_package((1, 28, 28), d),
        "softplus at the end": _coded(after=F.softplus),
    },
    "decoder": {
        "a ReLU on the codes": _decoded(before=F.relu),
        "images mixed": _decoded(after=lambda y: y.flatten(1).T.reshape(y.shape)),
        "dropout that eval does not end": _decoded(before=F.dropout),
        "height and width exchanged": _of_sides_exchanged,
        "codes detached": _decoded(before=torch.Tensor.detach),
        "a seed fixed": _seeded(decoder_of_the_package),
        "tanh at the end": _decoded(after=torch.tanh),
        "clamped": _decoded(after=lambda y: y.clamp(0, 1)),
    },
    "EncoderDecoder": {
        "codes detached": Detached,
        "logits without gradient": WithoutGradient,
        "parts in a list": InAList,
        "forward without return": WithoutReturn,
    },
    "bernoulli": {
        "another name": lambda model, x: {"loss": bernoulli_by_name(model, x)["reconstruction"]},
        "a set": lambda model, x: {bernoulli_by_name(model, x)["reconstruction"]},
        "two terms": lambda model, x: bernoulli_by_name(model, x) | {"kl": torch.zeros(())},
        "codes detached": lambda model, x: bernoulli_by_name(_Cut(model), x),
    },
    "train_step": {"the optimizer ignored": _by_hand},
    "train": {
        "numbers of rows in place of rows": _trained(rows=lambda x, i: i),
        "SGD": _trained(lambda model, lr: torch.optim.SGD(model.parameters(), lr)),
        "the encoder's parameters only": _trained(
            lambda model, lr: torch.optim.Adam(model.encoder.parameters(), lr)
        ),
        "weight decay": _trained(
            lambda model, lr: torch.optim.Adam(model.parameters(), lr, weight_decay=10)
        ),
        "rows flattened": _trained(rows=lambda x, i: x[i].flatten(1)),
        "a second step": _trained(after=lambda optimizer: optimizer.step()),
        "the sum": _trained(value=sum),
        "shuffled in place": _shuffled_in_place,
        "one number": lambda *a: train_by_index(*a)[-1],
        "nothing": lambda *a: None,
    },
    "adam": {
        "epsilon forgotten": _adam_with_root(lambda v: v.sqrt()),
        "epsilon inside the root": _adam_with_root(lambda v: (v + 1e-8).sqrt()),
        "a larger epsilon": _adam_with_root(lambda v: v.sqrt() + 1e-6),
    },
}
