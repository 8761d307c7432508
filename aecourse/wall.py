"""Live figures as pages of their own: a learner's model to take home, and a wall of all of a class.

A page computes by itself, with no kernel and no network.
"""

import html
import re
from pathlib import Path
from string import Template

from aecourse import live

MARK = "<!-- a figure of aecourse -->\n"
WALL = "_wall.html"  # no learner's page is called so
PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
</head>
<body style="max-width: 1000px; margin: 16px auto; padding: 0 12px; font-family: sans-serif">
$figures</body>
</html>
"""
)


def export(figure, by, folder="."):
    """Write a figure of the course, such as code_map(...), as a page: by "Ada", it is ada.html.

    by  the learner's name, which heads the page; without a name nothing is written
    Of models that the page can't compute, such as convolutions, it holds a picture of the map.
    """
    name = re.sub(r"\W+", "_", str(by).lower()).strip("_")
    if not name:
        return print("… no page yet: put your name between the quotes.")
    bundle = getattr(figure, "_repr_mimebundle_", dict)()
    if "text/html" not in bundle:
        raise TypeError(
            f"export wants a figure such as code_map(...), not {type(figure).__name__}."
        )
    head = f"<h2>{html.escape(str(by).strip())}</h2>"
    path = Path(folder) / f"{name}.html"
    figures = f"{MARK}{head}\n{bundle['text/html']}\n{MARK}"
    path.write_text(PAGE.substitute(title=html.escape(str(by)), figures=figures), encoding="utf-8")
    still = "" if isinstance(figure, live.Page) else " It is a picture: its layers want the kernel."
    print(f"✔ {path}, {path.stat().st_size / 1e6:.1f} MB, opens in any browser.{still}")


def wall(folder="."):
    """Write all exported pages of a folder as one, _wall.html, in the order of their names."""
    pages = [path for path in sorted(Path(folder).glob("*.html")) if path.name != WALL]
    parts = [page.read_text(encoding="utf-8").split(MARK) for page in pages]
    figures = [part[1] for part in parts if len(part) == 3]
    path = Path(folder) / WALL
    page = PAGE.substitute(title="The class", figures="<hr>\n".join(figures))
    path.write_text(page, encoding="utf-8")
    print(f"✔ {path}: {len(figures)} pages in one, {path.stat().st_size / 1e6:.1f} MB.")
