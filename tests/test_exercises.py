"""Every exercise both ways: solved, in another way too, it passes; unsolved or mistaken it doesn't.

The first test finds the exercises of the course by itself. A new one needs an entry in
ALTERNATIVES, tests/alternatives: right answers that come about in another way than the package's.
"""

import functools
import inspect
import linecache
import os
import random
import re
import shutil
import sys
import threading
from collections import Counter
from importlib import metadata

import numpy as np
import pytest
import torch
from alternatives import ALTERNATIVES
from packaging.requirements import Requirement
from sklearn.metrics import roc_auc_score
from torch import nn

from aecourse import attempts, checks, data, losses, marking, models
from aecourse.exercises import EXERCISES


def named(name, f):
    """f under the name of an exercise, as a learner would call it."""

    @functools.wraps(f)
    def attempt(*arguments, **named_ones):
        return f(*arguments, **named_ones)

    attempt.__name__ = name
    return attempt


NO_WAY_BACK = re.compile("_in_numpy|_in_loops|_in_a_loop|_of_scipy|_by_tanh")


def right_ones(name):
    """The alternatives of an exercise: with a gradient, where later cells train through it."""
    others = ALTERNATIVES.get(name, ())
    if not EXERCISES[name].trained:
        return others
    return tuple(f for f in others if not NO_WAY_BACK.search(f.__name__))


COMPUTED = [name for name, exercise in EXERCISES.items() if exercise.probe is None]
BUILT = [name for name in EXERCISES if name not in COMPUTED]  # tried by a probe


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
        for alternative in right_ones(name):
            expect(name, alternative, "✔ right", kind="alternatives")
        for alternative in set(ALTERNATIVES.get(name, ())) - set(right_ones(name)):
            tried["without gradient"] += 1
            came = checks.outcome(named(name, alternative))
            if not came[1].startswith("look at the gradient: the numbers are right"):
                wrong.append(f"{name}, {alternative.__name__}: came {' '.join(came)}")
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
    parts = answer if isinstance(answer, tuple) else [answer]
    return [torch.as_tensor(part) for part in parts]


def one(parts):
    """As a function returns them: one result as it is, several as a tuple."""
    return parts[0] if len(parts) == 1 else tuple(parts)


def raises(name, *arguments):
    return 1 / 0


def changes_its_argument(name, *arguments):
    answer = one(answer_of(name, arguments))
    arguments[0].zero_()
    return answer


def prints(name, *arguments):
    print("so far so good")
    return EXERCISES[name].solution(*arguments)


BROKEN = {
    "raises": (raises, r"in line \d+ of yours, `return 1 / 0`, it stops: ZeroDivisionError: div"),
    "needs something": (lambda name: [][3], "it stops: TypeError"),
    "None": (lambda *a: None, "it returns nothing; is a `return` missing?"),
    "a string": (lambda *a: "seven", "numbers are wanted|results are wanted"),
    "a dict": (lambda *a: {"answer": 7}, "numbers are wanted|results are wanted"),
    "a list of strings": (lambda *a: ["seven"], "numbers are wanted|results are wanted"),
    "an object": (lambda *a: object(), "numbers are wanted|results are wanted"),
    "a ragged list": (lambda *a: [[[1.0], [2.0, 3.0]]], "unequal shape|results are wanted"),
    "an empty tuple": (lambda *a: (), r"came \(0,\)|0 came"),
    "one result more": (
        lambda *a: (*answer_of(a[0], a[1:]), torch.ones(3)),
        "results are wanted, separated by commas; . came|unequal shape|should have shape",
    ),
    "a comma too many": (
        lambda *a: (one(answer_of(a[0], a[1:])),),
        "a tuple of one: take the comma away|results are wanted",
    ),
    "another shape": (
        lambda *a: one([p[None, None] for p in answer_of(a[0], a[1:])]),
        r"should have shape \(.*\), came \(1, 1|look at the (shape|sum)",
    ),
    "NaN": (
        lambda *a: one([p * torch.nan for p in answer_of(a[0], a[1:])]),
        "contains NaN or infinity",
    ),
    "infinity": (
        lambda *a: one([p + torch.inf for p in answer_of(a[0], a[1:])]),
        "contains NaN or infinity",
    ),
    "other numbers": (
        lambda *a: one([p + 7 for p in answer_of(a[0], a[1:])]),
        r"should be -?[\d.e+-]+, came -?[\d.e+-]+",
    ),
    "changes its argument": (changes_its_argument, "it changes its argument in place"),
    "recursion": (lambda *a: BROKEN["recursion"][0](*a), "it stops: RecursionError"),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("name", COMPUTED)
def test_check_says_not_yet_and_why(name, kind, capsys):
    f, sentence = BROKEN[kind]
    first = next(iter(marking.cases(EXERCISES[name]).values()))
    if f is changes_its_argument and not isinstance(first[0], torch.Tensor):
        pytest.skip("a number can't be changed in place")
    checks.check(named(name, lambda *arguments: f(name, *arguments)))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("✘ not yet: ")
    assert re.search(sentence, line)


@pytest.mark.parametrize("kind", [k for k in BROKEN if k != "changes its argument"])
@pytest.mark.parametrize("name", BUILT)
def test_check_says_not_yet_of_what_is_built_too(name, kind, capsys):
    f = BROKEN[kind][0]
    checks.check(named(name, lambda *arguments: f(name, *arguments)))
    (line,) = capsys.readouterr().out.splitlines()
    words = r"look at|it returns|it should|it stops|in line \d+ of yours|.* should be"
    assert re.match(f"✘ not yet: ({words})", line)


def test_a_fact_is_told_in_words(capsys):
    def encoder(shape, d):
        return nn.Sequential(nn.Flatten(), nn.Linear(shape[1] * shape[2], 7))

    checks.check(encoder)
    expected = "the shape of the codes of 5 images should be (5, 2), came (5, 7)"
    assert (
        capsys.readouterr().out == f"✘ not yet: {expected} (for shape = (1, 28, 28) and d = 2).\n"
    )


def test_a_class_whose_last_method_is_missing_is_not_written_yet(capsys):
    class EncoderDecoder(EXERCISES["EncoderDecoder"].solution):
        def forward(self, x):
            raise NotImplementedError

    checks.check(EncoderDecoder)
    assert capsys.readouterr().out.startswith("… not written yet")


# ---- yours_or_ours ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXERCISES)
def test_yours_is_handed_on_if_it_is_right_and_ours_if_not(name, capsys):
    mine = named(name, right_ones(name)[0])
    handed_on = checks.yours_or_ours(mine)
    assert mine in (handed_on, getattr(handed_on, "__wrapped__", None))
    assert capsys.readouterr().out == f"{name}: from here on yours is used.\n"
    mistake = next(iter(EXERCISES[name].mistakes.values()))
    for wrong in (unwritten, mistake, raises):
        assert checks.yours_or_ours(named(name, wrong)) is EXERCISES[name].solution
        expected = f"{name}: from here on ours, until yours is right.\n"
        assert capsys.readouterr().out == expected


def test_yours_or_ours_leaves_alone_what_is_no_exercise(capsys):
    assert checks.yours_or_ours(max) is max
    assert "max is no exercise: give the function itself" in capsys.readouterr().out


def test_check_says_right_or_not_written_yet(capsys):
    for name in BUILT:
        checks.check(named(name, EXERCISES[name].solution))
        line = capsys.readouterr().out
        assert re.match(rf"✔ right: {name} does what it should on \d+ cases\.\n$", line)
        checks.check(named(name, unwritten))
        line = f"replace the line `raise NotImplementedError` in {name}."
        assert capsys.readouterr().out == f"… not written yet: {line}\n"
    for name in COMPUTED:
        checks.check(named(name, functools.partial(prints, name)))
        *printed, line = capsys.readouterr().out.splitlines()
        assert line.startswith(f"✔ right: {name} agrees with the package's on ")
        assert set(printed) == {"so far so good"}
        checks.check(named(name, unwritten))
        line = f"replace the line `raise NotImplementedError` in {name}."
        assert capsys.readouterr().out == f"… not written yet: {line}\n"


NO_FUNCTIONS = [lambda x: x, 7, None, "seven", torch.ones(2), [], functools.partial(max), Counter]


@pytest.mark.parametrize("thing", NO_FUNCTIONS, ids=lambda thing: type(thing).__name__)
@pytest.mark.parametrize("ask", [checks.check, checks.hint, checks.solution])
def test_what_is_no_exercise_gets_one_sentence(ask, thing, capsys):
    ask(thing)
    (line,) = capsys.readouterr().out.splitlines()
    assert "give the function itself, by its name, as in check(f)" in line and len(line) < 150


@pytest.mark.parametrize("ask", [checks.check, checks.hint, checks.solution])
def test_a_name_that_is_nearly_right_gets_the_nearest(ask, capsys):
    def square_error(x, x_hat):
        raise NotImplementedError

    ask(square_error)
    said = capsys.readouterr().out
    assert "there is no exercise called square_error; did you mean squared_error?" in said


@pytest.mark.parametrize("ask", [checks.check, checks.hint, checks.solution])
def test_nothing_at_all_gets_a_sentence_too(ask, capsys):
    ask()
    assert "give the function itself" in capsys.readouterr().out


def test_a_name_or_a_class_in_place_of_the_function_is_not_right(capsys):
    checks.check("pca")
    assert capsys.readouterr().out == (
        "✘ not yet: give the function itself, without quotes: pca.\n"
    )
    checks.check(type("pca", (), {"__init__": lambda self, x, d: None}))
    assert capsys.readouterr().out.startswith("✘ not yet: 3 results are wanted")


def test_the_encoder_and_the_decoder_agree_in_sign():
    """The sign of an axis is arbitrary, but the two layers together must not negate the image."""

    def negated(x, d, lam=0.0):
        encoder, decoder = models.optimal_weights(x, d, lam)
        return encoder, -decoder

    assert checks.outcome(named("optimal_weights", negated))[0] == "✘ not yet"


def test_complex_numbers_are_not_taken_for_real_ones():
    in_double_precision = ALTERNATIVES["squared_error"][2]

    def crooked(x, x_hat):
        return in_double_precision(x, x_hat) + 3j

    assert checks.outcome(named("squared_error", crooked))[0] == "✘ not yet"


def test_check_fixes_the_seed_and_leaves_the_global_generator_alone(monkeypatch):
    seen = []

    def noisy(x, x_hat):
        seen.append(torch.rand(1).item())
        return EXERCISES["squared_error"].solution(x, x_hat) + 1

    torch.manual_seed(5)
    state = torch.get_rng_state()
    checks.outcome(named("squared_error", noisy))
    assert len(seen) >= 2 and len(set(seen)) == 1
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    checks.outcome(named("squared_error", noisy))
    assert len(set(seen)) == 1


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
    assert printed.startswith((f"def {name}(", f"class {name}(")) and "return" in printed


# ---- check_installation -----------------------------------------------------------------------


def lines_of_check_installation(capsys):
    checks.check_installation()
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def no_data(monkeypatch):
    """The data are not what is looked at: they are found, in no time."""
    monkeypatch.setattr(data, "load", lambda name: None)


def test_check_installation_says_in_one_line_that_all_is_well(capsys):
    (line,) = lines_of_check_installation(capsys)
    needed = [r for r in map(Requirement, metadata.requires("aecourse")) if not r.marker]
    assert {"torch", "numpy", "matplotlib", "ipywidgets"} <= {r.name for r in needed}
    versions = ", ".join(f"{r.name} {metadata.version(r.name)}" for r in needed)
    files = len(list(data.FOLDER.glob("*.npz")))
    assert line == f"✔ all is well: {versions}; {files} data sets"


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
    (bad,) = lines_of_check_installation(capsys)
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
    (bad,) = lines_of_check_installation(capsys)
    assert bad.startswith("✘ data faces ") and "faces.npz" in bad
    assert re.search(r"git checkout -- .*data/faces\.npz", bad)


# ---- what learners write, as they write it ------------------------------------------------------


def typed(source, name="squared_error", **others):
    """The function of a cell, whose lines Python knows as it knows a notebook's."""
    file = f"<ipython-input-{abs(hash(source))}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = {"torch": torch, "np": np, "losses": losses} | others
    exec(compile(source, file, "exec"), names)
    return names[name]


def said_of(source, name="squared_error"):
    return " ".join(checks.outcome(typed(source, name)))


HEAD = "def squared_error(x, x_hat):\n"


def test_only_the_learner_s_own_bare_stub_is_not_written_yet():
    assert said_of(HEAD + "    raise NotImplementedError").startswith("… not written yet")
    own = HEAD + "    raise NotImplementedError('the loss')"
    assert "it stops: NotImplementedError: the loss" in said_of(own)
    misspelt = """
class EncoderDecoder(torch.nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
    def encode(self, x): return self.encoder(x)
    def logits(self, z): return self.decoder(z)
    def decode(self, z): return self.logits(z).sigmoid()
    def foward(self, x): return self.decode(self.encode(x))
"""
    said = said_of(misspelt, "EncoderDecoder")
    assert said.startswith("✘ not yet") and 'the required "forward" function' in said


def test_an_error_has_the_learner_s_own_line():
    said = said_of(HEAD + "    gap = x - x_hat\n    return gap @ gap[0, 0, 0, :2]")
    assert "in line 3 of yours, `return gap @ gap[0, 0, 0, :2]`, it stops: RuntimeError" in said
    assert "it stops: AssertionError. (for" in said_of(HEAD + "    assert False")
    unshowable = "class E(Exception):\n    def __str__(self): return 1 / 0\n\n"
    assert "it stops: E: (its message" in said_of(unshowable + HEAD + "    raise E")


@pytest.mark.parametrize(
    "body, words",
    [
        ("while True: pass", "it takes longer than 1 seconds: does a loop not end?"),
        ("import time; time.sleep(20)", "it takes longer than 1 seconds"),
        ("while True:\n        try: x.sum()\n        except Exception: pass", "it takes longer"),
        ("exit()", "it calls exit()"),
        ("import sys; sys.exit(3)", "it calls exit()"),
        ("raise KeyboardInterrupt", "it was stopped"),
        ("raise GeneratorExit", "it stops: GeneratorExit"),
    ],
)
def test_check_always_comes_back(body, words, monkeypatch):
    monkeypatch.setattr(attempts, "LIMIT", 1)
    said = said_of(HEAD + f"    {body}")
    assert said.startswith("✘ not yet") and words in said


def test_the_time_limit_holds_in_another_thread_too(monkeypatch):
    monkeypatch.setattr(attempts, "LIMIT", 1)
    said = []
    f = typed(HEAD + "    while True: pass")
    thread = threading.Thread(target=lambda: said.extend(checks.outcome(f)))
    thread.start()
    thread.join(30)
    assert "it takes longer than 1 seconds" in said[1]


@pytest.mark.parametrize("in_thread", [False, True])
def test_the_time_limit_never_cuts_an_import_in_halves(in_thread, monkeypatch, tmp_path):
    """The first optimizer of a kernel imports much of PyTorch."""
    name = f"slow_to_import_{in_thread}"
    (tmp_path / f"{name}.py").write_text("import time\ntime.sleep(1.5)\nwhole = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(attempts, "LIMIT", 1)
    body = f"    import {name}\n    return {name}.whole * ((x - x_hat) ** 2).sum() / len(x)"
    f, said = typed(HEAD + body), []
    if in_thread:
        thread = threading.Thread(target=lambda: said.extend(checks.outcome(f)))
        thread.start()
        thread.join(60)
    else:
        said.extend(checks.outcome(f))
    assert said[0] == "✔ right", said
    endless = f"    import {name}\n    while {name}.whole: pass"
    assert "it takes longer than 1 seconds" in said_of(HEAD + endless)


def test_nothing_leaks(tmp_path):
    body = """    import os, random, sys
    torch.set_grad_enabled(False); torch.set_default_dtype(torch.float64)
    torch.manual_seed(1); np.random.seed(1); random.seed(1); torch.set_num_threads(2)
    os.chdir("/"); sys.stdout = None
    return ((x - x_hat) ** 2).sum() / len(x)"""
    before = (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate())
    kept = (os.getcwd(), sys.stdout, torch.get_num_threads())
    said_of(HEAD + body)
    after = (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate())
    assert before == after and kept == (os.getcwd(), sys.stdout, torch.get_num_threads())
    assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32


def test_an_attempt_that_switches_gradients_off_switches_them_off_for_itself_only():
    def attempt():
        torch.set_grad_enabled(False)

    attempts.run(attempt, author=attempt)
    assert torch.is_grad_enabled()


def test_gradients_that_were_switched_off_do_not_make_a_right_answer_wrong():
    with torch.no_grad():
        assert checks.outcome(EXERCISES["squared_error"].solution)[0] == "✔ right"
        assert checks.outcome(EXERCISES["train_step"].solution)[0] == "✔ right"


def test_a_patched_package_does_not_change_what_is_right(monkeypatch):
    monkeypatch.setattr(losses, "squared_error", lambda x, x_hat: 0 * x.sum())
    own = "def gaussian_nll(x, x_hat, sigma):\n    import math\n    d = x[0].numel()\n"
    own += "    e = ((x - x_hat) ** 2).sum() / len(x) / (2 * sigma**2)\n"
    own += "    return e + d * math.log(sigma * math.sqrt(2 * math.pi))"
    assert said_of(own, "gaussian_nll").startswith("✔ right")
    assert losses.squared_error(torch.ones(1), torch.zeros(1)) == 0  # the patch is still there


def test_the_first_entry_that_differs_is_named_and_never_by_two_equal_numbers():
    rows = "def sanger(w, x, eta):\n    y = x @ w.T\n"
    wrong = rows + "    return w + eta * (y.T @ x - (y.T @ y).tril() @ w.sin()) / len(x)"
    assert re.search(r"at row \d, entry \d should be (\S+), came (?!\1)", said_of(wrong, "sanger"))
    near = HEAD + "    return 1.00002 * ((x - x_hat) ** 2).sum() / len(x) + 0.003"
    a, b = re.search(r"should be (\S+), came (\S+)", said_of(near)).groups()
    assert a != b


RELATED = {
    "twice": ("2 * right", "this is twice the right answer"),
    "half": ("right / 2", "half of the right answer"),
    "minus": ("-right", "minus the right answer"),
    "squared": ("right ** 2", "the square of the right answer"),
    "per row": ("right * torch.ones(len(w)) / len(w)", "the sum of what came"),
}


@pytest.mark.parametrize("kind", RELATED)
def test_a_relation_to_the_right_answer_is_named_for_every_exercise(kind):
    """mutual_information has only some of these among its mistakes; gaussian_entropy has none."""
    expression, words = RELATED[kind]
    source = "def mutual_information(w, cov, sigma):\n    right = ours(w, cov, sigma)\n"
    name = "mutual_information"
    f = typed(source + f"    return {expression}", name, ours=EXERCISES[name].solution)
    status, said = checks.outcome(f)
    assert status == "✘ not yet" and (words in said or said in EXERCISES[name].mistakes)


def test_transposed_and_change_only_are_named():
    for name, expression, words in (
        ("sanger", "right.T", "transposed"),
        ("hebb", "right - w", "the change only"),
        ("oja", "right.flip(0)", "reverse order"),
        ("subspace", "right.flatten()", "in another shape"),
    ):
        source = f"def {name}(w, x, eta):\n    right = ours(w, x, eta)\n    return {expression}"
        said = checks.outcome(typed(source, name, ours=EXERCISES[name].solution))[1]
        assert words in said, said


def test_an_answer_in_numpy_is_handed_on_as_tensors():
    def auroc(score, odd):
        return roc_auc_score(odd.numpy(), score.numpy())

    handed_on = checks.yours_or_ours(auroc)
    score = torch.arange(6.0).requires_grad_()
    value = handed_on(score, torch.tensor([0, 1, 0, 1, 1, 0]).bool())
    assert isinstance(value, torch.Tensor) and value.dtype == torch.float32
    assert value.item() == pytest.approx(auroc(score.detach(), torch.tensor([0, 1, 0, 1, 1, 0])))


def test_lists_are_taken_where_tensors_are_meant():
    def stratified(labels, per_class):
        rows = []
        for k in labels.unique():
            rows += (labels == k).nonzero()[:per_class, 0].tolist()
        return rows

    assert checks.outcome(stratified)[0] == "✔ right"
    assert checks.yours_or_ours(stratified)(torch.tensor([0, 1, 0, 1]), 1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("name", "answer", "kind"),
    [
        ("quantise", lambda z, step: (z.double() / step).round(), torch.int64),
        ("quantise", lambda z, step: np.rint(z.numpy() / step)[::-1][::-1], torch.int64),
        ("active_units", lambda mu, threshold=0.01: (mu.var(0) > threshold).int(), torch.bool),
        ("hebb", lambda w, x, eta: (w + eta * (x @ w.T).T @ x / len(x)).tolist(), torch.float32),
    ],
)
def test_what_is_handed_on_answers_in_the_kind_of_the_solution(name, answer, kind, capsys):
    f = checks.yours_or_ours(named(name, answer))
    assert "yours is used" in capsys.readouterr().out
    given = {"quantise": (2.0 * torch.randn(5, 3), 0.5), "active_units": (torch.randn(50, 3),)}
    given = given.get(name, (torch.randn(2, 6), torch.randn(9, 6), 0.1))
    came, right = f(*given), EXERCISES[name].solution(*given)
    assert came.dtype == right.dtype == kind
    torch.testing.assert_close(came, right)


DEFAULTS = [
    (name, parameter.name)
    for name, exercise in EXERCISES.items()
    for parameter in inspect.signature(exercise.solution).parameters.values()
    if isinstance(parameter.default, int | float | str | tuple)
]


@pytest.mark.parametrize("name, argument", DEFAULTS)
def test_an_argument_with_another_default_or_none_is_named(name, argument):
    signature = inspect.signature(EXERCISES[name].solution)
    others = [p.replace(default=p.empty) for p in signature.parameters.values()]
    changed = [
        p.replace(default=7.5) if p.name == argument else p for p in signature.parameters.values()
    ]
    for parameters in (others, changed):
        f = named(name, EXERCISES[name].solution)
        f.__signature__ = signature.replace(parameters=parameters)
        status, sentence = checks.outcome(f)
        assert status == "✘ not yet" and sentence.startswith("look at the argument ")
    assert sentence.startswith(f"look at the argument {argument}: left out, it should be ")


@pytest.mark.parametrize(
    "line", ["{0} = lambda *a: ours(*a)", "def mine(*a): return ours(*a)\n{0} = mine"]
)
def test_a_lambda_and_a_function_of_another_name_are_known_by_what_they_are_bound_to(line):
    ours = EXERCISES["quantise"].solution
    names = {"ours": ours}
    exec(line.format("quantise"), names)
    assert checks.outcome(names["quantise"])[0] == "✔ right"
    assert checks.yours_or_ours(names["quantise"]) is names["quantise"]
    exec(line.format("no_exercise"), names)
    assert "no exercise" in checks.outcome(names["no_exercise"])[1]
