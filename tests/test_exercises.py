"""Every exercise both ways: solved, in another way too, it passes; unsolved or mistaken it doesn't.

The first test finds the exercises of the course by itself. A new one needs an entry in
ALTERNATIVES, tests/alternatives: right answers that come about in another way than the package's.
"""

import functools
import inspect
import re
import shutil
from collections import Counter
from importlib import metadata

import pytest
import torch
from alternatives import ALTERNATIVES
from packaging.requirements import Requirement
from torch import nn

from aecourse import checks, data, models
from aecourse.exercises import EXERCISES


def named(name, f):
    """f under the name of an exercise, as a learner would call it."""

    def attempt(*arguments, **named_ones):
        return f(*arguments, **named_ones)

    attempt.__name__ = name
    return attempt


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
    parts = answer if isinstance(answer, tuple) else [answer]
    return [torch.as_tensor(part) for part in parts]


def raises(name, *arguments):
    return 1 / 0


def changes_its_argument(name, *arguments):
    answer = answer_of(name, arguments)
    arguments[0].zero_()
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
@pytest.mark.parametrize("name", COMPUTED)
def test_check_says_not_yet_and_why(name, kind, capsys):
    f, sentence = BROKEN[kind]
    if f is changes_its_argument and not isinstance(EXERCISES[name].cases()[0][0], torch.Tensor):
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
    assert re.match("✘ not yet: (look at|it returns nothing|for .* (it stops|should be)) ?", line)


def test_a_fact_is_told_in_words(capsys):
    def encoder(shape, d):
        return nn.Sequential(nn.Flatten(), nn.Linear(shape[1] * shape[2], 7))

    checks.check(encoder)
    expected = "for shape = (1, 8, 8) and d = 2, the shape of the codes of 5 images should be"
    assert capsys.readouterr().out == f"✘ not yet: {expected} (5, 2), came (5, 7).\n"


def test_a_class_whose_last_method_is_missing_is_not_written_yet(capsys):
    class EncoderDecoder(EXERCISES["EncoderDecoder"].solution):
        def forward(self, x):
            raise NotImplementedError

    checks.check(EncoderDecoder)
    assert capsys.readouterr().out.startswith("… not written yet")


# ---- yours_or_ours ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXERCISES)
def test_yours_is_handed_on_if_it_is_right_and_ours_if_not(name, capsys):
    mine = named(name, ALTERNATIVES[name][0])
    assert checks.yours_or_ours(mine) is mine
    assert capsys.readouterr().out == f"{name}: from here on yours is used.\n"
    mistake = next(iter(EXERCISES[name].mistakes.values()))
    for wrong in (unwritten, mistake, raises):
        assert checks.yours_or_ours(named(name, wrong)) is EXERCISES[name].solution
        expected = f"{name}: from here on ours, until yours is right.\n"
        assert capsys.readouterr().out == expected


def test_yours_or_ours_leaves_alone_what_is_no_exercise(capsys):
    assert checks.yours_or_ours(max) is max
    assert "there is no exercise called max" in capsys.readouterr().out


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
    in_double_precision = ALTERNATIVES["squared_error"][2]

    def crooked(x, x_hat):
        return in_double_precision(x, x_hat) + 3j

    assert checks.outcome(named("squared_error", crooked))[0] == "✘ not yet"


def test_check_fixes_the_seed_and_leaves_the_global_generator_alone(monkeypatch):
    seen, in_numpy = [], ALTERNATIVES["squared_error"][0]

    def noisy(x, x_hat):
        seen.append(torch.rand(1).item())
        return in_numpy(x, x_hat)

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
    assert printed.startswith((f"def {name}(", f"class {name}(")) and "return" in printed


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
