"""Answers that look right and are not: `check` accepts none of them, and says more than "it stops".

They are tests/alternatives' WRONG: what reviews of the checks found, and the siblings of that.
"""

import re

import pytest
import torch
from alternatives import ALTERNATIVES, WRONG
from test_exercises import named

from aecourse import checks, marking
from aecourse.exercises import EXERCISES

SLIPS = [(name, slip) for name, slips in WRONG.items() for slip in slips]


@pytest.mark.parametrize("name, slip", SLIPS)
def test_a_slip_is_not_accepted(name, slip):
    status, sentence = checks.outcome(named(name, WRONG[name][slip]))
    assert status == "✘ not yet"
    assert not re.match("it stops: (Attribute|Type|Index|Value)Error", sentence)  # the probe's own


def test_slips_belong_to_exercises():
    assert set(WRONG) <= set(EXERCISES)


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_has_three_right_answers_of_other_kinds(name):
    assert len(set(ALTERNATIVES[name])) >= 3


def test_no_vote_of_the_neighbours_is_a_tie():
    """Which label wins a tie is nobody's mistake."""
    for z, labels, k in marking.cases(EXERCISES["knn"]).values():
        nearest = torch.cdist(z, z).fill_diagonal_(torch.inf).topk(k, largest=False).indices
        votes = torch.nn.functional.one_hot(labels[nearest]).sum(1).topk(2).values
        assert (votes[:, 0] > votes[:, 1]).all()


@pytest.mark.parametrize("name", EXERCISES)
def test_the_last_hint_shows_a_line_with_a_gap_and_not_the_answer(name):
    assert re.search(r"^(Try|Then):  .*\.\.\.", EXERCISES[name].hints[-1], re.S)
