"""Writes the links to the map and to the lessons before and after into each notebook's head, at the
end of its line of minutes; a line that has them is renewed:

    python tests/neighbours.py

The order is that of the files' names. The links are relative, so that JupyterLab, GitHub and the
site follow them, and without numbers, so that renumber.py need not guess.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINE = re.compile(r"^(\*\d[\w ]* minutes; .*?\*)(?: \[.*)?$", re.M)


def links(names):
    """{file: its line of links} for the names of the notebooks' files in their order."""
    lines = {}
    for k, name in enumerate(names):
        parts = [f"[← previous]({names[k - 1]})"] if k else []
        parts += ["[map](../README.md#map-of-the-course)"]
        parts += [f"[next →]({names[k + 1]})"] if k + 1 < len(names) else []
        lines[name] = " · ".join(parts)
    return lines


def linked(text, line):
    """The text of a notebook's file with a line of links in its head, and nothing else changed."""
    notebook = json.loads(text)
    head = "".join(notebook["cells"][0]["source"])
    new, found = LINE.subn(lambda match: f"{match[1]} {line}", head, count=1)
    if not found:
        raise ValueError("The head of a notebook has no line such as *60 minutes; run time 30 s.*")
    notebook["cells"][0]["source"] = new.splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main(folder):
    paths = sorted(folder.glob("*.ipynb"))
    for path, line in zip(paths, links([path.name for path in paths]).values(), strict=True):
        path.write_text(linked(path.read_text(encoding="utf-8"), line), encoding="utf-8")


if __name__ == "__main__":
    main(ROOT / "notebooks")
