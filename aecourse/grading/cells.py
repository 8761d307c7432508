"""Takes a notebook apart: the exercises in it, and for each the statements that it needs.

Nothing is run here, and nothing is run later that an exercise does not need: no training, no
figure. A statement is needed if it binds a name that the exercise, or what it needs, reads.
"""

import ast
import hashlib
import inspect
import json
import re
import symtable
import textwrap
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

from aecourse.exercises import EXERCISES
from aecourse.record import lesson_of

ASKS = {"check", "hint", "solution", "yours_or_ours"}  # what the checks are asked by, no own code
PYTHON = re.compile(r"%%(time|timeit|capture|prun)\b.*")  # cell magics with Python below them


class Unreadable(Exception):
    """Why a file gives no exercises, in one sentence."""


class Statement(NamedTuple):
    place: int  # in the notebook, counted from 0
    cell: int  # number of its cell
    node: ast.stmt
    binds: set  # names that it gives a value, or changes
    reads: set  # names that it needs, now or when it is called
    asks: bool  # whether it asks the checks, as in f = yours_or_ours(f)


class Attempt(NamedTuple):
    """A learner's attempt at an exercise."""

    name: str
    statements: list  # all that must run, in order; the last that binds the name is the attempt
    others: set  # exercises that it builds on
    error: str  # a sentence where its cell is no Python
    code: str  # the attempt, comments and layout aside
    mark: str  # equal for attempts that differ in comments, layout and names only


def sources(text):
    """The code cells of a notebook, given as bytes."""
    try:
        notebook = json.loads(text)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError):
        words = "is empty" if not text.strip() else "is no notebook that can be read"
        raise Unreadable(f"this file {words}.") from None


def attempts(text, filename):
    """The attempts at exercises in a notebook, given as bytes, and its cells as Python."""
    cells, statements, broken, asked = [], [], {}, []
    for number, source in enumerate(sources(text)):
        cells.append(source)
        try:
            cells[-1] = _python(source)
            body = ast.parse(cells[-1]).body
            new = [_statement(len(statements) + k, number, node) for k, node in enumerate(body)]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            named = re.findall(r"\b(?:def|class|check)\W{1,4}(\w+)", source)
            where = f"in line {error.lineno} of its cell: " if hasattr(error, "lineno") else ""
            sentence = f"its cell is no Python, {where}{getattr(error, 'msg', error)}."
            broken.update((name, sentence) for name in named if name in EXERCISES)
            continue
        statements += new
        asked += [(name, s.place) for s in new for name in _checked(s.node)]
    wanted = dict(asked) | dict.fromkeys(broken, len(statements))
    number = re.search(r"(?<!\d)\d\d(?=_)", filename)
    wanted = dict.fromkeys(lesson(number[0]) if number else (), len(statements)) | wanted
    if not asked and not broken:
        raise Unreadable("this notebook has no exercise of the course.")
    return [_attempt(name, statements, end, broken) for name, end in wanted.items()], cells


def lesson(number):
    """The names of the exercises of notebook "06", say."""
    return [name for name in EXERCISES if lesson_of(name) == number]


def ours():
    """The marks of the package's own solutions: {(name of the exercise, mark)}."""
    trees = {
        name: ast.parse(textwrap.dedent(inspect.getsource(exercise.solution)))
        for name, exercise in EXERCISES.items()
    }
    return {(name, _normal(tree.body[0])[1]) for name, tree in trees.items()}


def _python(source):
    """A cell without magics: line numbers stay."""
    first, _, rest = source.partition("\n")
    if first.startswith("%%"):
        source = "\n" + rest if PYTHON.match(first) else ""
    return TransformerManager().transform_cell(source)


def _statement(place, number, node):
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    reads = {s.get_name() for s in table.get_symbols() if s.is_referenced()} | _globals(table)
    if isinstance(node, ast.Assign | ast.AugAssign):
        for target in getattr(node, "targets", None) or [node.target]:
            while isinstance(target, ast.Attribute | ast.Subscript):
                target = target.value
            if isinstance(target, ast.Name):  # model.name = ..., table[k] = ..., total += ...
                binds.add(target.id)
                reads |= set() if isinstance(node, ast.Assign) else {target.id}
    called = getattr(getattr(node, "value", None), "func", None)
    word = getattr(called, "id", getattr(called, "attr", None))
    return Statement(place, number, node, binds, reads, word in ASKS)


def _globals(table):
    """Names that functions and classes in a table take from outside."""
    names = set()
    for child in table.get_children():
        names |= {s.get_name() for s in child.get_symbols() if s.is_global() and s.is_referenced()}
        names |= _globals(child)
    return names


def _checked(node):
    """The exercises whose check a statement asks for."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and len(call.args) == 1:
            word = getattr(call.func, "id", getattr(call.func, "attr", None))
            name = getattr(call.args[0], "id", None)
            if word == "check" and name in EXERCISES:
                yield name


def _attempt(name, statements, end, broken):
    own = _binder(name, statements, end)
    if name in broken and (own is None or isinstance(own.node, ast.ImportFrom)):
        return Attempt(name, [], set(), broken[name], "", "")
    if own is None:
        return Attempt(name, [], set(), "", "", "")
    needed, others, todo = {own.place: own}, set(), [own]
    while todo:
        reader = todo.pop()
        later = isinstance(reader.node, ast.FunctionDef | ast.ClassDef)  # it reads when called
        for word in reader.reads:
            found = _binder(word, statements, end if later else reader.place - 1)
            if word in EXERCISES and word != name and not _imported(found):
                others.add(word)
            if found and found.place not in needed:
                needed[found.place] = found
                todo.append(found)
    code, mark = _normal(own.node)
    return Attempt(name, [needed[k] for k in sorted(needed)], others, "", code, mark)


def _imported(statement):
    return statement is None or isinstance(statement.node, ast.ImportFrom | ast.Import)


def _binder(name, statements, end):
    """The last statement up to a place that binds a name, or else the first after it."""
    binders = [s for s in statements if not s.asks and name in s.binds]
    stars = [s for s in statements if _imported(s) and s.node.names[0].name == "*"]
    before = [s for s in binders if s.place <= end]
    return (before[-1:] or binders[:1] or stars[-1:] or [None])[0]


def _normal(node):
    """A definition without comments, layout and docstrings, as text; and a mark of it in which
    its own names are numbered."""
    tree = ast.parse(ast.unparse(node))
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part, False):
            part.body = part.body[1:] or [ast.Pass()]
    code = ast.unparse(tree)
    own = [n.arg if isinstance(n, ast.arg) else n.id for n in ast.walk(tree) if _names(n)]
    numbered = {name: f"v{k}" for k, name in enumerate(dict.fromkeys(own))}
    for part in ast.walk(tree):
        if isinstance(part, ast.arg):
            part.arg, part.annotation = numbered[part.arg], None
        elif isinstance(part, ast.Name):
            part.id = numbered.get(part.id, part.id)
    return code, hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _names(node):
    """Whether a node names something of the definition's own: an argument or a variable."""
    if isinstance(node, ast.Name):
        return isinstance(node.ctx, ast.Store)
    return isinstance(node, ast.arg)
