"""The failure clinic: each failure has its own sign, and a diagnosis is answered and scored."""

import random

import pytest
import torch
from matplotlib import pyplot as plt

from aecourse import clinic, data, failures, plots
from aecourse.failures import FAILURES, Patient, rule


@pytest.fixture(scope="module")
def digits():
    return data.load("mnist", n=3000).x


@pytest.mark.parametrize("seed", range(5))
def test_the_rule_names_each_failure_and_no_other(digits, seed):
    torch.manual_seed(seed)
    assert rule(Patient(digits).signs) == []
    for name in FAILURES:
        assert rule(Patient(digits, name).signs) == [name], name


def test_the_rule_holds_with_twice_the_training(digits, monkeypatch):
    monkeypatch.setattr(failures, "EPOCHS", 2 * failures.EPOCHS)
    torch.manual_seed(0)
    for name in FAILURES:
        assert rule(Patient(digits, name).signs) == [name], name


def test_a_patient_s_plane_is_the_share_of_two_principal_components(digits):
    torch.manual_seed(0)
    patient = Patient(digits[:500])
    flat = patient.pictures.flatten(1).double()
    variances = torch.linalg.eigvalsh(torch.cov(flat.T)).flip(0)
    share = float(variances[:2].sum() / variances.sum())
    assert patient.signs.plane == pytest.approx(share, abs=1e-4)


@pytest.fixture
def rounds(monkeypatch):
    """A clinic of three patients, known beforehand, quickly trained; figures are kept."""
    shown = []
    few = data.load("mnist", n=300)
    monkeypatch.setattr(data, "load", lambda name, n: few)
    monkeypatch.setattr(plots, "show", lambda ax, alt: shown.append(alt) or plt.close(ax.figure))
    names = ["sigmoid twice", "code of one number", "pixels of 0 to 255"]
    monkeypatch.setattr(random, "sample", lambda population, k: names[::-1])
    torch.manual_seed(0)
    clinic_ = clinic.Clinic()
    clinic_.shown, clinic_.names = shown, names
    return clinic_


def test_three_rounds_with_a_score(rounds, capsys):
    rounds.diagnose("sigmoid twice")
    assert "no patient yet" in capsys.readouterr().out
    rounds.patient()
    out = capsys.readouterr().out
    assert "Patient 1 of 3" in out and not any(name in out + rounds.shown[0] for name in FAILURES)
    rounds.diagnose("?")
    assert "no diagnosis yet" in capsys.readouterr().out
    rounds.diagnose("Sigmoid")
    out = capsys.readouterr().out
    assert out.startswith("✔ right, sigmoid twice:") and "model(x), x" in out
    assert "first answer: 1 of 1. patient() brings the next." in out

    rounds.patient()
    rounds.diagnose(6)
    out = capsys.readouterr().out
    assert "✘ not pixels of 0 to 255: then the loss is negative. Here the loss ends at" in out
    rounds.patient()  # the same again
    assert "Patient 2 of 3" in capsys.readouterr().out
    rounds.diagnose(3)
    assert "first answer: 1 of 2" in capsys.readouterr().out

    rounds.patient()
    rounds.diagnose("pixels of 0 to 255")
    rounds.diagnose("pixels of 0 to 255")  # counts once
    assert capsys.readouterr().out.count("2 of 3. That was the last patient.") == 2
    rounds.patient()
    assert "Patient 1 of 3" in capsys.readouterr().out and rounds.score == 0


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("1", "learning rate too large"),
        (6, "pixels of 0 to 255"),
        ("learning rate", "learning rate too large"),
        ("zero_grad", "zero_grad forgotten"),
        ("no zero grad", "zero_grad forgotten"),
        ("no non-linearity", "no nonlinearity"),
        ("the sigmoid twice", "sigmoid twice"),
        ("?", None),
        (..., None),
        ("", None),
        (7, None),
        (0, None),
    ],
)
def test_a_diagnosis_is_meant_by_words_or_by_a_number(words, name):
    assert clinic._found(words) == name


def test_every_answer_has_its_sentence(rounds, capsys):
    """Each wrong diagnosis of each patient says what is missing."""
    for name in FAILURES:
        rounds.now, rounds.named = Patient(rounds.digits.x, name), False
        for guess in FAILURES:
            rounds.diagnose(guess)
            out = capsys.readouterr().out
            assert out.startswith("✔ right" if guess == name else f"✘ not {guess}: then ")
            assert "{" not in out and "nan" not in out


def test_the_ward_shows_all_six(rounds):
    ward = rounds.ward()
    assert list(ward) == list(FAILURES)
    assert all(isinstance(signs, failures.Signs) for signs in ward.values())
    assert "six broken autoencoders" in rounds.shown[-1]


@pytest.mark.parametrize("name", FAILURES)
def test_the_sheet_has_a_loss_codes_and_pictures_within_their_axes(rounds, name):
    rounds.now = Patient(rounds.digits.x, name)
    below = rounds._sheet()
    left, right, _ = below.figure.axes
    low, high = left.get_ylim()
    assert low <= min(rounds.now.losses) and max(rounds.now.losses) <= high
    assert all(low <= tick <= high for tick in left.get_yticks()) or left.get_yscale() == "linear"
    assert right.get_title() and left.get_xlabel() == "epoch"
    plt.close(below.figure)
