"""A blind vote as a mime bundle: what it carries, and what it does not give away."""

import base64
import io
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from aecourse.sound import play
from aecourse.vote import blind_vote

REAL, DRAWN = torch.zeros(12, 1, 9, 7), torch.ones(15, 1, 9, 7)


def spec(bundle):
    return json.loads(re.search(r"spec = (.*);\n", bundle["text/html"])[1])


def made(real=REAL, drawn=DRAWN, **options):
    return blind_vote(real, drawn, "Greys < whites.", **options)._repr_mimebundle_()


def test_a_vote_carries_all_pictures_the_real_ones_first():
    came = spec(made())
    assert (came["count"], came["rounds"], came["height"], came["width"]) == (12, 20, 9, 7)
    assert len(came["pictures"]) == 27 and came["sounds"] == []
    for k, address in enumerate(came["pictures"]):
        file = base64.b64decode(address.removeprefix("data:image/webp;base64,"))
        assert (np.asarray(Image.open(io.BytesIO(file))) == (0 if k < 12 else 255)).all()


def test_its_static_twin_folds_the_answers_away_and_they_are_right():
    bundle = made()
    assert bundle["text/plain"].startswith("Greys < whites. 20 pictures in mixed order")
    page = bundle["text/html"]
    assert "<p>Greys &lt; whites.</p>" in page and page.count("<img ") == 1
    answers = re.search(r"<details><summary>Answers</summary>Real are ([\d, ]+)\.</details>", page)
    numbers = [int(n) for n in answers[1].split(", ")]
    assert len(numbers) == 10 and numbers != list(range(1, 11))
    (file,) = re.findall(r'width="\d+" src="data:image/webp;base64,([^"]*)"', page)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(file))).convert("L")).astype(int)
    rows = sheet[sheet.std(1) > 20]  # without the margins
    columns = rows[:, rows.mean(0) < 254] if (rows.mean(0) < 254).any() else rows
    height, width = rows.shape[0] / 2, columns.shape[1] / 10
    dark = [
        columns[int((r + 0.8) * height) - 2, int((c + 0.75) * width)] < 128
        for r in range(2)
        for c in range(10)
    ]
    assert sum(dark) == pytest.approx(10, abs=2)


def test_sounds_travel_in_the_order_of_the_pictures():
    pitch = torch.arange(27)[:, None].expand(-1, 48) % 20
    sounds = [play(row, torch.ones(48)) for row in pitch]
    came = spec(made(sounds=sounds))
    assert came["sounds"] == [sound.src_attr() for sound in sounds]


def test_the_page_is_the_same_each_time():
    assert made() == made()


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("pictures of one size are wanted", {"drawn": torch.ones(12, 1, 7, 9)}),
        ("12 of each kind are enough for 1 to 24", {"rounds": 25}),
        ("enough for 1 to 24", {"rounds": 0}),
        ("3 sounds for 27 pictures: give one each", {"sounds": [1, 2, 3]}),
        ("drawn", {"drawn": torch.full((12, 1, 9, 7), torch.nan)}),
    ],
)
def test_bad_input_gets_one_sentence(words, options):
    with pytest.raises(ValueError, match=words) as error:
        made(**options)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_bytes_are_taken_as_grey_values():
    assert spec(made((255 * REAL).byte(), (255 * DRAWN).byte())) == spec(made())
