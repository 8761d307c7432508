"""Schematics: all that the talk names stands in them, inside of the axes."""

import matplotlib.pyplot as plt
import pytest

from aecourse import schematics


@pytest.fixture
def drawn():
    yield schematics.vae()
    plt.close("all")


def words(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ")


def test_the_model_has_prior_decoder_data_and_a_dashed_recognition_model(drawn):
    for word in ("prior", "code", "decoder", "data", "recognition model"):
        assert word in words(drawn[0])
    dashed = [patch for patch in drawn[0].patches if patch.get_linestyle() not in ("-", "solid")]
    assert len(dashed) == 1 and dashed[0].get_edgecolor() == plt.matplotlib.colors.to_rgba("C1")


def test_the_network_has_its_noise_as_an_input(drawn):
    for word in ("encoder", r"\mu", r"\sigma", r"\epsilon", "noise, an input", "decoder"):
        assert word in words(drawn[1])


def test_no_word_leaves_the_figure_or_lies_on_another(drawn):
    figure = drawn[0].figure
    figure.canvas.draw()
    page, boxes = figure.bbox, []
    for ax in drawn:
        for text in [*ax.texts, ax.title]:
            box = text.get_window_extent()
            assert page.x0 <= box.x0 < box.x1 <= page.x1, text.get_text()
            assert page.y0 <= box.y0 < box.y1 <= page.y1, text.get_text()
            assert not any(box.overlaps(other) for other in boxes), text.get_text()
            boxes.append(box)
    assert all(text.get_fontsize() >= 15 for ax in drawn for text in ax.texts)
