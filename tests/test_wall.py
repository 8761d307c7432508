"""Pages of learners' figures, and the wall of a class."""

import re

import pytest
import torch
from torch import nn

from aecourse import models, wall
from aecourse.live import code_map


@pytest.fixture
def figure():
    torch.manual_seed(0)
    return code_map(models.Autoencoder((1, 6, 5), (8,), 2), torch.rand(20, 1, 6, 5))


def test_a_page_stands_alone(figure, tmp_path, capsys):
    wall.export(figure, by="Ada <L>", folder=tmp_path)
    page = (tmp_path / "ada_l.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and '<meta charset="utf-8">' in page
    assert "<title>Ada &lt;L&gt;</title>" in page and "<h2>Ada &lt;L&gt;</h2>" in page
    assert figure._repr_mimebundle_()["text/html"] in page
    assert not re.search(r"(src|href)=[\"']?(?!data:)\w+:", page)  # nothing comes from elsewhere
    assert capsys.readouterr().out.startswith(f"✔ {tmp_path / 'ada_l.html'}, ")


@pytest.mark.parametrize("name", ["", "  ", "?"])
def test_without_a_name_nothing_is_written(figure, name, tmp_path, capsys):
    wall.export(figure, by=name, folder=tmp_path)
    assert "put your name between the quotes" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_name_is_no_path(figure, tmp_path):
    wall.export(figure, by="../../Émile/x", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["émile_x.html"]


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Flatten(), nn.Linear(60, 2))
        self.decoder = nn.Sequential(nn.Linear(2, 30), nn.Tanh(), nn.Unflatten(1, (1, 6, 5)))

    def encode(self, x):
        return self.encoder(x).tanh()

    def decode(self, z):
        return self.decoder(z).abs()

    def forward(self, x):
        return self.decode(self.encode(x))


def test_of_other_layers_the_page_holds_a_picture_and_says_so(tmp_path, capsys):
    torch.manual_seed(0)
    wall.export(code_map(Convolutional(), torch.rand(20, 1, 6, 5)), by="Ben", folder=tmp_path)
    assert "It is a picture" in capsys.readouterr().out
    assert "<img " in (tmp_path / "ben.html").read_text(encoding="utf-8")


def test_what_is_no_figure_is_told():
    with pytest.raises(TypeError, match="export wants a figure such as code_map"):
        wall.export("a map", by="Ada")


def test_a_wall_has_all_pages_of_a_folder_once(figure, tmp_path, capsys):
    (tmp_path / "other.html").write_text("<p>another page</p>", encoding="utf-8")
    for name in ("Ben", "Ada"):
        wall.export(figure, by=name, folder=tmp_path)
    for _ in range(2):  # a wall is not part of itself
        wall.wall(tmp_path)
    page = (tmp_path / "_wall.html").read_text(encoding="utf-8")
    assert re.findall("<h2>(.*?)</h2>", page) == ["Ada", "Ben"] and "another page" not in page
    assert page.count('<div class="aecourse-live') == 2
    assert "2 pages in one" in capsys.readouterr().out
