"""Gives notebooks new numbers, and everything that speaks of them too:

    python tests/renumber.py 02-12=03                  # 02 moves to 03 and so on: room for a new 02
    python tests/renumber.py 01=01_infomax 07=08_vaes  # new names; a number alone keeps the name

Files, titles, sections and exercises, cross-references, modules of exercises, tests, README and
data sheets follow in one go. A number of which it isn't certain whether it is a notebook's is left
as it is and listed, for a person to decide. `git diff` shows the rest.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXTS = ("*.md", "aecourse/**/*.py", "tests/**/*.py", "data/*.md", "data/results/*.json")
SELF = ("renumber.py", "test_renumber.py")  # full of examples
SHEETS = ("data/README.md", "aecourse/__init__.py")  # here (12) and | 12 | are notebooks

# Numbers of two digits that stand together: "04", "06 and 07", "09, 10 to 12".
RUN = re.compile(
    r"(?<![\w.,:%/+-])\d\d(?:(?:, | and |, and | or | to |-)\d\d)*(?!\w|[.,:/-]\w| ?%|\)?\.\d)"
)
SECTION = re.compile(r"(?<![\w.,:/+\\^_{-])(\d{1,2})(\.\d{1,2})(?![\w%]|\.\d)")
POINTER = re.compile(r"(?:\(|, |\b(?:of|in|see|[Ss]ections?) )$")
FORMULA_OR_CODE = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", re.DOTALL)


def moves_of(arguments, stems):
    """{old: (new, name)} for arguments such as "02-12=03" or "01=01_infomax"."""
    moves = {}
    for argument in arguments:
        match = re.fullmatch(r"(\d\d)(?:-(\d\d))?=(\d\d)(?:_(\w+))?", argument)
        if not match or (match[2] and match[4]):
            raise ValueError(f"{argument!r} is not like 02-12=03 or 01=01_infomax.")
        for old in range(int(match[1]), int(match[2] or match[1]) + 1):
            if old not in stems:
                raise ValueError(f"There is no notebook {old:02d}.")
            moves[old] = int(match[3]) + old - int(match[1]), match[4] or stems[old][3:]
    if len({moves.get(old, (old,))[0] for old in stems}) < len(stems):
        raise ValueError("Two notebooks would have one number: move the other one too.")
    return moves


class Renumber:
    """The change of one tree of files. After the call, `doubts` are the places to look at."""

    def __init__(self, root, arguments):
        self.root, self.doubts = root, []
        self.notebooks = sorted((root / "notebooks").glob("*.ipynb"))
        stems = {int(path.stem[:2]): path.stem for path in self.notebooks}
        moves = moves_of(arguments, stems)
        self.number = {old: new for old, (new, _) in moves.items()}
        self.name = {stems[old]: f"{new:02d}_{name}" for old, (new, name) in moves.items()}
        self.headings = set()  # 7.1, 7.2, ...
        for path in self.notebooks:
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                found = re.findall(
                    r"^## (\d+\.\d+)|Exercise (\d+\.\d+)", "".join(cell["source"]), re.M
                )
                self.headings |= {word for pair in found for word in pair if word}

    def __call__(self):
        for path in self.notebooks:
            self.rewrite(path, self.notebook)
        for path in sorted({path for pattern in TEXTS for path in self.root.glob(pattern)}):
            if path.name not in SELF:
                self.rewrite(path, self.text)
        self.rename("notebooks/{}.ipynb", self.name)
        modules = {f"{old:02d}": f"{new:02d}" for old, new in self.number.items()}
        for folder in ("aecourse/exercises", "tests/alternatives"):
            self.rename(folder + "/notebook_{}.py", modules)

    def rewrite(self, path, change):
        old = path.read_text(encoding="utf-8")
        new = change(old, path.relative_to(self.root).as_posix())
        if new != old:
            path.write_text(new, encoding="utf-8")

    def rename(self, pattern, names):
        """By way of a third name, since 02 may become 03 while there still is one."""
        paths = [[self.root / pattern.format(name) for name in pair] for pair in names.items()]
        paths = [(old, old.with_suffix(".moving"), new) for old, new in paths if old.exists()]
        for old, between, _ in paths:
            old.rename(between)
        for _, between, new in paths:
            between.rename(new)

    def notebook(self, text, place):
        """The cells of a notebook, and of its outputs what is printed."""
        content, own = json.loads(text), int(Path(place).stem[:2])

        def changed(source, prose=False):
            new = self.text("".join(source), place, own, prose)
            return new if isinstance(source, str) else new.splitlines(keepends=True)

        for cell in content["cells"]:
            cell["source"] = changed(cell["source"], cell["cell_type"] == "markdown")
            for output in cell.get("outputs", []):
                if "text" in output:
                    output["text"] = changed(output["text"])
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def text(self, text, place, own=None, prose=False):
        """Any text with the new numbers. own: the notebook it is from; prose: its markdown."""
        text = re.sub("|".join(self.name), lambda m: self.name[m[0]], text)
        text = re.sub(r"(?<=\bnotebook_)\d\d\b", self.two_digits, text)
        text = self.outside(RUN, self.run, text, place, prose)
        if prose:
            text = re.sub(r"\A# (\d+)\.", lambda m: f"# {self.number.get(own, own)}.", text)
        if own is not None or place == "README.md":
            text = self.outside(SECTION, self.section, text, place, own, prose)
        return text

    def outside(self, pattern, change, text, *about):
        """re.sub that leaves formulas and code in prose alone."""
        prose = about[-1]
        hidden = [m.span() for m in FORMULA_OR_CODE.finditer(text)] if prose else []

        def new(match):
            inside = any(start <= match.start() < end for start, end in hidden)
            return match[0] if inside else change(match, *about)

        return pattern.sub(new, text)

    def two_digits(self, match):
        return f"{self.number.get(int(match[0]), int(match[0])):02d}"

    def run(self, match, place, prose):
        """A run of numbers is of notebooks if one begins with 0, or if the words around say so."""
        before, after = match.string[: match.start()], match.string[match.end() :]
        said = re.search(r"[Nn]otebooks? $|Before: $", before)
        said = said or re.search(r"(?<!\d)0", match[0])
        if place in SHEETS:
            said = said or (re.search(r"\| $", before) and after.startswith(" |"))
            said = said or (re.search(r"\s\($", before) and after.startswith(")"))
        if said:
            return re.sub(r"\d\d", self.two_digits, match[0])
        paragraph = before.split("\n\n")[-1] + match[0] + after.split("\n\n")[0]
        near = re.search(r"[Nn]otebook|Before: ", paragraph) and not after.startswith(" min")
        if prose and near and any(int(n) in self.number for n in re.findall(r"\d\d", match[0])):
            self.doubt(place, match)
        return match[0]

    def section(self, match, place, own, prose):
        """7.1 in the prose of notebook 07, and in README after words like "in". In code and in what
        is printed it may as well be a number."""
        old = int(match[1])
        pointed = POINTER.search(match.string[max(0, match.start() - 12) : match.start()])
        if match[0] not in self.headings or own not in (None, old):
            return match[0]
        if prose or (own is None and pointed):
            return f"{self.number.get(old, old)}{match[2]}"
        if own in self.number and pointed and pointed[0][-1] == " " and pointed[0] != ", ":
            self.doubt(place, match)
        return match[0]

    def doubt(self, place, match):
        before, after = match.string[: match.start()], match.string[match.end() :]
        words = f"{before[-30:]}[{match[0]}]{after[:30]}".replace("\n", " ")
        self.doubts.append(f"{place}: ...{words}...")


def main(arguments):
    if not arguments:
        sys.exit(__doc__)
    try:
        change = Renumber(ROOT, arguments)
    except ValueError as error:
        sys.exit(str(error))
    change()
    print("\n".join([*change.doubts, f"Done. {len(change.doubts)} places to look at."]))


if __name__ == "__main__":
    main(sys.argv[1:])
