# ruff: noqa: E501
"""Can the tests fail? Breaks the package in one line at a time and runs the tests of its module:

    python tests/mutants.py                    # all, about a quarter of an hour
    python tests/mutants.py training losses    # those of some modules

A mutant that passes all its tests survives: a fault that nobody would notice. The package is broken
in a copy. tests/test_mutants.py sees to it that each line below still stands in its module.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]

# module: what stands there, once => what stands there in the mutant
LIST = r"""
losses: (x - x_hat).square().sum() / len(x) => (x - x_hat).square().mean()
losses: return squared_error(x, x_hat) / (2 * sigma**2) + constant => return squared_error(x, x_hat) / sigma**2 + constant
losses: constant = x[0].numel() * math.log(sigma * math.sqrt(2 * math.pi)) => constant = math.log(sigma * math.sqrt(2 * math.pi))
losses: if low < 0 or high > 1: => if low < 0:
losses: constant = x[0].numel() * math.log(2 * scale) => constant = x[0].numel() * math.log(scale)
losses: size = logits.abs().clamp(min=1e-3) => size = logits.abs()
losses: return (mu.square() + logvar.exp() - 1 - logvar).sum() / 2 / len(mu) => return (mu + logvar.exp() - 1 - logvar).sum() / 2 / len(mu)
losses: return mu + (logvar / 2).exp() * eps => return mu + logvar.exp() * eps
losses: return sum(p.square().sum() for p in model.parameters() if p.ndim > 1) => return sum(p.square().sum() for p in model.parameters())
losses: return sum(p.abs().sum() for p in model.parameters() if p.ndim > 1) => return sum(p.abs().sum() for p in model.parameters())
losses: slope = z * (1 - z) => slope = z
losses: .masked_fill(u > 1 - p / 2, 1.0) => .masked_fill(u > 1 - p, 1.0)
losses: "kl": beta * kl_divergence(mu, logvar) => "kl": kl_divergence(mu, logvar)
neurons: return w + eta * y.T @ x / len(x) => return w + eta * y.T @ x
neurons: - eta * y.square().mean(0)[:, None] * w => - eta * y.abs().mean(0)[:, None] * w
neurons: (y.T @ y).tril() => (y.T @ y).triu()
neurons: eta * (1 - w.square().sum(1, keepdim=True)) * w => eta * (1 - w.square().sum(1, keepdim=True))
information: signal / sigma**2) / 2 => signal / sigma) / 2
information: apart @ precision @ apart - len(mean) + logs => apart @ precision @ apart + logs
information: mixed - mixed.T + a @ cov_z @ a.T => mixed - mixed.T
information: return torch.logdet(2 * math.pi * math.e * cov) / 2 => return torch.logdet(2 * math.pi * cov) / 2
variational: - math.log(log_w.shape[-1]) => - math.log(len(log_w))
variational: q.log_prob(z)).sum(2) - nll => q.log_prob(z)).mean(2) - nll
variational: mu.var(0, correction=0) > threshold => mu.var(0) > threshold
variational: weight = weight / d if kl == "mean" else weight => weight = weight if kl == "mean" else weight
variational: (z - mu) / logvar.exp() => (z - mu) / (logvar / 2).exp()
variational: (torch.arange(n) + 0.5) / n => (torch.arange(n) + 1) / (n + 1)
variational: torch.meshgrid(places.flip(0), places, indexing="ij") => torch.meshgrid(places, places, indexing="ij")
scores: (count.cumsum(0) - (count - 1) / 2)[place] => count.cumsum(0)[place]
scores: c = torch.cov(normal.T, correction=0) => c = torch.cov(normal.T)
scores: gap = e - normal.mean(0) => gap = e
scores: (beta**2 * odd.sum() + alarm.sum()) => (beta**2 * alarm.sum() + odd.sum())
few_labels: distance = torch.cdist(z, z).fill_diagonal_(torch.inf) => distance = torch.cdist(z, z)
few_labels: z[:, None] + strength * (z[:, None] - neighbours) => z[:, None] + strength * (neighbours - z[:, None])
few_labels: difference.std() / len(difference) ** 0.5 => difference.std() / len(difference)
few_labels: return (both - chance) / ((a + b) / 2 - chance) => return both / ((a + b) / 2)
few_labels: start.repeat(1, ways, 1, 1) => torch.randn(draws, ways, a, b)
models: return mean, axes[:d], s[:d] ** 2 / len(flat) => return mean, axes[:d], s[:d] ** 2 / (len(flat) - 1)
models: return u.T => return u.T.flip(0)
models: slopes = y.diff(dim=0) / t.diff()[:, None] => slopes = y.diff(dim=0)
models: return (z @ weight.T + self.decoder.bias).unflatten(1, self.shape) => return (z @ weight.T).unflatten(1, self.shape)
models: return nn.Sequential(*layers[:-1]) => return nn.Sequential(*layers)
models: return self.posterior(x)[0] => return self.posterior(x)[1]
pretraining: return noise * math.sqrt(2 / noise.shape[1]) => return noise * math.sqrt(2 / noise.shape[0])
pretraining: .clamp(0.001, 0.999).logit() => .logit()
pretraining: linear=len(level.encoder) == 1 => linear=False
pretraining: hidden = a.square() / 2 if self.linear else F.softplus(a) => hidden = F.softplus(a)
pretraining: dw = (h.T @ v - h_hat.T @ v_hat) / len(v) => dw = (h.T @ v - h_hat.T @ v) / len(v)
pretraining: return {"reconstruction": squared_error(x, level.logits(z))} => return {"reconstruction": squared_error(x, level.decode(z))}
codecs: return -10 * (x - x_hat).square().mean().log10() => return -10 * (x - x_hat).square().flatten(1).mean(1).log10().mean()
codecs: bits -= (p * p.log2()).sum() => bits -= (p * p.log()).sum()
codecs: return z + torch.rand_like(z) - 0.5 => return z + torch.rand_like(z)
codecs: return z + (z.round() - z).detach() => return z.round()
codecs: mass = upper.sigmoid() - lower.sigmoid() => mass = lower.sigmoid() - upper.sigmoid()
entropy_coding: return zlib.crc32(body, zlib.crc32(tables.counts.tobytes(), zlib.crc32(head))) => return zlib.crc32(body, zlib.crc32(head))
sequences: return torch.stack(values[::-1], 1) => return torch.stack(values, 1)
sequences: h, _ = model.decoder(x.flip(1)[:, :-1], state) => h, _ = model.decoder(x.flip(1)[:, 1:], state)
data: torch.randperm(rows, generator=torch.Generator().manual_seed(seed))[:n] => torch.randperm(rows)[:n]
data: x = x[:, None].float().div_(255) => x = x[:, None].float().div_(256)
data: allow_pickle=False) => allow_pickle=True)
data: data.data.mT if name == "EMNIST" => data.data if name == "EMNIST"
sound: .clip(0, 1) => .clip(0, 2)
training: return (1 + math.cos(math.pi * (t - 0.3) / 0.7)) / 2 => return (1 + math.cos(math.pi * t)) / 2
training: "batch": batch, "lr" => "lr"
training: lr * schedule(bar.n / total) => lr * schedule(epoch / epochs)
training: steps.build(optimizer, model, lr) => steps.build(torch.optim.Adam, model, lr)
training: model.train() => model.eval()
training: \n        finally:\n            model.eval() => \n        finally:\n            pass
training: model.eval()\n    sums => sums
training: with torch.random.fork_rng():\n        torch.manual_seed(seed) => if True:\n        torch.manual_seed(seed)
training: if k % 10 == 1 or k == source.steps: => if k % 10 == 1:
streams: < min(self.batch, 2): => < 0:
steps: .isfinite(value) and math.isfinite(slope)) => .isfinite(value))
steps: if getattr(term, "ndim", 0): => if False:
steps: if history["loss"]: => if True:
checkpoints: weights_only=True => weights_only=False
checkpoints: part = f"{path}.{os.getpid()}.part" => part = f"{path}"
checkpoints: if theirs.get(name) != value: => if name in theirs and False:
checkpoints: fcntl.LOCK_EX | fcntl.LOCK_NB => fcntl.LOCK_SH | fcntl.LOCK_NB
variational: max(1, block // k) => max(1, block)
sound: new = (onset > 0.5) => new = (onset > 0)
marking: torch.manual_seed(0)\n        return exercise => return exercise
inputs: x.to(like.device, like.dtype) => x.to(like.dtype)
attempts: bare = isinstance(error, NotImplementedError) and not error.args => bare = isinstance(error, NotImplementedError)
attempts: torch.set_grad_enabled(gradients), torch.set_default_dtype(dtype) => torch.set_default_dtype(dtype)
attempts: signal.setitimer(signal.ITIMER_REAL, seconds, 0.5) => signal.setitimer(signal.ITIMER_REAL, 30, 0.5)
marking: slope = _wrong_gradient(exercise, f) if exercise.trained else None => slope = None
answers: rtol=1e-4, atol=1e-5 * scale => rtol=1e-1, atol=1e-5 * scale
"""


TESTED_WITH = dict.fromkeys(("steps", "progress", "checkpoints", "streams"), "training")
TESTED_WITH["inputs"] = "devices"
TESTED_WITH |= dict.fromkeys(("checks", "marking", "attempts", "answers"), "exercises")


class Mutant(NamedTuple):
    module: str
    old: str
    new: str

    @property
    def path(self):
        return Path("aecourse") / f"{self.module}.py"

    def __str__(self):
        return f"{self.module}: {self.old!r} => {self.new!r}"


def mutants():
    for line in LIST.strip().splitlines():
        module, _, change = line.partition(": ")
        old, _, new = (part.replace("\\n", "\n") for part in change.partition(" => "))
        yield Mutant(module, old, new)


def survives(mutant, folder):
    """Whether the tests of the module pass on the mutant, in a copy of the tree."""
    path = folder / mutant.path
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
    ]
    name = TESTED_WITH.get(mutant.module, mutant.module)
    try:
        run = subprocess.run(
            [*command, f"tests/test_{name}.py"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder), "MPLBACKEND": "Agg"},
            capture_output=True,
            timeout=900,
        )
    finally:
        path.write_text(text, encoding="utf-8")
    return run.returncode == 0


def copy(folder):
    for name in ("aecourse", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("data", "notebooks", "README.md", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)


def main(modules):
    chosen = [mutant for mutant in mutants() if not modules or mutant.module in modules]
    survivors = []
    with tempfile.TemporaryDirectory() as name:
        copy(folder := Path(name))
        for k, mutant in enumerate(chosen, 1):
            alive = survives(mutant, folder)
            survivors += [mutant] * alive
            print(f"{k} of {len(chosen)}", "SURVIVES" if alive else "caught", mutant, flush=True)
    print(f"\n{len(chosen)} mutants, {len(survivors)} survive", *survivors, sep="\n")
    return len(survivors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
