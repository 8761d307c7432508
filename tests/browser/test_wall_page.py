"""A learner's page and the wall of a class, opened as files, with no kernel and no network."""

import torch
from test_code_map import MADE, MAP, PAD, draw, pixels, small

from aecourse import wall
from aecourse.live import code_map


def test_each_figure_of_a_page_and_of_a_wall_moves_by_itself(page, tmp_path):
    for name, d in (("Ada", 2), ("Ben", 3)):
        wall.export(code_map(*small(d=d)), by=name, folder=tmp_path)
    wall.wall(tmp_path)
    torch.manual_seed(0)
    for file, names in (("ada.html", ["Ada"]), ("_wall.html", ["Ada", "Ben"])):
        page.goto((tmp_path / file).as_uri())
        assert page.locator("h2").all_inner_texts() == names
        figures = page.locator(".aecourse-code_map")
        assert figures.count() == len(names) and page.locator(".still").first.is_hidden()
        for k in range(len(names)):
            before = [pixels(figures.nth(n).locator(MADE)) for n in range(len(names))]
            figures.nth(k).locator(MAP).press("ArrowUp")
            after = [pixels(figures.nth(n).locator(MADE)) for n in range(len(names))]
            assert [a != b for a, b in zip(after, before, strict=True)] == [
                n == k for n in range(len(names))
            ]
            pad = figures.nth(k).locator(PAD)
            pad.scroll_into_view_if_needed()
            draw(page, pad, [[(0.3, 0.2), (0.4, 0.5), (0.6, 0.8)]])
            assert pixels(figures.nth(k).locator(MADE)) != after[k]
