"""The links in the notebooks' heads, written into copies."""

import json
import re
import shutil

import neighbours
import pytest
import renumber

STORED = neighbours.ROOT / "notebooks"
NAMES = sorted(path.name for path in STORED.glob("*.ipynb"))


@pytest.fixture
def folder(tmp_path):
    """Copies of the notebooks, with links."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(STORED / name, folder)
    neighbours.main(folder)
    return folder


def head(path):
    return "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])


def test_one_walks_through_all_lessons_and_back_and_each_knows_the_map(folder):
    found = {name: re.findall(r"\[(.+?)\]\((.+?)\)", head(folder / name)) for name in NAMES}
    for word, walk in (("next →", NAMES), ("← previous", NAMES[::-1])):
        name, passed = walk[0], []
        while name:
            passed.append(name)
            name = dict(found[name]).get(word)
        assert passed == walk
    assert all(("map", "../README.md#map-of-the-course") in links for links in found.values())
    assert "\n## Map of the course\n" in (neighbours.ROOT / "README.md").read_text()


def test_nothing_else_changes_and_a_second_time_nothing_at_all(folder):
    once = {name: (folder / name).read_bytes() for name in NAMES}
    neighbours.main(folder)
    for name in NAMES:
        assert (folder / name).read_bytes() == once[name]
        old, new = (json.loads((place / name).read_text()) for place in (STORED, folder))
        old["cells"][0]["source"] = new["cells"][0]["source"]
        assert old == new
        bare = [re.sub(r"\* \[.*", "*", head(place / name)) for place in (STORED, folder)]
        assert bare[0] == bare[1]


def test_renumbering_takes_the_links_along(folder):
    change = renumber.Renumber(folder.parent, ["07=37"])
    change()
    assert not [doubt for doubt in change.doubts if "next →" in doubt or "previous" in doubt]
    moved = next(name for name in NAMES if name.startswith("07")).replace("07", "37")
    links = [name for name in NAMES if f"]({moved})" in head(folder / name.replace("07_", "37_"))]
    assert [name[:2] for name in links] == ["06", "08"]


def test_a_head_without_its_minutes_is_told():
    text = json.dumps({"cells": [{"source": ["# 1. Nothing"]}]})
    with pytest.raises(ValueError, match="minutes"):
        neighbours.linked(text, "[map](x)")


def test_the_stored_heads_have_their_links():
    for name, line in neighbours.links(NAMES).items():
        text = (STORED / name).read_text(encoding="utf-8")
        assert neighbours.linked(text, line) == text, "run tests/neighbours.py"
