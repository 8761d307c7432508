"""The pages of the site: the stored notebooks with small changes, and a front page, for Sphinx.

Usage: python site/lessons.py FOLDER. It writes FOLDER/pages, pictures (one a lesson, for the front
page) and notebooks (as they are stored, to download). The lessons, their order and their questions
are those of README's map.
"""

import base64
import html
import inspect
import io
import json
import re
import sys
from pathlib import Path
from string import Template

from PIL import Image, ImageStat

from aecourse.exercises import EXERCISES

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| \[`(\w+)`\]\(notebooks/\1\.ipynb\) \| (.+?) \|", re.M)
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = "<p><em>To move it, run this cell: in Colab, in Binder or in your own JupyterLab.</em></p>"
PICTURE = re.compile(r'src="data:image/\w+;base64,([^"]+)"')


def repository():
    """The address of the course's repository, a page for people, from pyproject.toml."""
    project = (ROOT / "pyproject.toml").read_text()
    return re.search(r'^Repository = "(.+?)(?:\.git)?"', project, re.M)[1]


def page(name, cells):
    """The cells of a notebook as those of its page."""
    hinted = {found[1] for cell in cells if (found := _call("hint", cell))}
    return [
        _prose(name, cell) if cell["cell_type"] == "markdown" else _code(cell, hinted)
        for cell in cells
    ]


def _call(function, cell):
    """The line of a code cell that calls `function`, with the argument as its first group."""
    code = cell["source"] if cell["cell_type"] == "code" else ""
    return re.search(rf"^{function}\((\w+)\)$", code, re.M)


def _prose(name, cell):
    """A cell of text: the first has links below its title; addresses become those of the site."""
    text = re.sub(r"\[!\[[^]]*\]\(http[^)]*\)\]\([^)]*\)\s*", "", cell["source"])  # badges
    text = re.sub(r"\]\(\.\./README\.md[^)]*\)", "](index.md)", text)
    text = re.sub(r"\]\(\.\./([^)]*)\)", rf"]({repository()}/blob/main/\1)", text)
    title, rest = re.match(r"(# .*\n)?([\s\S]*)", text).groups()
    return cell | {"source": f"{title}\n{links(name)}\n{rest}" if title else text}


def links(name):
    """Where the notebook can be run, and its file; Colab and Binder know repositories of GitHub."""
    path = repository().split("/", 3)[3]
    colab = f"https://colab.research.google.com/github/{path}/blob/main/notebooks/{name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{path}/main?labpath=notebooks/{name}.ipynb"
    return (
        f'<p class="ways"><a href="{colab}">Open in Colab</a><a href="{binder}">Open in Binder</a>'
        f'<a href="{name}.ipynb" download>Download</a></p>\n'
    )


def _code(cell, hinted):
    """A code cell: the one for Colab is folded, an exercise has its hints, figures fit the site."""
    outputs = [_output(output) for output in cell["outputs"]]
    hint, check = _call("hint", cell), _call("check", cell)
    if hint:
        outputs = [_folded(hint[1])]
    elif check and check[1] in EXERCISES and check[1] not in hinted:
        outputs.append(_folded(check[1]))
    tags = []
    if '"google.colab" in sys.modules' in cell["source"]:  # one folded line a page is enough
        tags = ["hide-input" if cell["source"].startswith("import sys") else "remove-cell"]
    return cell | {"outputs": outputs, "metadata": cell["metadata"] | {"tags": tags}}


def _output(output):
    """An output without what only a kernel can move, and without words that only hold there."""
    data = dict(output.get("data", {}))
    if "text/html" in data:
        data["text/html"] = "".join(data["text/html"]).replace(
            "<p>Run this cell to move it.</p>", "<p>It moves where the browser runs scripts.</p>"
        )
    if data.pop(WIDGET, None) and "text/html" in data:
        data["text/html"] += KERNEL
    return output | {"data": data} if data else output


def _folded(name):
    """The hints of an exercise and its solution as an output, each behind a line to open."""
    exercise, folds = EXERCISES[name], []
    for k, sentence in enumerate(exercise.hints, 1):
        folds.append((f"Hint {k} of {len(exercise.hints)}", f"<p>{html.escape(sentence)}</p>"))
    source = html.escape(inspect.getsource(exercise.solution))
    folds.append((f"Solution: the package's {name}", f"<pre>{source}</pre>"))
    text = "".join(f"<details><summary>{line}</summary>{rest}</details>" for line, rest in folds)
    data = {"text/html": f'<div class="hints">{text}</div>'}
    return {"output_type": "display_data", "metadata": {}, "data": data}


def picture(cells):
    """The darkest of a notebook's figures that are about as wide as high; None if it has none."""
    images = []
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        if found := PICTURE.search("".join(output.get("data", {}).get("text/html", ""))):
            image = Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGB")
            if 0.8 < image.width / image.height < 2:
                images.append(image)
    return min(images, key=lambda image: ImageStat.Stat(image.convert("L")).mean, default=None)


CARD = Template("""<a class="lesson" href="$name.html">$image
<strong>$title</strong><span>$question</span><small>$minutes minutes</small></a>
""")


def card(name, question, cells, pictures):
    """A lesson on the front page; its picture goes to the folder of pictures."""
    head, image = cells[0]["source"], picture(cells)
    if image:
        image.thumbnail((600, 600))
        image.save(pictures / f"{name}.webp")
    return CARD.substitute(
        name=name,
        image=f'<img alt="" src="_static/{name}.webp">' if image else "",
        title=html.escape(re.match(r"# (.*)", head)[1]),
        question=re.sub(r"\*(.+?)\*", r"<em>\1</em>", html.escape(question)),
        minutes=re.search(r"\*(\d[\w ]*?) minutes", head)[1],
    )


def main(folder):
    readme, cards = (ROOT / "README.md").read_text(), {}
    for kind in ("pages", "pictures", "notebooks"):
        (folder / kind).mkdir(parents=True)
    for name, question in ROW.findall(readme):
        stored = ROOT / "notebooks" / f"{name}.ipynb"
        if not stored.exists():
            sys.exit(f"The map in README names notebooks/{stored.name}, which is not there.")
        notebook = json.loads(stored.read_text())
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
        cells = notebook["cells"]
        cards[name] = card(name, question, cells, folder / "pictures")
        (folder / "notebooks" / stored.name).write_bytes(stored.read_bytes())
        notebook["cells"] = page(name, cells)
        (folder / "pages" / stored.name).write_text(json.dumps(notebook))
    front = Template((ROOT / "site" / "front.md").read_text())
    sentence = re.search(r"\n\n(.*?\?)\s", readme, re.S)[1]
    shown = {"cards": "".join(cards.values()), "names": "\n".join(cards)}
    text = front.substitute(shown, sentence=sentence, address=repository())
    (folder / "pages" / "index.md").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
