"""The list of mutants belongs to the package as it is."""

import pytest
from mutants import ROOT, mutants


@pytest.mark.parametrize("mutant", mutants(), ids=str)
def test_the_line_to_break_stands_once_in_its_module(mutant):
    text = (ROOT / mutant.path).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.new not in ("", mutant.old)
    compile(text.replace(mutant.old, mutant.new), mutant.module, "exec")


def test_there_are_enough():
    assert len(set(mutants())) >= 60
