"""Notebook 06 as learners write it: a hundred attempts, right and wrong, and what each is told.

    python tests/test_slips.py     # prints them as a table

A slip is the right text with one piece replaced, or a text of its own; the words are a part of what
`check` says. Where a line is at fault, the learner's own line is quoted.
"""

import math

import pytest
import torch
from test_exercises import typed
from torch import nn
from torch.nn import functional as F

from aecourse import checks, losses
from aecourse.exercises import EXERCISES

RIGHT = {
    "encoder": """def encoder(shape, d):
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(math.prod(shape), 128),
        nn.ReLU(),
        nn.Linear(128, d),
    )
""",
    "decoder": """def decoder(shape, d):
    return nn.Sequential(
        nn.Linear(d, 128),
        nn.ReLU(),
        nn.Linear(128, math.prod(shape)),
        nn.Unflatten(1, shape),
    )
""",
    "EncoderDecoder": """class EncoderDecoder(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x):
        return self.encoder(x)

    def logits(self, z):
        return self.decoder(z)

    def decode(self, z):
        return self.logits(z).sigmoid()

    def forward(self, x):
        return self.decode(self.encode(x))
""",
    "bernoulli": """def bernoulli(model, x):
    logits = model.logits(model.encode(x))
    nats = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    return {"reconstruction": nats}
""",
    "train_step": """def train_step(model, x, loss, optimizer):
    total = sum(loss(model, x).values())
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    return total.item()
""",
    "train": """def train(model, x, loss, step, epochs, batch=128, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr)
    means = []
    for epoch in range(epochs):
        values = []
        for i in torch.randperm(len(x)).split(batch):
            values.append(step(model, x[i], loss, optimizer))
        means.append(sum(values) / len(values))
    return means
""",
}
FC = """class encoder(nn.Module):
    def __init__(self, shape, d):
        super().__init__()
        self.fc1 = nn.Linear(math.prod(shape), 128)
        self.fc2 = nn.Linear(128, d)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x.flatten(1))))
"""
CONV = """def encoder(shape, d):
    h, w = shape[1] // 4, shape[2] // 4
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * h * w, d),
    )
"""
TURNED = """def decoder(shape, d):
    h, w = shape[1] // 4, shape[2] // 4
    return nn.Sequential(
        nn.Linear(d, 32 * h * w),
        nn.ReLU(),
        nn.Unflatten(1, (32, h, w)),
        nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1, output_padding=1),
    )
"""
FC_OUT = """class decoder(nn.Module):
    def __init__(self, shape, d):
        super().__init__()
        self.shape = shape
        self.fc1 = nn.Linear(d, 128)
        self.fc2 = nn.Linear(128, math.prod(shape))

    def forward(self, z):
        return self.fc2(F.relu(self.fc1(z))).view(-1, *self.shape)
"""
PAIR = "nn.Conv2d(1, 16, 3, stride=2, padding=1)", "nn.Conv2d(16, 32, 3, stride=2, padding=1)"
POOLED = [f"{c.replace(', stride=2', '')}, nn.MaxPool2d(2)" for c in PAIR]
UP = ", 3, stride=2, padding=1, output_padding=1"
IN_STEPS = """            total = sum(loss(model, x[i]).values())
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            values.append(total.item())
"""
CALL = "            values.append(step(model, x[i], loss, optimizer))\n"
OK = "✔ right"


def changed(text, *pairs):
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def of(name, what, words, *pairs, text=None):
    return name, what, changed(text or RIGHT[name], *pairs), words


SECOND = "        nn.Linear(128, d),\n"
DEEP = "        nn.Linear(128, 64), nn.Sigmoid(),\n        nn.Linear(64, 64), nn.Sigmoid(),\n"
DEEP += "        nn.Linear(64, d),\n"
OURS = ("math.prod(shape), 128", "784, 128")
ATTEMPTS = [
    *[of(name, "as ours", OK) for name in RIGHT],
    of("encoder", "784", "in line 4 of yours, `nn.Linear(784, 128),`, this layer takes 784", OURS),
    of("encoder", "28 * 28", "which fits digits only", ("math.prod(shape)", "28 * 28")),
    of("encoder", "no Flatten", "it is given a grid, (5, 1, 28, 28)", ("nn.Flatten(),", "")),
    of("encoder", "no nonlinearity", "without a nonlinearity they are one", ("nn.ReLU(),", "")),
    of("encoder", "ReLU at the end", "look at the last layer", ("d),", "d), nn.ReLU(),")),
    of("encoder", "no return", "is a `return` missing?", ("return ", "network = ")),
    of("encoder", "a list", "it returns a list", ("nn.Sequential(", "["), ("    )\n", "    ]\n")),
    of("encoder", "[ ] in Sequential", "without [ ]", ("tial(", "tial(["), ("    )", "    ])")),
    of("encoder", "ReLU without ()", "with brackets", ("nn.ReLU()", "nn.ReLU")),
    of("encoder", "F.relu as a layer", "with brackets", ("nn.ReLU()", "F.relu")),
    of("encoder", "Linear(shape)", "two whole numbers", ("math.prod(shape)", "shape")),
    of("encoder", "sizes don't fit", "takes 64 numbers and is given 128", ("r(128, d", "r(64, d")),
    of("encoder", "d is 2", "whatever d: the last layer should use d", ("128, d)", "128, 2)")),
    of(
        "encoder",
        "called on x",
        "called before there are images",
        ("return", "nn.Flatten()(x)\n    return"),
    ),
    of("encoder", "h, w = shape", "three numbers", ("return", "h, w = shape\n    return")),
    of("encoder", "tanh", OK, ("ReLU", "Tanh")),
    of("encoder", "sigmoids", OK, ("ReLU", "Sigmoid")),
    of("encoder", "three sigmoids", OK, ("ReLU", "Sigmoid"), (SECOND, DEEP)),
    of("encoder", "tanh at the end", OK, ("d),", "d), nn.Tanh(),")),
    of("encoder", "a class, fc1 and fc2", OK, text=FC),
    of("encoder", "fc3 for fc2", "misspelt", ("n self.fc2", "n self.fc3"), text=FC),
    of("encoder", "view(-1, 784)", "`return", ("x.flatten(1)", "x.view(-1, 784)"), text=FC),
    of("encoder", "no super()", "comes first", ("super().__init__()", "pass"), text=FC),
    of("encoder", "foward", "Is `forward` misspelt", ("forward", "foward"), text=FC),
    of("encoder", "another name", "did you mean encoder?", ("encoder", "enc")),
    of("encoder", "a capital letter", "did you mean encoder?", ("encoder", "Encoder")),
    of("encoder", "convolutions, kernel 3", OK, text=CONV),
    of(
        "encoder",
        "convolutions, kernel 4",
        OK,
        (PAIR[0], PAIR[0].replace("3,", "4,", 1)),
        (PAIR[1], PAIR[1].replace(" 3,", " 4,")),
        text=CONV,
    ),
    of("encoder", "LazyLinear", OK, ("Linear(32 * h * w, d)", "LazyLinear(d)"), text=CONV),
    of("encoder", "pooling", OK, *zip(PAIR, POOLED, strict=True), text=CONV),
    of("encoder", "32 * 7 * 7", "`nn.Linear(32 * 7 * 7, d),`", ("h * w, d", "7 * 7, d"), text=CONV),
    of("encoder", "no Flatten", "(5, 32, 7, 7)", ("nn.Flatten(),", ""), text=CONV),
    of("encoder", "28 channels", "28 channels and is given 1", ("2d(1,", "2d(28,"), text=CONV),
    of("decoder", "784", "and its images have 4096", ("math.prod(shape)", "784")),
    of(
        "decoder",
        "784 and 28",
        "in line 6 of yours, `nn.Unflatten(1, (1, 28, 28)),`, images of 28 x 28",
        ("math.prod(shape)", "784"),
        ("1, shape", "1, (1, 28, 28)"),
    ),
    of("decoder", "no Unflatten", "no images yet", ("nn.Unflatten(1, shape),", "")),
    of("decoder", "a sigmoid", "no sigmoid yet", ("nn.Unfl", "nn.Sigmoid(), nn.Unfl")),
    of("decoder", "Unflatten(shape)", "which axis", ("1, shape", "shape")),
    of(
        "decoder",
        "exchanged",
        "takes 784 numbers and is given 2",
        ("d, 128", "math.prod(shape), 128"),
    ),
    of("decoder", "a class, fc1 and fc2", OK, text=FC_OUT),
    of(
        "decoder",
        "view without channel",
        "the channel is missing",
        ("*self.shape", "*self.shape[1:]"),
        text=FC_OUT,
    ),
    of("decoder", "convolutions, kernel 3", OK, text=TURNED),
    of("decoder", "convolutions, kernel 4", OK, (UP, ", 4, stride=2, padding=1"), text=TURNED),
    of("decoder", "convolutions, kernel 2", OK, (UP, ", 2, stride=2"), text=TURNED),
    of(
        "decoder",
        "upsampling",
        OK,
        ("ConvTranspose2d", "Upsample(scale_factor=2), nn.Conv2d"),
        (UP, ", 3, padding=1"),
        text=TURNED,
    ),
    of("decoder", "no output_padding", "25 x 25 come", (", output_padding=1", ""), text=TURNED),
    of("decoder", "7 x 7", "28 x 28 come", ("h, w)", "7, 7)"), ("h * w", "7 * 7"), text=TURNED),
    of("EncoderDecoder", "no super()", "comes first", ("super().__init__()", "pass")),
    of("EncoderDecoder", "self forgotten", "`self.` in front?", ("return self.enc", "return enc")),
    of(
        "EncoderDecoder",
        "fc1 and fc2",
        OK,
        ("self.encoder", "self.fc1"),
        ("self.decoder", "self.fc2"),
    ),
    of("EncoderDecoder", "self.enc", "under another name", ("self.encoder =", "self.enc =")),
    of("EncoderDecoder", "foward", "Is `forward` misspelt", ("forward", "foward")),
    of("EncoderDecoder", "no logits", "there is no logits", ("def logits", "def logit")),
    of("EncoderDecoder", "no sigmoid", "look at decode", (".sigmoid()", "")),
    of("EncoderDecoder", "sigmoid twice", "look at logits", ("er(z)", "er(z).sigmoid()")),
    of("EncoderDecoder", "one more", "look at forward", ("e(x))", "e(x)).sigmoid()")),
    of(
        "EncoderDecoder",
        "one method left",
        "not written yet",
        ("return self.decode(self.encode(x))", "raise NotImplementedError"),
    ),
    of("bernoulli", "a mean", "the pixels are summed", (', reduction="sum") / len(x)', ")")),
    of("bernoulli", "not divided", "divide it by len(x)", (" / len(x)", "")),
    of("bernoulli", "by all pixels", "look at the mean", ("len(x)", "x.numel()")),
    of(
        "bernoulli",
        "model(x)",
        "look at the sigmoid",
        ("model.logits(model.encode(x))", "model(x)"),
    ),
    of("bernoulli", "of logits", "_with_logits takes them", ("_with_logits", "")),
    of(
        "bernoulli",
        "squared error",
        "this is the squared error",
        ("binary_cross_entropy_with_logits(logits", "mse_loss(model(x)"),
    ),
    of(
        "bernoulli",
        "mean squared error",
        "the mean squared error",
        ("binary_cross_entropy_with_logits(logits", "mse_loss(model(x)"),
        (', reduction="sum") / len(x)', ")"),
    ),
    of("bernoulli", "exchanged", "the logits come first", ("(logits, x,", "(x, logits,")),
    of("bernoulli", "logits of images", "first model.encode(x)", ("model.encode(x)", "x")),
    of("bernoulli", "no dict", "has named terms", ('{"reconstruction": nats}', "nats")),
    of(
        "bernoulli",
        "a term of another name",
        'should be called "reconstruction"',
        ("reconstruction", "loss"),
    ),
    of(
        "bernoulli",
        ".item()",
        "look at the gradient",
        ("/ len(x)", "/ len(x)\n    nats = nats.item()"),
    ),
    of(
        "bernoulli",
        "bernoulli_nll",
        OK,
        (
            'F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)',
            "losses.bernoulli_nll(x, logits)",
        ),
    ),
    of(
        "bernoulli",
        "bernoulli_nll, exchanged",
        "in their order?",
        (
            'F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)',
            "losses.bernoulli_nll(logits, x)",
        ),
    ),
    of("train_step", "no zero_grad", "look at zero_grad", ("    optimizer.zero_grad()\n", "")),
    of("train_step", "sum of the dict", "sum(terms.values())", (".values()", "")),
    of(
        "train_step",
        "backward of the dict",
        "makes one number of them",
        ("sum(loss(model, x).values())", "loss(model, x)"),
    ),
    of(
        "train_step",
        "loss.backward()",
        "A function is not its value",
        ("total.backward", "loss.backward"),
    ),
    of("train_step", "values without ()", "brackets of a call", ("values()", "values")),
    of(
        "train_step",
        "one term",
        "the loss has several terms",
        ("sum(loss(model, x).values())", 'loss(model, x)["reconstruction"]'),
    ),
    of(
        "train_step",
        "item without ()",
        "`return total.item`, it returns a function",
        ("item()", "item"),
    ),
    of("train_step", "the tensor", "keeps its whole graph", (".item()", "")),
    of(
        "train_step",
        ".item() too early",
        ".item() comes last",
        ("ues())", "ues()).item()"),
        ("return total.item()", "return total"),
    ),
    of(
        "train_step",
        "loss(model(x), x)",
        "Is the model itself wanted",
        ("(model, x).v", "(model(x), x).v"),
    ),
    of(
        "train_step",
        "zero_grad after backward",
        "look at the order",
        ("    optimizer.zero_grad()\n", ""),
        ("total.backward()", "total.backward()\n    optimizer.zero_grad()"),
    ),
    of(
        "train_step",
        "step before backward",
        "look at the order",
        (
            "    total.backward()\n    optimizer.step()",
            "    optimizer.step()\n    total.backward()",
        ),
    ),
    of("train_step", "no return", "is a `return` missing?", ("return ", "value = ")),
    of("train_step", "step without ()", "it is never called", ("step()", "step")),
    of("train", "sum / len(x)", "which counts images", ("len(values)", "len(x)")),
    of("train", "sum / batch", "divided by `batch`", ("len(values)", "batch")),
    of("train", "sum", "are added up", (" / len(values)", "")),
    of("train", "the last", "the mean over its steps", ("sum(values) / len(values)", "values[-1]")),
    of(
        "train",
        "list made once",
        "empty the list",
        ("        values = []\n", ""),
        ("means = []", "means, values = [], []"),
    ),
    of(
        "train",
        "SGD",
        "`optimizer = torch.optim.SGD(model.parameters(), lr)`, the optimizer is SGD",
        ("Adam", "SGD"),
    ),
    of("train", "Adam(model)", "wants model.parameters()", (".parameters()", "")),
    of("train", "parameters without ()", "brackets of a call", ("parameters()", "parameters")),
    of("train", "torch.Adam", "Optimizers are in torch.optim", ("optim.", "")),
    of("train", "no lr", "look at lr", ("(), lr)", "())")),
    of("train", "for epoch in epochs", "range(n) counts", ("range(epochs)", "epochs")),
    of("train", "not shuffled", "shuffle them", ("torch.randperm", "torch.arange")),
    of(
        "train",
        "one order",
        "a new one",
        ("means = []", "means, order = [], torch.randperm(len(x))"),
        ("torch.randperm(len(x)).s", "order.s"),
    ),
    of("train", "numbers for images", "not the numbers i", ("x[i]", "i")),
    of("train", "one image at a time", "go by batches", (".split(batch)", "")),
    of(
        "train",
        "all at once",
        "step comes once an epoch",
        ("x[i]", "x"),
        (".split(batch)", ".split(len(x))"),
    ),
    of("train", "train_step for step", "step is never called", ("step(model", "train_step(model")),
    of("train", "bernoulli for loss", "should be given `loss`", ("x[i], loss", "x[i], bernoulli")),
    of("train", "return in the loop", "only one epoch", ("    return", "        return")),
    of("train", "returns the model", "it returns a", ("return means", "return model")),
    of("train", "no return", "is a `return` missing?", ("return means", "pass")),
    of("train", "a step of its own", "step is never called", (CALL, IN_STEPS)),
    of(
        "train",
        "optimizer in the loop",
        "make it before the loops",
        (
            "        values = []",
            "        values = []\n        optimizer = torch.optim.Adam(model.parameters(), lr)",
        ),
    ),
]
ATTEMPTS = {f"{name}, {what}, {k}": rest for k, (name, what, *rest) in enumerate(ATTEMPTS)}


def answer(key, source, known, spelled):
    """What check says to an attempt; PyTorch and what is `known` are at hand. spelled has the names
    of attempts that are called otherwise, {what: name}."""
    name, what = key.split(", ")[:2]
    names = {"math": math, "nn": nn, "F": F, "torch": torch} | known
    return ": ".join(checks.outcome(typed(source, spelled.get(what, name), **names)))


def told(key):
    """What check says to an attempt."""
    known = {n: EXERCISES[n].solution for n in RIGHT} | {"losses": losses}
    spelled = {"another name": "enc", "a capital letter": "Encoder"}
    return answer(key, ATTEMPTS[key][0], known, spelled)


@pytest.mark.parametrize("key", ATTEMPTS)
def test_each_attempt_is_told_what_it_needs(key):
    said, words = told(key), ATTEMPTS[key][1]
    assert words in said
    assert said.startswith(OK) == (words == OK)


def test_there_are_right_and_wrong_ones():
    right = sum(words == OK for _, words in ATTEMPTS.values())
    assert right >= 15 and len(ATTEMPTS) - right >= 60


if __name__ == "__main__":
    for key in ATTEMPTS:
        print(f"{key.rsplit(', ', 1)[0]:45} {told(key)}")
