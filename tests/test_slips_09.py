"""Notebook 09 as learners write it: attempts, right and wrong, and what each is told.

    python tests/test_slips_09.py     # prints them as a table

As tests/test_slips.py has it for notebook 06.
"""

import pytest
from test_slips import OK, answer, changed
from torch.distributions import Normal

from aecourse import losses, models
from aecourse.exercises import EXERCISES

HEAD = "shape, hidden=(256, 64), d=2, activation=nn.ReLU, output=nn.Sigmoid):"
RIGHT = {
    "kl_divergence": """def kl_divergence(mu, logvar):
    return -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()
""",
    "reparameterise": """def reparameterise(mu, logvar, eps):
    sigma = torch.exp(0.5 * logvar)
    return mu + sigma * eps
""",
    "VAE": f"""class VAE(Autoencoder):
    def __init__(self, {HEAD}
        super().__init__(shape, hidden, d, activation, output)
        self.encoder = mlp([math.prod(shape), *hidden, 2 * d], activation)

    def posterior(self, x):
        mu, logvar = self.encoder(x.flatten(1)).chunk(2, dim=1)
        return mu, logvar

    def encode(self, x):
        return self.posterior(x)[0]
""",
    "negative_elbo": """def negative_elbo(model, x, beta=1.0, sigma=None, nll=bernoulli_nll):
    mu, logvar = model.posterior(x)
    z = reparameterise(mu, logvar, torch.randn_like(mu))
    if sigma is None:
        reconstruction = nll(x, model.logits(z))
    else:
        reconstruction = gaussian_nll(x, model.decode(z), sigma)
    kl = kl_divergence(mu, logvar)
    return {"reconstruction": reconstruction, "kl": beta * kl}
""",
    "sample": """def sample(decode, n, d):
    return decode(torch.randn(n, d))
""",
    "ConditionalVAE": """class ConditionalVAE(Autoencoder):
    def __init__(self, shape, classes, hidden=(256, 64), d=2, activation=nn.ReLU):
        super().__init__(shape, hidden, d, activation)
        self.classes = classes
        self.encoder = mlp([math.prod(shape) + classes, *hidden, 2 * d], activation)
        self.decoder = mlp([d + classes, *hidden[::-1], math.prod(shape)], activation)

    def posterior(self, x, y):
        onehot = F.one_hot(y, self.classes)
        return self.encoder(torch.cat([x.flatten(1), onehot], 1)).chunk(2, dim=1)

    def logits(self, z, y):
        onehot = F.one_hot(y, self.classes)
        return self.decoder(torch.cat([z, onehot], 1)).unflatten(1, self.shape)

    def decode(self, z, y):
        return self.logits(z, y).sigmoid()
""",
}
HEADS = f"""class VAE(Autoencoder):
    def __init__(self, {HEAD}
        super().__init__(shape, hidden, d, activation, output)
        self.encoder = nn.Sequential(mlp([math.prod(shape), *hidden], activation), activation())
        self.fc_mu = nn.Linear(hidden[-1], d)
        self.fc_logvar = nn.Linear(hidden[-1], d)

    def posterior(self, x):
        h = self.encoder(x.flatten(1))
        return self.fc_mu(h), self.fc_logvar(h)

    def encode(self, x):
        return self.posterior(x)[0]
"""
TRUNK = ("self.encoder", "self.trunk")
TUTORIAL = f"""class VAE(nn.Module):
    def __init__(self, {HEAD}
        super().__init__()
        self.shape, D = shape, math.prod(shape)
        self.fc1, self.fc2 = nn.Linear(D, hidden[0]), nn.Linear(hidden[0], hidden[-1])
        self.fc21, self.fc22 = nn.Linear(hidden[-1], d), nn.Linear(hidden[-1], d)
        self.fc3, self.fc4 = nn.Linear(d, hidden[-1]), nn.Linear(hidden[-1], D)
        self.activation, self.output = activation(), output()

    def posterior(self, x):
        h = self.activation(self.fc2(self.activation(self.fc1(x.flatten(1)))))
        return self.fc21(h), self.fc22(h)

    def encode(self, x):
        return self.posterior(x)[0]

    def logits(self, z):
        return self.fc4(self.activation(self.fc3(z))).view(-1, *self.shape)

    def decode(self, z):
        return self.output(self.logits(z))

    def forward(self, x):
        return self.decode(self.encode(x))
"""
CONV = f"""class VAE(Autoencoder):
    def __init__(self, {HEAD}
        super().__init__(shape, hidden, d, activation, output)
        self.encoder = nn.Sequential(
            nn.Conv2d(shape[0], 16, 3, stride=2, padding=1),
            activation(),
            nn.Flatten(),
            nn.LazyLinear(2 * d),
        )

    def posterior(self, x):
        return self.encoder(x).chunk(2, dim=1)

    def encode(self, x):
        return self.posterior(x)[0]
"""
ONEHOT = "        onehot = F.one_hot(y, self.classes)\n"
CAT = "torch.cat([x.flatten(1), onehot], 1)"
MAPS = """torch.cat([x, onehot[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1).flatten(1)"""
PLANE = """torch.cat([x, y[:, None, None, None].expand_as(x[:, :1])], 1).flatten(1)"""
SIZES = "math.prod(shape) + classes"
GRADIENT = "no gradient flows back through them"


def of(name, what, words, *pairs, text=None):
    return name, what, changed(text or RIGHT[name], *pairs), words


kl, rep, elbo, cvae = "kl_divergence", "reparameterise", "negative_elbo", "ConditionalVAE"
ATTEMPTS = [
    *[of(name, "as ours", OK) for name in RIGHT],
    of(kl, "detach", GRADIENT, (".mean()", ".mean().detach()")),
    of(kl, "item", GRADIENT, (".mean()", ".mean().item()")),
    of(kl, "float", GRADIENT, ("-0.5 * ", "-0.5 * float("), (".mean()", ".mean())")),
    of(kl, "no_grad", GRADIENT, ("def", "@torch.no_grad()\ndef")),
    of(kl, "mu.detach()", "none reaches mu", ("mu**2", "mu.detach()**2")),
    of(kl, "mu.data", "none reaches mu", ("mu**2", "mu.data**2")),
    of(kl, "logvar.detach()", "gradient by logvar", ("logvar.exp", "logvar.detach().exp")),
    of(kl, "torch.tensor(mu)", "none reaches mu", ("mu**2", "torch.tensor(mu)**2")),
    of(kl, "math.exp", "in line 2 of yours", ("logvar.exp()", "math.exp(logvar)")),
    of(kl, "mean for sum", "the latent dimensions are summed", (".sum(1)", "")),
    of(kl, "sum for mean", "divide by len(mu)", (".sum(1).mean()", ".sum()")),
    of(kl, "sum over the batch", "look at the axes", (".sum(1)", ".sum(0)")),
    of(kl, "no mean", "one number for the batch", (".mean()", "")),
    of(kl, "the slide", "misprint", ("mu**2", "mu")),
    of(kl, "the sign", "look at the sign", ("-0.5", "0.5")),
    of(kl, "no half", "look at the half", ("-0.5 *", "-1 *")),
    of(kl, "sigma for logvar", "logvar stands for it", ("logvar.exp()", "logvar")),
    of(kl, "sigma squared twice", "sigma^4", ("logvar.exp()", "logvar.exp()**2")),
    of(kl, "softplus", "result", ("logvar.exp()", "F.softplus(logvar)")),
    of(kl, "the other order", "should be", ("- mu**2 - logvar.exp()", "- mu**2 / logvar.exp()")),
    of(kl, "no return", "is a `return` missing?", ("return", "kl =")),
    of(kl, "a tuple of one", "take the comma away", (".mean()", ".mean(),")),
    of(
        rep, "torch.normal", "look at torch.normal", ("mu + sigma * eps", "torch.normal(mu, sigma)")
    ),
    of(rep, "sample", "look at torch.normal", ("mu + sigma * eps", "Normal(mu, sigma).sample()")),
    of(rep, "rsample", "the noise is given", ("mu + sigma * eps", "Normal(mu, sigma).rsample()")),
    of(rep, "randn_like", "the noise is given", ("* eps", "* torch.randn_like(mu)")),
    of(rep, "sigma for logvar", "take exp(logvar / 2)", ("torch.exp(0.5 * logvar)", "logvar")),
    of(rep, "the variance", "exp(logvar) is the variance", ("0.5 * logvar", "logvar")),
    of(rep, "sqrt", "whose root", ("torch.exp(0.5 * logvar)", "logvar.sqrt()")),
    of(rep, "detach", "no detach", ("* eps", "* eps).detach()"), ("mu +", "(mu +")),
    of(rep, "no_grad", "no no_grad", ("def", "@torch.no_grad()\ndef")),
    of(rep, "sigma.detach()", "look at logvar: no gradient", ("sigma *", "sigma.detach() *")),
    of(rep, "mu.detach()", "look at mu: no gradient", ("mu +", "mu.detach() +")),
    of(rep, "US spelling", "did you mean reparameterise?", ("reparameterise", "reparameterize")),
    of("VAE", "fc_mu and fc_logvar", OK, text=HEADS),
    of("VAE", "a trunk beside the encoder", "set it to None", TRUNK, text=HEADS),
    of(
        "VAE",
        "a trunk, encoder None",
        OK,
        TRUNK,
        ("        self.fc_mu =", "        self.encoder = None\n        self.fc_mu ="),
        text=HEADS,
    ),
    of("VAE", "fc1 to fc4, no base", OK, text=TUTORIAL),
    of("VAE", "convolutions", OK, text=CONV),
    of("VAE", "d for 2 d", "its last layer needs 2 d numbers", ("2 * d", "d")),
    of("VAE", "no flatten", "it is given a grid", ("x.flatten(1)", "x")),
    of("VAE", "chunk of the batch", "expected 2", ("dim=1", "dim=0")),
    of("VAE", "784", "this layer takes 784 numbers", ("math.prod(shape)", "784")),
    of(
        "VAE",
        "no super()",
        "comes first",
        ("super().__init__(shape, hidden, d, activation, output)", "pass"),
    ),
    of(
        "VAE",
        "super without sizes",
        "Is an argument missing",
        ("__init__(shape, hidden, d, activation, output)\n", "__init__()\n"),
    ),
    of(
        "VAE",
        "posterior of sigma",
        "no exp, no clamp",
        ("mu, logvar\n", "mu, (logvar / 2).exp()\n"),
    ),
    of("VAE", "softplus", "no exp, no clamp", ("mu, logvar\n", "mu, F.softplus(logvar)\n")),
    of(
        "VAE", "a dict", "two tensors", ("return mu, logvar", 'return {"mu": mu, "logvar": logvar}')
    ),
    of("VAE", "a Normal", "two tensors", ("mu, logvar\n", "Normal(mu, (logvar / 2).exp())\n")),
    of("VAE", "a list", OK, ("return mu, logvar", "return [mu, logvar]")),
    of("VAE", "z as third", "two tensors", ("return mu, logvar", "return mu, logvar, mu")),
    of(
        "VAE",
        "sampling in encode",
        "without noise",
        (
            "return self.posterior(x)[0]",
            "mu, v = self.posterior(x)\n        return mu + (v / 2).exp() * torch.randn_like(mu)",
        ),
    ),
    of("VAE", "encode of both", "a tensor is wanted", ("(x)[0]", "(x)")),
    of(
        "VAE",
        "dropout",
        "is there dropout?",
        ("], activation)", "], activation)\n        self.encoder.insert(2, nn.Dropout(0.3))"),
    ),
    of(
        "VAE",
        "dropout outside",
        "is there dropout?",
        ("self.encoder(x.flatten(1))", "self.encoder(F.dropout(x.flatten(1)))"),
    ),
    of(
        "VAE",
        "batch norm",
        OK,
        (
            "activation)\n\n",
            "activation)\n        self.encoder.insert(1, nn.BatchNorm1d(hidden[0]))\n\n",
        ),
    ),
    of(
        "VAE",
        "hidden ignored",
        "hidden is an argument",
        ("d, activation, output", "d, activation, output"),
        (
            "super().__init__(shape, hidden",
            "hidden = (256, 64)\n        super().__init__(shape, hidden",
        ),
    ),
    of(
        "VAE",
        "one method left",
        "not written yet",
        ("return self.posterior(x)[0]", "raise NotImplementedError"),
    ),
    of("VAE", "a lower-case name", "is no exercise", ("class VAE", "class vae")),
    of(
        elbo,
        "detached reconstruction",
        "no gradient of the reconstruction",
        ('reconstruction, "kl', 'reconstruction.detach(), "kl'),
    ),
    of(elbo, "detached KL", "no gradient of the kl term", ("beta * kl}", "beta * kl.detach()}")),
    of(
        elbo,
        "items",
        "no gradient of the reconstruction",
        ('reconstruction, "kl', 'reconstruction.item(), "kl'),
    ),
    of(elbo, "KL as item", "no gradient of the kl term", ("beta * kl}", "beta * kl.item()}")),
    of(elbo, "no_grad", "no gradient of the reconstruction", ("def", "@torch.no_grad()\ndef")),
    of(
        elbo,
        "KL under no_grad",
        "no gradient of the kl term",
        ("    kl =", "    with torch.no_grad():\n        kl ="),
    ),
    of(elbo, "z detached", "is z detached", ("randn_like(mu))", "randn_like(mu)).detach()")),
    of(
        elbo,
        "mu detached for z",
        "no gradient of the reconstruction reaches mu",
        ("ise(mu,", "ise(mu.detach(),"),
    ),
    of(
        elbo,
        "logvar detached for z",
        "reaches logvar",
        ("ise(mu, logvar", "ise(mu, logvar.detach()"),
    ),
    of(elbo, "mu detached for KL", "gradient of the kl term", ("gence(mu", "gence(mu.detach()")),
    of(
        elbo,
        "no noise",
        "look at z: it is mu here",
        ("logits(z)", "logits(mu)"),
        ("decode(z)", "decode(mu)"),
    ),
    of(
        elbo,
        "eps drawn once",
        "is a seed fixed?",
        (
            "torch.randn_like(mu)",
            "torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))",
        ),
    ),
    of(elbo, "one eps", "each number of a code", ("torch.randn_like(mu)", "torch.randn(1)")),
    of(elbo, "rand_like", "the width of the noise", ("randn_like", "rand_like")),
    of(elbo, "no beta", "look at beta", ("beta * ", "")),
    of(elbo, "beta at both", "look at beta", ('n": reconstruction', 'n": beta * reconstruction')),
    of(elbo, "minus KL", "look at the sign", ("beta * kl}", "-beta * kl}")),
    of(
        elbo,
        "mean of pixels",
        "sum them",
        ("    kl =", "    reconstruction = reconstruction / x[0].numel()\n    kl ="),
    ),
    of(
        elbo,
        "mean square",
        "no mean squared",
        ("nll(x, model.logits(z))", "F.mse_loss(model.decode(z), x)"),
    ),
    of(elbo, "decode for logits", "nll takes logits", ("model.logits(z)", "model.decode(z)")),
    of(
        elbo,
        "model(x)",
        "look at model(x)",
        ("model.logits(z)", "model(x)"),
        ("model.decode(z)", "model(x)"),
    ),
    of(elbo, "bernoulli_nll for nll", "look at nll", ("= nll(x", "= bernoulli_nll(x")),
    of(
        elbo,
        "sum of both",
        "not their sum",
        ('{"reconstruction": reconstruction, "kl": beta * kl}', "reconstruction + beta * kl"),
    ),
    of(
        elbo,
        "a tuple",
        "a dict of two named terms",
        ('{"reconstruction": reconstruction, "kl": beta * kl}', "reconstruction, beta * kl"),
    ),
    of(elbo, "other names", "dict of two terms", ('"kl"', '"KL"')),
    of(elbo, "encode for posterior", "too many values", ("model.posterior", "model.encode")),
    of(elbo, "sigma ignored", "look at sigma", ("if sigma is None", "if True")),
    of("sample", "rand", "look at the law", ("randn", "rand")),
    of(
        "sample",
        "one code",
        "a code of its own",
        ("torch.randn(n, d)", "torch.randn(1, d).expand(n, d)"),
    ),
    of("sample", "no decode", "decoded codes", ("decode(torch.randn(n, d))", "torch.randn(n, d)")),
    of("sample", "n codes of 1", "not (n, d)", ("randn(n, d)", "randn(n)")),
    of("sample", "no_grad inside", OK, ("    return", "    with torch.no_grad():\n        return")),
    of(
        cvae,
        "label as a number",
        "class 2 lie between",
        (SIZES, "math.prod(shape) + 1"),
        ("d + classes", "d + 1"),
        ("F.one_hot(y, self.classes)", "y[:, None]"),
    ),
    of(
        cvae,
        "number for the encoder",
        "the encoder takes the label as a size",
        (ONEHOT + "        return self.encoder", "        return self.encoder"),
        (SIZES, "math.prod(shape) + 1"),
        (CAT, "torch.cat([x.flatten(1), y[:, None]], 1)"),
    ),
    of(
        cvae,
        "number for the decoder",
        "the decoder takes the label as a size",
        (ONEHOT + "        return self.decoder", "        return self.decoder"),
        ("d + classes", "d + 1"),
        ("[z, onehot]", "[z, y[:, None]]"),
    ),
    of(
        cvae,
        "decoder only",
        "the encoder is not told",
        (" + classes, *hidden, 2", ", *hidden, 2"),
        (CAT, "x.flatten(1)"),
    ),
    of(
        cvae,
        "encoder only",
        "the decoder is not told",
        ("d + classes", "d"),
        ("torch.cat([z, onehot], 1)", "z"),
    ),
    of(cvae, "one_hot(y)", "F.one_hot(y, classes)", ("(y, self.classes)", "(y)")),
    of(cvae, "width 10", "and is given", ("self.classes = classes", "self.classes = 10")),
    of(
        cvae,
        "10 everywhere",
        "smaller than num_classes",
        ("self.classes = classes", "self.classes = classes = 10"),
    ),
    of(
        cvae,
        "encoder of Autoencoder",
        "is given",
        (
            "self.encoder = mlp([math.prod(shape) + classes, *hidden, 2 * d], activation)",
            "",
        ),
    ),
    of(
        cvae,
        "2 d + classes",
        "is given",
        ("2 * d]", "2 * d + classes]"),
        ("d + classes, *hidden[::-1]", "2 * d, *hidden[::-1]"),
    ),
    of(cvae, "d for 2 d", "its last layer needs 2 d", ("2 * d", "d")),
    of(cvae, "no flatten", "number of dimensions", ("x.flatten(1)", "x")),
    of(cvae, "cat without axis", "dimension 0", ("onehot], 1)", "onehot])")),
    of(
        cvae,
        "classes as channels",
        OK,
        (SIZES, "math.prod(shape) + classes * shape[1] * shape[2]"),
        (CAT, MAPS),
    ),
    of(
        cvae,
        "label as a grey channel",
        "the encoder takes the label as a size",
        (ONEHOT + "        return self.encoder", "        return self.encoder"),
        (SIZES, "math.prod(shape) + shape[1] * shape[2]"),
        (CAT, PLANE),
    ),
    of(
        cvae,
        "float one-hot",
        OK,
        ("F.one_hot(y, self.classes)", "F.one_hot(y, self.classes).float()"),
    ),
    of(cvae, "torch.eye", OK, ("F.one_hot(y, self.classes)", "torch.eye(self.classes)[y]")),
    of(cvae, "no sigmoid", "look at decode", (".sigmoid()", "")),
    of(
        cvae,
        "sigmoid twice",
        "belongs to decode",
        ("unflatten(1, self.shape)", "unflatten(1, self.shape).sigmoid()"),
    ),
    of(cvae, "no unflatten", "shape of the logits", (".unflatten(1, self.shape)", "")),
    of(
        cvae,
        "decode of Autoencoder",
        "look at decode",
        ("    def decode(self, z, y):\n        return self.logits(z, y).sigmoid()\n", ""),
    ),
    of(
        cvae,
        "detach",
        "no gradient flows through posterior",
        ("chunk(2, dim=1)", "detach().chunk(2, dim=1)"),
    ),
    of(
        cvae,
        "self.classes forgotten",
        "under another name",
        ("        self.classes = classes\n", ""),
    ),
    of(
        cvae,
        "a seed",
        "is a seed fixed",
        ("        self.classes", "        torch.manual_seed(0)\n        self.classes"),
    ),
]
ATTEMPTS = {f"{name}, {what}": rest for name, what, *rest in ATTEMPTS}


def told(key):
    """What check says to an attempt."""
    known = {n: EXERCISES[n].solution for n in RIGHT} | {"Normal": Normal}
    known |= {"Autoencoder": models.Autoencoder, "mlp": models.mlp}
    known |= {"bernoulli_nll": losses.bernoulli_nll, "gaussian_nll": losses.gaussian_nll}
    spelled = {"US spelling": "reparameterize", "a lower-case name": "vae"}
    return answer(key, ATTEMPTS[key][0], known, spelled)


@pytest.mark.parametrize("key", ATTEMPTS)
def test_each_attempt_is_told_what_it_needs(key):
    said, words = told(key), ATTEMPTS[key][1]
    assert words in said
    assert said.startswith(OK) == (words == OK)


def test_there_are_right_and_wrong_ones():
    right = sum(words == OK for _, words in ATTEMPTS.values())
    assert right >= 12 and len(ATTEMPTS) - right >= 60 and len(set(ATTEMPTS)) == len(ATTEMPTS)


if __name__ == "__main__":
    for key in ATTEMPTS:
        print(f"{key:45} {told(key)}")
