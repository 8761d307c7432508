"""Words for portraits, and portraits on a map."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.offsetbox import AnnotationBbox

from aecourse import data, faces


def test_a_word_s_pictures_do_not_show_and_lack_it_and_are_enough_on_both_sides_of_a_split():
    strangers = data.load("faces").groups % 4 == 0
    examples = faces.examples()
    assert len(examples) == 8
    for word, (has, lacks) in examples.items():
        assert has.shape == lacks.shape == (400,) and not (has & lacks).any(), word
        for rows in (strangers, ~strangers):
            assert (has & rows).sum() and (lacks & rows).sum(), word


def test_a_span_holds_both_of_its_ends():
    has, lacks = faces.examples()["glasses"]
    assert has[[30, 31, 32, 37]].all() and not has[33] and lacks[[33, 36, 357]].all()
    assert has.sum() == 3 + 2 + 3 + 2 + 6 + 2 + 6 + 3 + 1 + 4 + 1 + 4 + 2


def test_a_map_has_each_picture_at_its_code():
    z = torch.randn(5, 3)
    ax = faces.face_map(z, torch.rand(5, 1, 8, 8))
    boxes = [a for a in ax.get_children() if isinstance(a, AnnotationBbox)]
    assert torch.allclose(torch.tensor([box.xy for box in boxes]), z[:, :2])
    plt.close(ax.figure)
    with pytest.raises(ValueError, match="as many codes"):
        faces.face_map(z, torch.rand(5, 3, 8, 8))
