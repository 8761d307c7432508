"""Writes down what came of a class: a CSV, and one page that needs no network."""

import csv
import html
import re
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from string import Template
from typing import NamedTuple

import aecourse
from aecourse.exercises import EXERCISES
from aecourse.grading import cells
from aecourse.record import lesson_of

TEMPLATE = Path(aecourse.__file__).with_name("live") / "grades.html"
SIGNS = {"right": "✔", "not yet": "✘", "not written": "…", "not handed in": "–"}
ORDER = list(SIGNS)
OURS = "the package (what solution(f) prints)"
ALONE = "Each notebook ran in namespaces of its own: without network, without other processes, and "
ALONE += "of all files it saw only Python's and the course's, which it could not change."
HOOKED = "This computer gives a program no namespaces. A hook in Python refused network, other "
HOOKED += "processes and files elsewhere; it does not stop code that calls C, so know your class."


class Row(NamedTuple):
    """An attempt of a learner's at an exercise."""

    learner: str
    notebook: str
    exercise: str
    seconds: float
    status: str
    sentence: str
    code: str = ""
    mark: str = ""


def table(path, rows, left_out):
    """Write the CSV: a line an attempt, and one for each file without any."""
    with path.open(
        "w", newline="", encoding="utf-8-sig", errors="replace"
    ) as file:  # as Excel wants it
        writer = csv.writer(file)
        writer.writerow(["learner", "notebook", "exercise", "verdict", "sentence", "seconds"])
        for row in rows:
            told = [row.exercise, row.status, row.sentence, row.seconds]
            writer.writerow(map(_harmless, [row.learner, row.notebook, *told]))
        for learner, notebook, sentence in left_out:
            writer.writerow(map(_harmless, [learner, notebook, "", "not graded", sentence, ""]))


def page(path, rows, left_out, alone, seconds):
    """Write the page."""
    best = {}
    for row in sorted(rows, key=lambda row: ORDER.index(row.status), reverse=True):
        best[row.learner, row.exercise] = row  # of several copies the best
    names = {row.learner for row in rows} | {name for name, *_ in left_out}
    learners = sorted(names, key=str.lower)
    asked = {row.exercise for row in rows}
    columns = sorted((name for name in EXERCISES if name in asked), key=lesson_of)
    parts = {
        "learners": len(learners),
        "notebooks": len({row.notebook for row in rows}) + len(left_out),
        "right": sum(row.status == "right" for row in best.values()),
        "attempts": len(best),
        "seconds": round(seconds),
        "computing": round(sum(row.seconds for row in rows)),
        "shut": ALONE if alone else HOOKED,
        "table": _grid(learners, columns, best),
        "told": "\n".join(_told(name, columns, best) for name in learners),
        "mistakes": _mistakes(best.values()),
        "same": _same(rows),
        "left_out": _left_out(left_out),
    }
    text = Template(TEMPLATE.read_text("utf-8")).substitute(parts)
    path.write_text(text, encoding="utf-8", errors="replace")  # names of files may be no text


def _grid(learners, columns, best):
    """Learner by exercise."""
    lessons = "".join(
        f'<th scope="colgroup" colspan="{len(list(names))}">{number}</th>'
        for number, names in groupby(columns, lesson_of)
    )
    heads = "".join(f'<th scope="col"><span>{name}</span></th>' for name in columns)
    head = f'<tr><td></td>{lessons}<td colspan="2"></td></tr>\n<tr><th scope="col">learner</th>'
    head += f'{heads}<th scope="col">right</th><th scope="col">seconds</th></tr>'
    body = "\n".join(_line(learner, columns, best) for learner in learners)
    counts = [sum(_status(best, k, name) == "right" for k in learners) for name in columns]
    foot = "".join(f"<td>{count}</td>" for count in counts)
    foot = f'<tr><th scope="row">right</th>{foot}<td>{sum(counts)}</td><td></td></tr>'
    return f"<thead>{head}</thead>\n<tbody>{body}</tbody>\n<tfoot>{foot}</tfoot>"


def _line(learner, columns, best):
    squares, right, seconds = "", 0, 0.0
    for name in columns:
        row, status = best.get((learner, name)), _status(best, learner, name)
        words = f"{learner}, {name}: {status}" + (f": {row.sentence}" if row else "")
        kind = status.replace(" ", "-")
        squares += f'<td class="{kind}" title="{html.escape(words)}">{SIGNS[status]}'
        squares += f'<span class="words">{status}</span></td>'
        right, seconds = right + (status == "right"), seconds + (row.seconds if row else 0)
    who = f'<th scope="row">{html.escape(learner)}</th>'
    return f"<tr>{who}{squares}<td>{right}</td><td>{seconds:.1f}</td></tr>"


def _status(best, learner, name):
    return best[learner, name].status if (learner, name) in best else "not handed in"


def _told(learner, columns, best):
    """All that a learner is to mend, folded."""
    rows = [best[learner, name] for name in columns if (learner, name) in best]
    items = "".join(
        f"<li>✘ <b>{row.exercise}</b>: {html.escape(row.sentence)}</li>"
        for row in rows
        if row.status == "not yet"
    )
    if not items:
        return ""
    count = items.count("<li>")
    head = f"<summary>{html.escape(learner)}: {count} not yet</summary>"
    return f"<details>{head}<ul>{items}</ul></details>"


def _mistakes(rows):
    """What several learners were told, the commonest first; numbers and lines may differ."""
    groups = defaultdict(list)
    for row in rows:
        if row.status == "not yet":
            said = re.sub(r"in line \d+ of yours, `.*`, ", "", row.sentence)
            groups[row.exercise, re.sub(r"-?\d[\d.e+-]*", "#", said)].append(row)
    found = sorted((g for g in groups.values() if len(g) > 1), key=len, reverse=True)
    lines = [
        f"<tr><td>{len(group)}</td><td>{group[0].exercise}</td>"
        f"<td>{html.escape(group[0].sentence)}</td><td>{_names(group)}</td></tr>"
        for group in found
    ]
    head = "<tr><th>how many</th><th>exercise</th><th>what they were told</th><th>who</th></tr>"
    return f"<table>{head}{''.join(lines)}</table>" if lines else "<p>No two share one.</p>"


def _same(rows):
    """Attempts that are the same code, the longest first; also as the package's own."""
    ours, groups = cells.ours(), defaultdict(list)
    for row in rows:
        if row.mark and row.status != "not written":
            groups[row.exercise, row.mark].append(row)
    found = [
        (group[0].code.count("\n"), key[0], _names(group, [OURS] if key in ours else []), group[0])
        for key, group in groups.items()
        if len({row.learner for row in group}) + (key in ours) > 1
    ]
    found.sort(key=lambda group: (-group[0], group[1]))
    lines = [
        f"<tr><td>{size}</td><td>{name}</td><td>{who}</td><td><details><summary>show</summary>"
        f"<pre>{html.escape(row.code)}</pre></details></td></tr>"
        for size, name, who, row in found
    ]
    head = "<tr><th>lines below the first</th><th>exercise</th><th>who</th><th>code</th></tr>"
    return f"<table>{head}{''.join(lines)}</table>" if lines else "<p>None.</p>"


def _left_out(files):
    items = "".join(
        f"<li><b>{html.escape(notebook)}</b>: {html.escape(sentence)}</li>"
        for _, notebook, sentence in files
    )
    return f"<h2>Not graded</h2><ul>{items}</ul>" if items else ""


def _names(rows, more=()):
    return html.escape(", ".join([*sorted({row.learner for row in rows}, key=str.lower), *more]))


def _harmless(value):
    """A spreadsheet takes a text that begins so for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value
