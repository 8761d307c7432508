"""Exercises of notebook 06: an autoencoder from an empty page.

Networks and loops have many right answers: each is tried by a probe. Their solutions stand here,
since the package's own (`Autoencoder`, `fit`) carry what a learner need not write: options,
messages, a progress bar.
"""

import inspect
import math
import re

import torch
from torch import nn
from torch.nn import functional as F

from aecourse import losses
from aecourse.attempts import Stopped
from aecourse.exercises import exercise
from aecourse.models import LinearAutoencoder

SHAPES = [((1, 28, 28), 2), ((1, 64, 64), 3), ((1, 28, 20), 4), ((1, 28, 28), 1)]
DIGITS = SHAPES[0][0]
SMALL = [((1, 8, 8), 2), ((1, 16, 12), 3)]


def encoder(shape, d):
    return nn.Sequential(
        nn.Flatten(),  # (N, D)
        nn.Linear(math.prod(shape), 256),
        nn.ReLU(),
        nn.Linear(256, 64),
        nn.ReLU(),
        nn.Linear(64, d),
    )


def decoder(shape, d):
    return nn.Sequential(
        nn.Linear(d, 64),
        nn.ReLU(),
        nn.Linear(64, 256),
        nn.ReLU(),
        nn.Linear(256, math.prod(shape)),
        nn.Unflatten(1, shape),  # (N, *shape)
    )


def is_linear(network, a, b):
    """1 if the network maps the middle of a and b to the middle of what it makes of them."""
    one, two, middle = network(a), network(b), network((a + b) / 2)
    spread = float(one.detach().std(0).mean())  # of sigmoids in a row little beside the values
    return torch.allclose(middle, (one + two) / 2, rtol=0, atol=3e-3 * spread)


def _without_gradient(network, output):
    """The number of parameter tensors of the network that a loss of its output does not reach."""
    if output.requires_grad:
        output.square().sum().backward()
    return sum(p.grad is None for p in network.parameters())


def made(make, *arguments):
    """The network that the learner's function makes, in eval mode."""
    network = make(*arguments)
    if not isinstance(network, nn.Module):
        kind = network.__name__ if isinstance(network, type) else type(network).__name__
        raise Stopped(
            f"it returns a {kind}; a network is wanted, nn.Sequential(...) or another nn.Module."
        )
    return network.eval()


def line_of(f, *patterns):
    """The words "in line 3 of yours, `...`, " for the first line of the learner's function or class
    in which the first pattern is found, or else the second, ...; "" if there is none."""
    f = getattr(f, "learners", f)
    parts = vars(f).values() if isinstance(f, type) else [f]
    try:
        sources = [inspect.getsourcelines(part) for part in parts if inspect.isfunction(part)]
    except OSError:
        return ""
    for pattern in patterns:
        for lines, first in sources:
            for number, line in enumerate(lines, first):
                if found := re.search(pattern, line):
                    start = max(0, found.start() - 30) if len(line) > 90 else 0
                    return f"in line {number} of yours, `{line[start:].strip()[:80]}`, "
    return ""


def answered(network, x, make=None, shape=DIGITS):
    """network(x) for images of that shape. Raises Stopped with the learner's line, of its function
    `make`, and the layer that can't take what it is given.

    PyTorch's own layers stop in PyTorch's files: the error has no line of the learner's.
    """
    entered, hooks = [], []
    for layer in network.modules():
        if type(layer).__module__.startswith("torch.nn") and not list(layer.children()):
            hooks.append(layer.register_forward_pre_hook(lambda *call: entered.append(call)))
            hooks.append(layer.register_forward_hook(lambda *call: entered.pop() and None))
    try:
        return tensor(network(x), "the network")
    except RuntimeError as error:
        if not entered:
            raise
        layer, (given, *_) = entered[-1]
        raise Stopped(_misfit(layer, tuple(given.shape), make, shape, error)) from None
    finally:
        for hook in hooks:
            hook.remove()


def _misfit(layer, given, make, shape, error):
    """Why a layer stops at what it is given, (N, ...), in a network for images of that shape."""
    start, last = f"look at the layer {layer}: ", given[-1]
    if isinstance(layer, nn.Linear):
        n, out = layer.in_features, layer.out_features
        start = line_of(make, rf"Linear\(.*\b{n}\b", rf"Linear\(.*\b{out}\b", "Linear") or start
        if len(given) > 2:
            return f"{start}it is given a grid, {given}; nn.Flatten() before it makes rows of it."
        if shape == DIGITS:
            told = "the first number of nn.Linear is how many come in."
            return f"{start}this layer takes {n} numbers and is given {last}: {told}"
        told = f"which fits digits only, and is given {last}: take sizes from shape"
        return f"{start}this layer takes {n} numbers, {told}, as math.prod(shape) does."
    if isinstance(layer, nn.Unflatten) and len(given) == 2:
        start = line_of(make, "Unflatten") or start
        wanted = math.prod(layer.unflattened_size)
        told = "is a size before it written as a number? Take sizes from shape"
        return f"{start}it is given {last} numbers, and its images have {wanted}: {told}."
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and given[1] != layer.in_channels:
        start = line_of(make, rf"{type(layer).__name__}\(.*\b{layer.in_channels}\b") or start
        told = "the first number is that of the channels"
        return (
            f"{start}this layer takes {layer.in_channels} channels and is given {given[1]}: {told}."
        )
    return f"{start}it is given {given}; {error}."


def _sized(came, wanted, make, network):
    """Raise Stopped for what has the wrong shape in one of the usual ways."""
    wanted = tuple(wanted)
    if came != wanted and came[1:] == DIGITS:
        start = line_of(make, r"\b28\b", r"\b7\b", r"\b784\b")
        raise Stopped(f"{start}images of 28 x 28 come, whatever the shape: take sizes from shape.")
    if came == (wanted[0], *wanted[2:]):
        start = line_of(make, "view|reshape|Unflatten")
        raise Stopped(f"{start}the channel is missing: {came} should be {wanted}; use *shape.")
    turned = [m for m in network.modules() if isinstance(m, nn.ConvTranspose2d)]
    if turned and len(came) == 4 and came[2:] < wanted[2:] and came[:2] == wanted[:2]:
        start = line_of(make, "ConvTranspose2d")
        told = "stride 2 wants kernel 4 and padding 1, or kernel 3, padding 1 and output_padding=1"
        raise Stopped(f"{start}images of {came[2]} x {came[3]} come; to double a size, {told}.")


def tensor(answer, of):
    """The answer, if it is a tensor; else Stopped."""
    if answer is None:
        raise Stopped(f"look at {of}: it returns nothing; is a `return` missing?")
    if not isinstance(answer, torch.Tensor):
        raise Stopped(f"look at {of}: it returns a {type(answer).__name__}; a tensor is wanted.")
    return answer


def alike(network, another):
    """Whether two networks that were made one after another begin with the same weights."""
    return all(map(torch.equal, network.parameters(), another.parameters()))


def _try_encoder(encoder, shape, d):
    network, another = made(encoder, shape, d), made(encoder, shape, d)
    images, pairs = torch.rand(5, *shape), torch.rand(2, 50, *shape)
    z = answered(network, images, encoder, shape)
    if z.shape == (5, 2) and d != 2:
        start = line_of(encoder, r"\b2\b")
        raise Stopped(f"{start}a code of 2 numbers comes, whatever d: the last layer should use d.")
    large = [made(encoder, shape, d)(100 * torch.randn(20, *shape)) for _ in range(5)]
    return {
        "the shape of the codes of 5 images": z.shape,
        "it is linear on images: is there a nonlinearity between its layers?": (
            is_linear(network, *pairs)
        ),
        "no code number is ever negative: is there a ReLU or a sigmoid at the end?": (
            bool((torch.stack(large) >= 0).all())
        ),
        "the code does not depend on most of the pixels: is a part of the image left out?": (
            _felt(network, torch.rand(50, *shape)).mean().item() < 0.5
        ),
        **_facts(network, images),
        SEEDED: alike(network, another),
    }


def _felt(network, a):
    """Where in its inputs a (N, ...) the network's answers depend on them."""
    a.requires_grad_()
    answer = network(a)
    if answer.requires_grad:
        answer.square().sum().backward()
    return torch.ones(a.shape[1:]) if a.grad is None else (a.grad != 0).any(0).double()


SEEDED = "two networks begin with the same weights: is a seed fixed where they are made?"


def _facts(network, x):
    """What holds of every network that can be trained and looked at."""
    y = network(x)
    return {
        "the same input gives something else at the second call: is a layer made anew in each "
        "call, or is dropout on in eval mode?": not _equal(y, network(x)),
        "what it makes of one input depends on the others of the batch; in eval mode it may not.": (
            not _equal(y[:1], network(x[:1]))
        ),
        "it has nothing to learn: are the layers kept in a plain list? nn.Sequential registers "
        "them.": not list(network.parameters()),
        "some of its layers get no gradient: is there a detach, a no_grad, or a layer that is not "
        "used?": bool(_without_gradient(network, y)),
    }


def _equal(a, b):
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-3, atol=1e-5)


def _layers(*layers):
    """A function (shape, d) that builds the layers; each is a function of D, d and shape."""

    def build(shape, d):
        return nn.Sequential(*(make(math.prod(shape), d, shape) for make in layers))

    return build


def _flat(D, d, shape):
    return nn.Flatten()


def _relu(D, d, shape):
    return nn.ReLU()


exercise(
    encoder,
    cases=lambda: SHAPES,
    probe=_try_encoder,
    mistakes={
        "look at what stands between the layers: without a nonlinearity they are one.": (
            _layers(_flat, lambda D, d, s: nn.Linear(D, 64), lambda D, d, s: nn.Linear(64, d))
        ),
        "look at the last layer: after a ReLU or a sigmoid no code number can be negative.": (
            _layers(
                _flat,
                lambda D, d, s: nn.Linear(D, 64),
                _relu,
                lambda D, d, s: nn.Linear(64, d),
                _relu,
            )
        ),
        "look at the first line: an image is a grid, a linear layer wants a row of D numbers; "
        "nn.Flatten() makes one.": _layers(
            lambda D, d, s: nn.Linear(s[-1], 64),
            _relu,
            lambda D, d, s: nn.Linear(64, d),
        ),
    },
    hints=(
        "nn.Sequential(...) runs layers one after the other; nn.Flatten() comes first.",
        "nn.Linear(n_in, n_out) is a layer, and the first n_in is D = math.prod(shape).",
        "Between two nn.Linear stands nn.ReLU(); the last layer is nn.Linear(..., d), bare.",
        "Try:  return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 64), nn.ReLU(), ...)",
    ),
)


def _try_decoder(decoder, shape, d):
    network, another = made(decoder, shape, d), made(decoder, shape, d)
    large, z = 100 * torch.randn(2, 50, d), torch.randn(5, d).requires_grad_()
    logits = answered(network, z, decoder, shape)
    _sized(tuple(logits.shape), (5, *shape), decoder, network)
    some = network(large[0])
    below = network(-torch.rand(2, d) - 0.5)
    if logits.requires_grad:
        logits.square().sum().backward(retain_graph=True)
    return {
        "the shape of the logits of 5 codes": logits.shape,
        "it is linear: is there a nonlinearity between its layers?": is_linear(network, *large),
        "no logit is ever negative: is there a ReLU or a sigmoid at the end?": (
            bool((some >= 0).all())
        ),
        "no logit is ever above 1: is there a sigmoid or a tanh at the end?": (
            bool((some <= 1).all())
        ),
        "codes of negative numbers all give the same image: is there a ReLU before the first "
        "layer?": _equal(below[:1], below[1:]),
        "no gradient flows back to the codes: is there a detach?": z.grad is None,
        "a number of the code makes no difference: is only a part of it used?": (
            not _felt(network, torch.randn(50, d)).all()
        ),
        **_facts(network, torch.randn(5, d)),
        SEEDED: alike(network, another),
    }


def _decoder_with(between=nn.ReLU, end=nn.Identity, last=lambda shape: nn.Unflatten(1, shape)):
    def decoder(shape, d):
        layers = [nn.Linear(d, 64), between(), nn.Linear(64, math.prod(shape)), end()]
        return nn.Sequential(*layers, last(shape))

    return decoder


exercise(
    decoder,
    cases=lambda: SHAPES,
    probe=_try_decoder,
    mistakes={
        "look at the end: the rows of D numbers are no images yet; nn.Unflatten(1, shape).": (
            _decoder_with(last=lambda shape: nn.Identity())
        ),
        "look at the end: logits are any real numbers; no sigmoid yet, and no clamp.": (
            _decoder_with(end=nn.Sigmoid)
        ),
        "look at the end: after a ReLU no logit can be negative, so no pixel darker than 1/2.": (
            _decoder_with(end=nn.ReLU)
        ),
        "look at what stands between the layers: without a nonlinearity they are one.": (
            _decoder_with(between=nn.Identity)
        ),
    },
    hints=(
        "The encoder in reverse: d numbers go in, D = math.prod(shape) come out.",
        "No activation after the last nn.Linear: its output are the logits.",
        "nn.Unflatten(1, shape) at the very end turns (N, D) into (N, *shape).",
        "Try:  return nn.Sequential(nn.Linear(d, 64), nn.ReLU(), ..., nn.Unflatten(1, shape))",
    ),
)


class EncoderDecoder(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x):
        return self.encoder(x)  # (N, d)

    def logits(self, z):
        return self.decoder(z)  # (N, *shape)

    def decode(self, z):
        return self.logits(z).sigmoid()

    def forward(self, x):
        return self.decode(self.encode(x))


def _try_model(EncoderDecoder, shape, d):
    D = math.prod(shape)
    encoder = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Flatten(), nn.Linear(D, d))
    decoder = nn.Sequential(nn.Linear(d, D), nn.Unflatten(1, shape))
    x, z = torch.rand(5, *shape), torch.randn(5, d)
    z[-1] *= 300  # logits for which exp is infinite
    model = EncoderDecoder(encoder, decoder)
    for word in ("encode", "logits", "decode"):
        if not hasattr(model, word):
            raise Stopped(f"look at the methods: there is no {word}; is it misspelt, or missing?")
    came = {
        "encode(x)": tensor(model.encode(x), "encode"),
        "logits(z)": tensor(model.logits(z), "logits"),
        "decode(z)": tensor(model.decode(z), "decode"),
        "model(x)": tensor(model(x), "forward"),
    }
    return {f"the shape of {words}": part.shape for words, part in came.items()} | {
        "encode(x) should be what the encoder makes of x.": _equal(came["encode(x)"], encoder(x)),
        "logits(z) should be what the decoder makes of z.": _equal(came["logits(z)"], decoder(z)),
        "decode(z)": came["decode(z)"],
        "model(x)": came["model(x)"],
        **_reached(model, encoder, decoder, x),
    }


def _reached(model, encoder, decoder, x):
    """Whether a loss of model(x) would train both parts."""
    parts, own = [*encoder.parameters(), *decoder.parameters()], {*map(id, model.parameters())}
    y = model(x)
    if y.requires_grad:
        y.square().sum().backward()
    return {
        "encoder and decoder are not the model's own: is super().__init__() called first, and are "
        "both kept in self?": not all(id(p) in own for p in parts),
        "no gradient of model(x) reaches both parts: is there a detach, .data or no_grad?": any(
            p.grad is None for p in parts
        ),
    }


class _Twice(EncoderDecoder):
    def logits(self, z):
        return self.decoder(z).sigmoid()


class _Never(EncoderDecoder):
    def decode(self, z):
        return self.logits(z)


class _OnceMore(EncoderDecoder):
    def forward(self, x):
        return self.decode(self.encode(x)).sigmoid()


class _Bare(EncoderDecoder):
    def forward(self, x):
        return self.logits(self.encode(x))


exercise(
    EncoderDecoder,
    cases=lambda: SMALL,
    probe=_try_model,
    mistakes={
        "look at logits: they are the numbers before the sigmoid, which decode adds; "
        "here it is applied twice.": _Twice,
        "look at decode: pixels lie between 0 and 1; logits(z).sigmoid().": _Never,
        "look at forward: decode has applied the sigmoid, this is a second one.": _OnceMore,
        "look at forward: it is decode(encode(x)), with the sigmoid that decode applies.": _Bare,
    },
    hints=(
        "__init__ first calls super().__init__(), then keeps its two arguments in self.",
        "Each of the four others is one line: self.encoder(x), self.decoder(z), and so on.",
        "Try:  in decode  return self.logits(z).sigmoid(),  and in forward  return "
        "self.decode(...)",
    ),
)


def _try_loss(bernoulli, shape, d):
    model, x = _WithLogits(shape, d), torch.rand(7, *shape)
    terms = bernoulli(model, x)
    named = isinstance(terms, dict)
    if not isinstance(terms, dict | torch.Tensor | float):
        raise Stopped(f'it returns a {type(terms).__name__}; {{"reconstruction": ...}} is wanted.')
    loss = torch.as_tensor(sum(terms.values()) if named else terms)
    if loss.requires_grad:
        loss.sum().backward()
    return {
        "it should return a dict of named terms.": named,
        'its one term should be called "reconstruction".': (
            not named or set(terms) == {"reconstruction"}
        ),
        "the loss of 7 images": loss,
        "no gradient reaches the encoder: is there an .item(), a detach or a no_grad?": (
            model.encoder.weight.grad is None
        ),
    }


class _WithLogits(LinearAutoencoder):
    """A model with few parts, and large logits, on which the sigmoid is 1 in float32."""

    def logits(self, z):
        if z.ndim != 2:
            raise ValueError(f"logits wants codes (N, d), not {(*z.shape,)}: first model.encode(x)")
        return 1000 * super().decode(z)

    def decode(self, z):
        return self.logits(z).sigmoid()


def _bernoulli_with(of=lambda model, x: model.logits(model.encode(x)), reduction="sum", by=len):
    def bernoulli(model, x):
        nats = F.binary_cross_entropy_with_logits(of(model, x), x, reduction=reduction)
        return {"reconstruction": nats / by(x)}

    return bernoulli


exercise(
    losses.bernoulli,
    cases=lambda: SMALL,
    probe=_try_loss,
    mistakes={
        "look at what is returned: a loss of this course has named terms, "
        '{"reconstruction": r}.': lambda model, x: losses.bernoulli(model, x)["reconstruction"],
        "look at the mean: the pixels are summed, only the images are averaged.": (
            _bernoulli_with(reduction="mean", by=lambda x: 1)
        ),
        "look at the sum: it grows with the number of images; divide it by len(x).": (
            _bernoulli_with(by=lambda x: 1)
        ),
        "look at the sigmoid: model(x) has been through it, and this function applies it again; "
        "give it the logits.": _bernoulli_with(of=lambda model, x: model(x)),
        "look at the probabilities: far from 1/2 they round to 0 or 1; use the function that "
        "takes logits.": (
            lambda model, x: {
                "reconstruction": F.binary_cross_entropy(model(x), x, reduction="sum") / len(x)
            }
        ),
        "look at the loss: this is the squared error; the cross-entropy of the pixels is wanted.": (
            lambda model, x: {"reconstruction": losses.squared_error(x, model(x))}
        ),
        "look at the loss: this is the mean squared error; the cross-entropy is wanted, summed "
        "over the pixels.": lambda model, x: {"reconstruction": F.mse_loss(model(x), x)},
        "look at the arguments: the logits come first, and then the pixels.": (
            lambda model, x: {
                "reconstruction": F.binary_cross_entropy_with_logits(
                    x, model.logits(model.encode(x)), reduction="sum"
                )
                / len(x)
            }
        ),
        "look at the gradient: it must flow back to the encoder; no .item(), no detach.": (
            lambda model, x: {"reconstruction": losses.bernoulli(model, x)["reconstruction"].item()}
        ),
    },
    hints=(
        "model.logits(model.encode(x)) are the logits; x are the pixels they should explain.",
        'F.binary_cross_entropy_with_logits(logits, x, reduction="sum") sums over everything.',
        'Try:  return {"reconstruction": F.binary_cross_entropy_with_logits(..., x, '
        'reduction="sum") / ...}',
    ),
)


def train_step(model, x, loss, optimizer):
    total = sum(loss(model, x).values())
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    return total.item()


def _try_step(train_step, shape, lr):
    x = torch.rand(2, 5, math.prod(shape))
    model = nn.Linear(x.shape[2], x.shape[2])  # one layer: PyTorch allows any order of the calls
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9)
    calls = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    start = torch.cat([p.detach().flatten() for p in model.parameters()])
    values = [train_step(model, batch, _two_terms, optimizer) for batch in x]
    end = torch.cat([p.detach().flatten() for p in model.parameters()])
    if callable(values[0]) and not isinstance(values[0], torch.Tensor):
        start = line_of(train_step, "return")
        raise Stopped(f"{start}it returns a function that was not called: .item() has brackets.")
    return {
        "the loss of the first step": values[0],
        "the number of calls of optimizer.step in two steps": len(calls),
        "the change of the weights in two steps": end - start,
        "the loss of the second step": values[1],
        "the result drags its graph along: .item() makes a number of it.": (
            hasattr(values[0], "grad_fn") and values[0].requires_grad
        ),
    }


def _two_terms(model, x):
    return {"reconstruction": losses.squared_error(x, model(x)), "sum": model.weight.sum()}


def _step_with(*order, returned=lambda total: total.item(), terms=lambda terms: sum(terms)):
    """A training step that does what is named in `order`."""

    def train_step(model, x, loss, optimizer):
        total = terms(list(loss(model, x).values()))
        for word in order:
            total.backward() if word == "backward" else getattr(optimizer, word)()
        return returned(total)

    return train_step


exercise(
    train_step,
    cases=lambda: [((1, 3, 4), 0.01), ((1, 5, 5), 0.02)],
    probe=_try_step,
    mistakes={
        "look at zero_grad: without it the gradients of all earlier steps pile up.": (
            _step_with("backward", "step")
        ),
        "look at the order: first zero_grad, then backward, then step; here one is missing or out "
        "of place, and no weight moves.": _step_with("backward", "zero_grad", "step"),
        "look at the order: step comes after backward; this one goes by the gradients of the step "
        "before.": _step_with("step", "zero_grad", "backward"),
        "look at step: it is never called; optimizer.step() has brackets, and comes last.": (
            _step_with("zero_grad", "backward")
        ),
        "look at the sum: the loss has several terms, and all of them count.": (
            _step_with("zero_grad", "backward", "step", terms=lambda terms: terms[0])
        ),
        "look at what is returned: the tensor keeps its whole graph alive; .item() does not.": (
            _step_with("zero_grad", "backward", "step", returned=lambda total: total)
        ),
    },
    hints=(
        "First the loss, one number: the sum of loss(model, x).values().",
        "Then three calls: optimizer.zero_grad(), total.backward(), optimizer.step().",
        "Return the number without its graph: total.item().",
        "Try:  total = sum(...); optimizer.zero_grad(); total.backward(); ...; return total.item()",
    ),
)


def train(model, x, loss, step, epochs, batch=128, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr)
    means = []
    for _ in range(epochs):
        values = []
        for i in torch.randperm(len(x)).split(batch):
            values.append(step(model, x[i], loss, optimizer))
        means.append(sum(values) / len(values))
    return means


def _bare_loss(model, x):
    """A loss that is none of the package's."""
    return {"reconstruction": losses.squared_error(x, model(x))}


class _Step:
    """A step that learns nothing but remembers: which images, which optimizer, when."""

    def __init__(self):
        self.seen, self.sizes, self.optimizers, self.rates = [], [], [], []
        self.dims, self.losses, self.whole = set(), set(), True

    def __call__(self, model, x, loss, optimizer):
        for p in model.parameters():  # whoever now steps once more moves the weights
            p.grad = torch.ones_like(p)
        if x.ndim == 4:
            self.seen.extend((x[:, 0, 0, 0] - 10).tolist())
            self.whole &= torch.equal(x[..., 1], x[..., 0] + 0.5)
        self.sizes.append(len(x))
        self.optimizers.append(optimizer)
        self.rates.append(optimizer.param_groups[0]["lr"])
        self.dims.add(x.ndim)
        self.losses.add(loss)
        return float(len(self.sizes))


def _try_train(train, images, epochs, batch, lr):
    model = LinearAutoencoder((1, 1, 2), 1)
    x = 10 + torch.arange(float(images)).view(-1, 1, 1, 1) + torch.tensor([0, 0.5])
    step, before, weights = _Step(), x.clone(), [p.clone() for p in model.parameters()]
    values = train(model, x, _bare_loss, step, epochs, batch, lr)
    if isinstance(values, float | nn.Module):
        kind = type(values).__name__
        raise Stopped(f"it returns a {kind}; a list is wanted, with the mean loss of each epoch.")
    steps = math.ceil(images / batch)
    _of_its_steps(train, step, steps, epochs)
    return {
        "step should be given images x[i], not the numbers i of the images.": step.dims == {4},
        "the images come in pieces: shuffle the rows of x, not its pixels.": not step.whole,
        "x comes back changed: draw an order of its rows, and leave x as it is.": (
            not torch.equal(x, before)
        ),
        **_of_its_optimizer(step, model),
        "the weights move outside of step: leave backward and optimizer.step to it.": (
            not all(map(torch.equal, weights, model.parameters()))
        ),
        **_of_its_order(step, images),
        **_of_its_values([float(v) for v in values], steps, images, batch),
    }


def _of_its_steps(train, step, steps, epochs):
    """Raise Stopped, with the learner's line, for the usual slips in the calls of step."""

    def stop(words, *patterns):
        raise Stopped((line_of(train, *patterns) or "look at the loop: ") + words)

    call, came = r"\bstep\(", len(step.sizes)
    if came == 0:
        words = "step is never called: step(model, rows, loss, optimizer)."
        stop(words, r"train_step\(", r"\.backward\(", "for .* in")
    if step.losses != {_bare_loss}:
        stop("step should be given `loss`, as train was given it.", call)
    if step.dims == {3}:
        words = "one image at a time comes, (1, H, W): go by batches, .split(batch)."
        stop(words, r"\bfor \w+ in torch", r"\bfor \w+ in")
    kind = type(step.optimizers[0])
    if not issubclass(kind, _ADAMS):
        stop(f"the optimizer is {kind.__name__}; it should be Adam.", rf"{kind.__name__}\(")
    if came == epochs < steps * epochs and len({*step.sizes}) == 1:
        stop("step comes once an epoch: split the images into batches of `batch`.", call)
    if came == steps < steps * epochs:
        stop("only one epoch is trained: does `return` stand within the loop?", "return")


def _of_its_optimizer(step, model):
    groups = [group for optimizer in step.optimizers for group in optimizer.param_groups]
    learnt = {id(p) for group in groups for p in group["params"]}
    return {
        "Adam should be given all parameters of the model.": (
            learnt == {*map(id, model.parameters())}
        ),
        "Adam should have no weight decay.": all(g.get("weight_decay", 0) <= 0.01 for g in groups),
        "the number of optimizers made": len({*map(id, step.optimizers)}),
        "the learning rate, at least and at most,": (
            min(step.rates, default=0),
            max(step.rates, default=0),
        ),
    }


def _of_its_order(step, images):
    times = [step.seen.count(k) for k in range(images)]
    orders = {tuple(step.seen[k : k + images]) for k in range(0, len(step.seen), images)}
    return {
        "the number of steps": len(step.sizes),
        "the fewest and the most times that an image is seen": (min(times), max(times)),
        "the size of the largest batch": max(step.sizes, default=0),
        "the number of different orders of the images": len(orders),
        "an epoch goes through the images as they lie: shuffle them.": (
            tuple(range(images)) in orders
        ),
    }


def _of_its_values(values, steps, images, batch):
    """The loss of the first step is 1, that of the next 2, and so on."""
    means = [k * steps + (steps + 1) / 2 for k in range(len(values))]

    def are(others):
        return all(abs(a - b) < 1e-3 for a, b in zip(values, others, strict=True))

    return {
        "the number of values returned": len(values),
        "an epoch's sum is divided by len(x), which counts images: divide it by the number of "
        "steps.": bool(values) and are([mean * steps / images for mean in means]),
        "an epoch's sum is divided by `batch`: divide it by the number of steps.": (
            bool(values) and are([mean * steps / batch for mean in means])
        ),
        "an epoch's losses are added up: divide their sum by the number of steps.": (
            bool(values) and are([mean * steps for mean in means])
        ),
        "the mean is taken over all steps so far: empty the list of values in each epoch.": (
            len(values) > 1 and are([((k + 1) * steps + 1) / 2 for k in range(len(means))])
        ),
        "each value returned should be the mean over the steps of its epoch.": all(
            abs(value - mean) < 0.3 for value, mean in zip(values, means, strict=True)
        ),  # or weighted by the size of the batch
    }


_ADAMS = (torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam, torch.optim.RAdam)


def _train_with(order=None, once=False, last=0, made="once", rate=None, mean=True):
    def train(model, x, loss, step, epochs, batch=128, lr=1e-3):
        def optimizer():
            return torch.optim.Adam(model.parameters(), rate or lr)

        adam, means = optimizer(), []
        kept = torch.randperm(len(x)) if once else None
        for _ in range(epochs):
            adam, values = optimizer() if made == "epoch" else adam, []
            rows = kept if once else (order or torch.randperm)(len(x))
            for i in rows[: len(x) - last * (len(x) % batch)].split(batch):
                values.append(step(model, x[i], loss, optimizer() if made == "step" else adam))
            means.append(sum(values) / len(values) if mean else values[-1])
        return means

    return train


def _with_every_value(model, x, loss, step, epochs, batch=128, lr=1e-3):
    values = []

    def keeping(*arguments):
        values.append(step(*arguments))
        return values[-1]

    train(model, x, loss, keeping, epochs, batch, lr)
    return values


exercise(
    train,
    cases=lambda: [(10, 3, 4, 0.01), (12, 2, 5, 0.003)],
    probe=_try_train,
    mistakes={
        "look at the order: the images come as they lie, sorted by class perhaps; shuffle them.": (
            _train_with(order=torch.arange)
        ),
        "look at the order: each epoch wants a new one of its own.": (_train_with(once=True)),
        "look at the last batch: it is smaller than the others, and it is missing.": (
            _train_with(last=1)
        ),
        "look at the rows: some come twice in an epoch and others never; torch.randperm deals "
        "them out like cards.": _train_with(order=lambda n: torch.randint(n, (n,))),
        "look at the optimizer: a new one in each step has no memory; make it once.": (
            _train_with(made="step")
        ),
        "look at the optimizer: a new one in each epoch forgets; make it before the loops.": (
            _train_with(made="epoch")
        ),
        "look at lr: the optimizer was not given it.": _train_with(rate=1e-3),
        "look at what is returned: of each epoch the mean over its steps.": (
            _train_with(mean=False)
        ),
        "look at what is returned: one value for each epoch, not for each step.": (
            _with_every_value
        ),
    },
    hints=(
        "Before the loops: optimizer = torch.optim.Adam(model.parameters(), lr), and a list.",
        "Two loops: for epoch in range(epochs), and for i in torch.randperm(len(x)).split(batch).",
        "Try:  in the inner loop  values.append(step(model, x[i], loss, optimizer)),  and after "
        "it  means.append(...)",
    ),
)


def gradients(w, v, x):
    """Gradients of the squared error of the linear autoencoder x -> v w x, averaged over x.

    w (d, D), v (D, d), x (N, D). Returns the gradient of w (d, D) and that of v (D, d).
    """
    z = x @ w.T  # (N, d)
    error = z @ v.T - x  # (N, D)
    return 2 / len(x) * v.T @ error.T @ x, 2 / len(x) * error.T @ z


def _linear_autoencoders():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for n, size, d in [(7, 5, 2), (4, 6, 3)]:
        shapes = [(d, size), (size, d), (n, size)]
        cases.append(tuple(torch.randn(shape, generator=generator).double() for shape in shapes))
    return cases


exercise(
    gradients,
    cases=_linear_autoencoders,
    mistakes={
        "look at the square: its derivative has a factor of 2.": (
            lambda w, v, x: tuple(g / 2 for g in gradients(w, v, x))
        ),
        "look at the mean: the loss is divided by the number of rows.": (
            lambda w, v, x: tuple(g * len(x) for g in gradients(w, v, x))
        ),
        "look at the sign: the error is the reconstruction minus x.": (
            lambda w, v, x: tuple(-g for g in gradients(w, v, x))
        ),
        "look at the mean: over the rows only, not over the D pixels.": (
            lambda w, v, x: tuple(g / x.shape[1] for g in gradients(w, v, x))
        ),
        "look at the order: first the gradient of w, then that of v.": (
            lambda w, v, x: gradients(w, v, x)[::-1]
        ),
        "look at the encoder: the error must go back through v before it reaches w.": (
            lambda w, v, x: (2 / len(x) * (x @ w.T).T @ x, gradients(w, v, x)[1])
        ),
    },
    hints=(
        "Forward: z = x @ w.T, error = z @ v.T - x; the loss is error.square().sum() / len(x).",
        "The error (N, D) goes back through v: error @ v is (N, d), what the code did wrong.",
        "A layer's gradient is (what came back).T @ (what went in), here times 2 / len(x).",
        "Try:  return 2 / len(x) * (error @ v).T @ x, 2 / len(x) * ...",
    ),
)


def adam(p, g, m, v, t, lr):
    """One step of Adam for the parameters p with gradient g: new p, m, v. (Kingma & Ba 2015)

    m, v are the running means of g and of g^2, 0 at first; t = 1, 2, ... counts the steps.
    Decay rates 0.9 and 0.999, epsilon 1e-8.
    """
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return p - lr * m_hat / (v_hat.sqrt() + 1e-8), m, v


def _steps_of_adam():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for t, lr in [(1, 0.1), (2, 0.03), (30, 0.01)]:
        p, g, m, v = torch.randn(4, 6, generator=generator).double()
        cases.append((p, g, 0 * m if t == 1 else m, 0 * v if t == 1 else v**2, t, lr))
    still = torch.tensor([1.0, -2.0, 0.5]).double()  # no gradient, a tiny one, a usual one
    g = torch.tensor([0.0, 2e-8, 0.3]).double()
    cases.append((still, g, 0 * g, 0 * g, 1, 0.1))
    return dict(zip(("at the start", 2, 3, "with gradients of 0 and 2e-8"), cases, strict=True))


def _adam_with(first=0.9, second=0.999, unbiased=1, root=0.5, sign=-1, ahead=0):
    def adam(p, g, m, v, t, lr):
        m, v = first * m + (1 - first) * g, second * v + (1 - second) * g**2
        t = t + ahead
        m_hat, v_hat = m / (1 - unbiased * first**t), v / (1 - unbiased * second**t)
        return p + sign * lr * m_hat / (v_hat**root + 1e-8), m, v

    return adam


exercise(
    adam,
    cases=_steps_of_adam,
    mistakes={
        "look at the start: m and v begin at 0 and are too small at first; divide m by "
        "1 - 0.9^t and v by 1 - 0.999^t.": _adam_with(unbiased=0),
        "look at the root: it is the step that is divided, by sqrt(v), not by v.": (
            _adam_with(root=1)
        ),
        "look at the sign: one goes down the gradient.": _adam_with(sign=1),
        "look at the decay rates: 0.9 belongs to m, 0.999 to v.": _adam_with(0.999, 0.9),
        "look at t: the first step has t = 1, it need not be counted up.": _adam_with(ahead=1),
        "look at what is returned: m and v without their correction, which would be made twice.": (
            lambda p, g, m, v, t, lr: (
                adam(p, g, m, v, t, lr)[0],
                adam(p, g, m, v, t, lr)[1] / (1 - 0.9**t),
                adam(p, g, m, v, t, lr)[2] / (1 - 0.999**t),
            )
        ),
    },
    hints=(
        "The new m is 0.9 m + 0.1 g, the new v is 0.999 v + 0.001 g^2.",
        "m / (1 - 0.9**t) and v / (1 - 0.999**t) make up for the start at 0.",
        "Try:  return p - lr * m_hat / (... + 1e-8), m, v",
    ),
)
