"""The progress bar of a training: one line, in a terminal, in a notebook and where it is stored."""

import io
import sys

from tqdm import tqdm

from aecourse import parallel


def bar(total):
    """A tqdm bar of `total` steps; it writes to sys.stdout, or into the page of a notebook. Of
    several processes only the first one's is seen."""
    notebook = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if hasattr(notebook, "kernel"):
        return _Line(total=total, file=io.StringIO(), ncols=100, ascii=False)
    return tqdm(total=total, file=io.StringIO() if parallel.rank() else sys.stdout)


class _Line(tqdm):
    """One line of text, renewed in place. A carriage return would leave a line for each renewal in
    the stored notebook, and a widget nothing at all."""

    def display(self, msg=None, pos=None):
        from IPython.display import display, update_display

        line = {"text/plain": str(self) if msg is None else msg}
        if hasattr(self, "place"):
            update_display(line, display_id=self.place.display_id, raw=True)
        else:
            self.place = display(line, display_id=True, raw=True)


def words(history, leave_out):
    """The last value of each term, for the progress bar."""
    names = [n for n in history if n not in leave_out and not n.startswith("valid ")]
    return ", ".join(f"{name} {history[name][-1]:.4g}" for name in names)
