"""Every exercise both ways: solved, in another way too, it passes; unsolved or mistaken it doesn't.

The first test finds the exercises of the course by itself. A new one needs an entry in
ALTERNATIVES: right answers that come about in another way than the package's.
"""

import functools
import inspect
import math
import re
import shutil
from collections import Counter
from importlib import metadata

import numpy as np
import pytest
import torch
from packaging.requirements import Requirement
from scipy import stats
from sklearn.decomposition import PCA as SklearnPCA
from torch.distributions import MultivariateNormal

from aecourse import checks, data, models
from aecourse.exercises import EXERCISES

# ---- other ways to the right answers ----------------------------------------------------------


def squared_error_in_numpy(x, x_hat):
    return ((x.numpy() - x_hat.numpy()) ** 2).reshape(len(x), -1).sum(1).mean()


def squared_error_in_loops(x, x_hat):
    total = 0.0
    for a, b in zip(x.flatten(1).tolist(), x_hat.flatten(1).tolist(), strict=True):
        for p, q in zip(a, b, strict=True):
            total += (p - q) ** 2
    return total / len(x)


def squared_error_in_double_precision(x, x_hat):
    return torch.nn.functional.mse_loss(x.double(), x_hat.double(), reduction="sum") / x.shape[0]


def squared_error_as_a_norm(x, x_hat):
    return ((x - x_hat).flatten(1).norm(dim=1) ** 2).mean()


def mutual_information_in_numpy(w, cov, sigma):
    w, cov = w.numpy(), cov.numpy()
    return np.log(np.linalg.det(np.eye(len(w)) + w @ cov @ w.T / sigma**2)) / 2


def mutual_information_by_eigenvalues(w, cov, sigma):
    total = 0.0
    for value in torch.linalg.eigvalsh(w @ cov @ w.T).tolist():
        total += 0.5 * math.log(1 + value / sigma**2)
    return total


def mutual_information_as_a_difference_of_entropies(w, cov, sigma):
    noise = sigma**2 * torch.eye(len(w)).double()
    both = [
        MultivariateNormal(torch.zeros(len(w)).double(), s) for s in (w @ cov @ w.T + noise, noise)
    ]
    return both[0].entropy() - both[1].entropy()


def gaussian_kl_of_torch(mean, cov, other_mean, other_cov):
    pair = MultivariateNormal(mean, cov), MultivariateNormal(other_mean, other_cov)
    return torch.distributions.kl_divergence(*pair)


def gaussian_kl_in_numpy(mean, cov, other_mean, other_cov):
    mean, cov, other_mean, other_cov = (a.numpy() for a in (mean, cov, other_mean, other_cov))
    apart = mean - other_mean
    trace = np.trace(np.linalg.solve(other_cov, cov))
    logs = np.log(np.linalg.det(other_cov) / np.linalg.det(cov))
    return 0.5 * (trace + apart.dot(np.linalg.solve(other_cov, apart)) - apart.size + logs)


def gaussian_kl_by_whitening(mean, cov, other_mean, other_cov):
    root = torch.linalg.cholesky(other_cov)
    z = torch.linalg.solve_triangular(root, (mean - other_mean)[:, None], upper=False)
    white = torch.linalg.solve_triangular(root, torch.linalg.cholesky(cov), upper=False)
    return (white.square().sum() + z.square().sum() - len(mean)) / 2 - white.diagonal().log().sum()


def gaussian_nll_of_torch(x, x_hat, sigma):
    return -torch.distributions.Normal(x_hat, sigma).log_prob(x).flatten(1).sum(1).mean()


def gaussian_nll_of_scipy(x, x_hat, sigma):
    return -stats.norm.logpdf(x.numpy(), x_hat.numpy(), sigma).sum() / len(x)


def gaussian_nll_in_loops(x, x_hat, sigma):
    total = 0.0
    for a, b in zip(x.flatten().tolist(), x_hat.flatten().tolist(), strict=True):
        total += (a - b) ** 2 / (2 * sigma**2) + 0.5 * math.log(2 * math.pi * sigma**2)
    return total / len(x)


def laplace_nll_of_torch(x, x_hat, scale):
    return -torch.distributions.Laplace(x_hat, scale).log_prob(x).flatten(1).sum(1).mean()


def laplace_nll_of_scipy(x, x_hat, scale):
    return -stats.laplace.logpdf(x.numpy(), x_hat.numpy(), scale).sum() / len(x)


def laplace_nll_in_double_precision(x, x_hat, scale):
    error = (x.double() - x_hat.double()).abs().flatten(1).sum(1)
    return (error / scale + x[0].numel() * math.log(2 * scale)).mean()


def bernoulli_nll_in_numpy(x, logits):
    x, logits = x.numpy(), logits.numpy().astype(np.float64)
    cost = np.maximum(logits, 0) - x * logits + np.log1p(np.exp(-np.abs(logits)))
    return cost.reshape(len(x), -1).sum(1).mean()


def bernoulli_nll_by_softplus(x, logits):
    softplus = torch.nn.functional.softplus
    return (x * softplus(-logits) + (1 - x) * softplus(logits)).flatten(1).sum(1).mean()


def bernoulli_nll_of_torch(x, logits):
    truth = torch.distributions.Bernoulli(logits=logits.double(), validate_args=False)
    return -truth.log_prob(x.double()).sum() / x.shape[0]


def bernoulli_nll_in_loops(x, logits):
    total = 0.0
    for a, b in zip(x.flatten().tolist(), logits.flatten().tolist(), strict=True):
        total += max(b, 0) - a * b + math.log1p(math.exp(-abs(b)))
    return total / len(x)


def pca_by_eigh(x, d):
    flat = x.flatten(1)
    mean = flat.mean(0)
    values, vectors = torch.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    return mean, vectors.T.flip(0)[:d], values.flip(0)[:d]


def pca_in_numpy(x, d):
    rows = x.numpy().astype(np.float64).reshape(len(x), -1)
    values, vectors = np.linalg.eigh(np.cov(rows.T, bias=True))
    return [rows.mean(0), -vectors[:, ::-1][:, :d].T, values[::-1][:d]]


def pca_of_scikit_learn(x, d):
    n = len(x)
    fitted = SklearnPCA(d, svd_solver="full").fit(x.flatten(1).numpy())
    return fitted.mean_, fitted.components_, fitted.explained_variance_ * (n - 1) / n


def pca_by_power_iteration(x, d):
    flat = x.flatten(1).double()
    mean = flat.mean(0)
    covariance = (flat - mean).T @ (flat - mean) / len(flat)
    axes, variances = [], []
    for _ in range(d):
        axis = torch.ones(len(mean), dtype=torch.float64)
        for _ in range(200):
            axis = covariance @ axis
            axis /= axis.norm()
        axes.append(axis)
        variances.append(axis @ covariance @ axis)
        covariance = covariance - variances[-1] * torch.outer(axis, axis)
    return mean, torch.stack(axes), torch.stack(variances)


def optimal_weights_by_eigh(x, d, lam=0.0):
    _, axes, variances = pca_in_numpy(x, d)
    scale = np.sqrt(np.maximum(0, variances - lam) / variances)
    return np.diag(scale) @ axes, axes.T * scale


def optimal_weights_in_a_loop(x, d, lam=0.0):
    _, axes, variances = pca_by_eigh(x.double(), d)
    encoder = torch.zeros_like(axes)
    for k, variance in enumerate(variances.tolist()):
        if variance > lam:
            encoder[k] = -axes[k] * (1 - lam / variance) ** 0.5
    return encoder, encoder.T.clone()


def recover_axes_by_eigh(w):
    values, vectors = torch.linalg.eigh(w.double() @ w.double().T)
    return vectors[:, values.argsort(descending=True)[: w.shape[1]]].T


def recover_axes_by_qr_and_eigh(w):
    q, r = torch.linalg.qr(w.double())
    _, turn = torch.linalg.eigh(r @ r.T)
    return -(q @ turn).T.flip(0)


def recover_axes_from_the_small_side(w):
    w = w.numpy().astype(np.float64)
    values, turn = np.linalg.eigh(w.T @ w)
    return ((w @ turn) / np.sqrt(values)).T[::-1]


def hebb_in_numpy(w, x, eta):
    w, x = w.numpy(), x.numpy()
    return w + eta * np.mean((x @ w.T)[:, :, None] * x[:, None, :], axis=0)


def hebb_in_loops(w, x, eta):
    change = torch.zeros_like(w)
    for row in x:
        for k in range(len(w)):
            change[k] += (w[k] @ row) * row
    return w + eta * change / len(x)


def hebb_by_the_second_moment(w, x, eta):
    x = x.double()
    return w.double() @ (torch.eye(x.shape[1]) + eta * x.T @ x / len(x))


def oja_in_numpy(w, x, eta):
    w, x = w.numpy().astype(np.float64), x.numpy()
    y = x @ w.T
    return w + eta * (y.T @ x - (y * y).sum(axis=0)[:, np.newaxis] * w) / len(x)


def oja_in_loops(w, x, eta):
    new = []
    for neuron in w:
        changes = [(neuron @ row) * (row - (neuron @ row) * neuron) for row in x]
        new.append(neuron + eta * torch.stack(changes).mean(0))
    return torch.stack(new)


def oja_by_the_second_moment(w, x, eta):
    w, c = w.double(), (x.T @ x / len(x)).double()
    return w + eta * (w @ c - torch.diag(torch.diag(w @ c @ w.T)) @ w)


def subspace_in_numpy(w, x, eta):
    w, x = w.numpy().astype(np.float64), x.numpy()
    return (
        w
        + eta * w @ np.cov(x.T, bias=True) @ (np.eye(len(w.T)) - w.T @ w)
        + eta * w @ np.outer(x.mean(0), x.mean(0)) @ (np.eye(len(w.T)) - w.T @ w)
    )


def subspace_in_loops(w, x, eta):
    total = torch.zeros_like(w)
    for row in x:
        y = w @ row
        total += torch.outer(y, row - w.T @ y)
    return w + eta * total / len(x)


def subspace_as_a_gradient(w, x, eta):
    w = w.double().requires_grad_()
    code = (x.double() @ w.T).detach()
    ((x - code @ w).square().sum() / len(x)).backward()
    return w - eta / 2 * w.grad


def sanger_in_numpy(w, x, eta):
    w, x = w.numpy().astype(np.float64), x.numpy()
    y = x @ w.T
    return w + eta * (y.T @ x - np.tril(y.T @ y) @ w) / len(x)


def sanger_by_deflation(w, x, eta):
    left, new = x, []
    for neuron in w:
        y = (x @ neuron)[:, None]
        left = left - y * neuron
        new.append(neuron + eta * (y * left).mean(0))
    return torch.stack(new)


def sanger_in_loops(w, x, eta):
    w, x = w.double(), x.double()
    new = w.clone()
    for row in x:
        y = w @ row
        for k in range(len(w)):
            rebuilt = sum(y[j] * w[j] for j in range(k + 1))
            new[k] = new[k] + eta * y[k] * (row - rebuilt) / len(x)
    return new


def minor_in_numpy(w, x, eta):
    w, x = w.numpy().astype(np.float64), x.numpy()
    y = x @ w.T
    pull = (y**2).mean(0) + 1 - (w**2).sum(1)
    return w - eta * (y.T @ x / len(x) - pull[:, None] * w)


def minor_in_loops(w, x, eta):
    new = []
    for neuron in w.double():
        change = torch.zeros_like(neuron)
        for row in x.double():
            y = neuron @ row
            change -= (y * row - y**2 * neuron) / len(x)
        new.append(neuron + eta * (change + (1 - neuron @ neuron) * neuron))
    return torch.stack(new)


ALTERNATIVES = {
    "squared_error": (
        squared_error_in_numpy,
        squared_error_in_loops,
        squared_error_in_double_precision,
        squared_error_as_a_norm,
    ),
    "mutual_information": (
        mutual_information_in_numpy,
        mutual_information_by_eigenvalues,
        mutual_information_as_a_difference_of_entropies,
    ),
    "gaussian_kl": (gaussian_kl_of_torch, gaussian_kl_in_numpy, gaussian_kl_by_whitening),
    "gaussian_nll": (gaussian_nll_of_torch, gaussian_nll_of_scipy, gaussian_nll_in_loops),
    "laplace_nll": (laplace_nll_of_torch, laplace_nll_of_scipy, laplace_nll_in_double_precision),
    "bernoulli_nll": (
        bernoulli_nll_in_numpy,
        bernoulli_nll_by_softplus,
        bernoulli_nll_of_torch,
        bernoulli_nll_in_loops,
    ),
    "hebb": (hebb_in_numpy, hebb_in_loops, hebb_by_the_second_moment),
    "oja": (oja_in_numpy, oja_in_loops, oja_by_the_second_moment),
    "subspace": (subspace_in_numpy, subspace_in_loops, subspace_as_a_gradient),
    "sanger": (sanger_in_numpy, sanger_by_deflation, sanger_in_loops),
    "minor": (minor_in_numpy, minor_in_loops),
    "pca": (pca_by_eigh, pca_in_numpy, pca_of_scikit_learn, pca_by_power_iteration),
    "optimal_weights": (optimal_weights_by_eigh, optimal_weights_in_a_loop),
    "recover_axes": (
        recover_axes_by_eigh,
        recover_axes_by_qr_and_eigh,
        recover_axes_from_the_small_side,
    ),
}


def named(name, f):
    """f under the name of an exercise, as a learner would call it."""

    def attempt(*arguments):
        return f(*arguments)

    attempt.__name__ = name
    return attempt


def unwritten(*arguments):
    raise NotImplementedError


@pytest.fixture(autouse=True)
def one_thread():
    """Matrices of 12 x 12 take longer on two threads than on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_every_exercise_both_ways(capsys):
    tried, wrong = Counter(), []

    def expect(name, f, status, sentence="", kind="stubs"):
        tried[kind] += 1
        came = checks.outcome(named(name, f))
        if came[0] != status or sentence not in ("", came[1]):
            wrong.append(f"{name}, {kind}, {sentence or f.__name__}: came {' '.join(came)}")

    for name, exercise in EXERCISES.items():
        expect(name, exercise.solution, "✔ right", kind="solutions")
        expect(name, unwritten, "… not written yet")
        for sentence, mistake in exercise.mistakes.items():
            expect(name, mistake, "✘ not yet", sentence, kind="mistakes")
        for alternative in ALTERNATIVES.get(name, ()):
            expect(name, alternative, "✔ right", kind="alternatives")
    with capsys.disabled():
        print("\nexercises:", ", ".join(f"{n} {kind}" for kind, n in tried.items()), end=" ")
    assert not wrong, "\n".join(wrong)
    assert tried["solutions"] >= 4


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_has_cases_mistakes_hints_and_another_way(name):
    exercise = EXERCISES[name]
    assert exercise.solution.__name__ == name
    assert len(exercise.cases()) >= 2
    assert len(exercise.mistakes) >= 3
    for sentence in exercise.mistakes:
        assert re.fullmatch(r"look at [^\n]+: [^\n]+\.", sentence)
    assert len(exercise.hints) >= 2
    assert ALTERNATIVES.get(name), f"{name} needs a right answer of another kind in {__file__}"


def test_there_is_no_alternative_without_exercise():
    assert set(ALTERNATIVES) <= set(EXERCISES)


# ---- check ------------------------------------------------------------------------------------


def answer_of(name, arguments):
    """The right answer as a list of tensors."""
    answer = EXERCISES[name].solution(*arguments)
    return list(answer) if isinstance(answer, tuple) else [answer]


def raises(name, *arguments):
    return 1 / 0


def changes_its_argument(name, *arguments):
    answer = answer_of(name, arguments)
    arguments[0].mul_(2)
    return answer


def prints(name, *arguments):
    print("so far so good")
    return answer_of(name, arguments)


BROKEN = {
    "raises": (raises, "it stops: ZeroDivisionError: division by zero"),
    "needs something": (lambda name: [][3], "it stops: TypeError"),
    "None": (lambda *a: None, "it returns nothing; is a `return` missing?"),
    "a string": (lambda *a: "seven", "it stops: ValueError"),
    "a dict": (lambda *a: {"answer": 7}, "it stops: TypeError"),
    "a list of strings": (lambda *a: ["seven"], "it stops: ValueError"),
    "an object": (lambda *a: object(), "it stops: TypeError"),
    "a ragged list": (lambda *a: [[[1.0], [2.0, 3.0]]], "it stops: ValueError"),
    "an empty tuple": (lambda *a: (), "came 0."),
    "one result more": (lambda *a: [*answer_of(a[0], a[1:]), torch.ones(3)], "results, came"),
    "another shape": (
        lambda *a: [p[None, None] for p in answer_of(a[0], a[1:])],
        r"should have shape \(.*\), came \(1, 1",
    ),
    "NaN": (lambda *a: [p * torch.nan for p in answer_of(a[0], a[1:])], "contains NaN or infinity"),
    "infinity": (
        lambda *a: [p + torch.inf for p in answer_of(a[0], a[1:])],
        "contains NaN or infinity",
    ),
    "other numbers": (
        lambda *a: [p + 7 for p in answer_of(a[0], a[1:])],
        r"should begin \[?.*, came \[?",
    ),
    "changes its argument": (changes_its_argument, "it changes its argument in place"),
    "recursion": (lambda *a: BROKEN["recursion"][0](*a), "it stops: RecursionError"),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("name", EXERCISES)
def test_check_says_not_yet_and_why(name, kind, capsys):
    f, sentence = BROKEN[kind]
    checks.check(named(name, lambda *arguments: f(name, *arguments)))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("✘ not yet: ")
    assert re.search(sentence, line)


def test_check_says_right_or_not_written_yet(capsys):
    for name in EXERCISES:
        checks.check(named(name, functools.partial(prints, name)))
        *printed, line = capsys.readouterr().out.splitlines()
        assert line.startswith(f"✔ right: {name} agrees with the package's on ")
        assert set(printed) == {"so far so good"}
        checks.check(named(name, unwritten))
        line = f"replace the line `raise NotImplementedError` in {name}."
        assert capsys.readouterr().out == f"… not written yet: {line}\n"


NO_FUNCTIONS = [lambda x: x, 7, None, "seven", torch.ones(2), [], functools.partial(max), Counter]


@pytest.mark.parametrize("thing", NO_FUNCTIONS, ids=str)
@pytest.mark.parametrize("ask", [checks.check, checks.hint, checks.solution])
def test_what_is_no_exercise_gets_the_list_of_them(ask, thing, capsys):
    ask(thing)
    said = capsys.readouterr().out
    assert "there is no exercise called" in said
    assert all(name in said for name in EXERCISES)


def test_a_name_or_a_class_in_place_of_the_function_is_not_right(capsys):
    checks.check("pca")
    checks.check(type("pca", (), {"__init__": lambda self, x, d: None}))
    for line in capsys.readouterr().out.splitlines():
        assert line.startswith("✘ not yet: ") and "TypeError" in line


def test_the_encoder_and_the_decoder_agree_in_sign():
    """The sign of an axis is arbitrary, but the two layers together must not negate the image."""

    def negated(x, d, lam=0.0):
        encoder, decoder = models.optimal_weights(x, d, lam)
        return encoder, -decoder

    assert checks.outcome(named("optimal_weights", negated))[0] == "✘ not yet"


def test_complex_numbers_are_not_taken_for_real_ones():
    def crooked(x, x_hat):
        return squared_error_in_double_precision(x, x_hat) + 3j

    assert checks.outcome(named("squared_error", crooked))[0] == "✘ not yet"


def test_check_fixes_the_seed_and_leaves_the_global_generator_alone(monkeypatch):
    seen = []

    def noisy(x, x_hat):
        seen.append(torch.rand(1).item())
        return squared_error_in_numpy(x, x_hat)

    torch.manual_seed(5)
    state = torch.get_rng_state()
    checks.outcome(named("squared_error", noisy))
    assert len(seen) >= 2 and len(set(seen)) == 1
    assert torch.equal(torch.get_rng_state(), state)


# ---- hint and solution ------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXERCISES)
def test_each_hint_goes_one_step_further_and_the_last_points_to_the_solution(
    name, monkeypatch, capsys
):
    monkeypatch.setattr(checks, "_given", {})
    hints = EXERCISES[name].hints
    for k, words in enumerate(hints, 1):
        checks.hint(named(name, unwritten))
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == k  # the earlier ones stay
        assert lines[-1] == f"Hint {k} of {len(hints)}: {words}"
    for _ in range(2):
        checks.hint(named(name, unwritten))
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == len(hints) + 1
        assert lines[-1] == (
            f"There are no more hints. solution({name}) shows how the package does it."
        )


def test_the_hints_of_one_exercise_do_not_use_up_those_of_another(monkeypatch, capsys):
    monkeypatch.setattr(checks, "_given", {})
    for name in EXERCISES:
        checks.hint(named(name, unwritten))
        assert capsys.readouterr().out.startswith("Hint 1 of ")


@pytest.mark.parametrize("name", EXERCISES)
def test_solution_prints_the_source_of_the_package_s_function(name, capsys):
    checks.solution(named(name, unwritten))
    printed = capsys.readouterr().out
    assert printed.strip() == inspect.getsource(EXERCISES[name].solution).strip()
    assert printed.startswith(f"def {name}(") and "return" in printed


# ---- check_installation -----------------------------------------------------------------------


def lines_of_check_installation(capsys):
    checks.check_installation()
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def no_data(monkeypatch):
    """The data are not what is looked at: they are found, in no time."""
    monkeypatch.setattr(data, "load", lambda name: None)


def test_check_installation_ticks_each_requirement_and_each_data_file(capsys):
    lines = lines_of_check_installation(capsys)
    needed = [r for r in map(Requirement, metadata.requires("aecourse")) if not r.marker]
    assert {"torch", "numpy", "matplotlib", "ipywidgets"} <= {r.name for r in needed}
    assert lines == [
        *[f"✔ {r.name} {metadata.version(r.name)}" for r in needed],
        *[f"✔ data {path.stem}" for path in sorted(data.FOLDER.glob("*.npz"), key=in_order)],
    ]


def in_order(path):
    return data.BUNDLED.index(path.stem)


@pytest.mark.parametrize("name", ["torch", "scipy"])
@pytest.mark.parametrize("version", [None, "0.1"])
def test_check_installation_says_how_to_get_a_missing_or_old_package(
    name, version, monkeypatch, capsys, no_data
):
    true_version = metadata.version

    def versions(asked):
        if asked != name:
            return true_version(asked)
        if version is None:
            raise metadata.PackageNotFoundError(asked)
        return version

    monkeypatch.setattr(metadata, "version", versions)
    lines = lines_of_check_installation(capsys)
    (bad,) = [line for line in lines if line[0] != "✔"]
    words = rf'✘ {name} {version or "missing"}: run  pip install "{name}>=[\d.]+"'
    assert re.fullmatch(words, bad)


def test_check_installation_takes_a_local_or_a_coming_version(monkeypatch, capsys, no_data):
    """torch 2.13.0+cpu and 2.15.0.dev0 are newer than 2.4."""
    for version in ("99.0.0+cpu", "99.0.0.dev20300101"):
        monkeypatch.setattr(metadata, "version", lambda name, version=version: version)
        assert all(line[0] == "✔" for line in lines_of_check_installation(capsys))


@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_check_installation_says_how_to_restore_a_broken_data_file(
    damage, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(metadata, "requires", lambda name: [])
    folder = tmp_path / "data"
    folder.mkdir()
    for path in data.FOLDER.iterdir():
        if path.is_file() and path.stem != "faces":
            (folder / path.name).symlink_to(path)
    if damage == "truncated":
        shutil.copy(data.FOLDER / "faces.npz", folder)
        with (folder / "faces.npz").open("r+b") as file:
            file.truncate(1000)
    monkeypatch.setattr(data, "FOLDER", folder)
    lines = lines_of_check_installation(capsys)
    assert len(lines) == len(data.BUNDLED)
    (bad,) = [line for line in lines if line[0] != "✔"]
    assert bad.startswith("✘ data faces ") and "faces.npz" in bad
    assert re.search(r"git checkout -- .*data/faces\.npz", bad)
