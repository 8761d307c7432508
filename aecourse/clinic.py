"""A failure clinic: a broken autoencoder is shown, and one says by its look what is wrong with it.

Which of the six failures it is, is drawn by chance.
"""

import difflib
import random

import matplotlib.pyplot as plt

from aecourse import data, plots
from aecourse.failures import FAILURES, Patient


class Clinic:
    """Rounds of: `patient()` shows a broken autoencoder, `diagnose(name)` says whether that is it.

    The score counts the first answer to each patient.
    """

    def __init__(self, rounds=3):
        self.digits = data.load("mnist", n=3000)
        self.healthy = Patient(self.digits.x)
        self.rounds, self.waiting, self.now = rounds, [], None
        self.answered = self.named = True
        self.score = 0

    def patient(self):
        """Show the next patient; the same one again, as long as it has no right diagnosis."""
        if self.named:
            if not self.waiting:
                self.waiting, self.score = random.sample(list(FAILURES), self.rounds), 0
            self.now = Patient(self.digits.x, self.waiting.pop())
            self.answered = self.named = False
        signs, ax = self.now.signs, self._sheet()
        known = "Its pictures are all alike"
        if signs.plane:
            known = f"Two principal components hold {signs.plane:.0%} of its pictures' variance"
        print(f"Patient {self.rounds - len(self.waiting)} of {self.rounds}. {known}", end="")
        print(f" (healthy: {self.healthy.signs.plane:.0%} in two principal components).")
        words = f"loss from {signs.first:.4g} to {signs.last:.4g}, codes of spread "
        words = f"A broken autoencoder: {words}{signs.spread:.3g}, and ten of its pictures."
        plots.show(ax, words)

    def diagnose(self, name):
        """Say whether the patient's failure is the named one, a number from 1 to 6 or words."""
        found = _found(name)
        if self.now is None:
            return print("There is no patient yet: run patient() first.")
        if found is None:
            names = ", ".join(f"{k} {word}" for k, word in enumerate(FAILURES, 1))
            return print(f"… no diagnosis yet. Put one between the quotes, or its number: {names}.")
        failure, right = FAILURES[found], found == self.now.name
        self.score += right and not self.answered
        self.answered, self.named = True, self.named or right
        if not right:
            seen = failure.seen.format(**self.now.signs._asdict())
            return print(f"✘ not {found}: then {failure.sign}. Here {seen}. Look again.")
        print(f"✔ right, {found}: {failure.sign}. The line to blame: `{failure.line}`.")
        print(
            f"Named at the first answer: {self.score} of {self.rounds - len(self.waiting)}.",
            end=" ",
        )
        print("patient() brings the next." if self.waiting else "That was the last patient.")

    def ward(self):
        """Train one patient of each kind and show all; returns {name of the failure: signs}."""
        all_six = {name: Patient(self.digits.x, name) for name in FAILURES}
        labels, rows = ["digits"], [self.digits.x[:10]]
        for name, patient in {"healthy": self.healthy, **all_six}.items():
            s = patient.signs
            labels.append(f"{name}\nloss {s.first:.3g} to {s.last:.3g}, spread {s.spread:.2g}")
            rows.append(patient.pictures[:10])
        ax = plots.images(*rows, labels=labels)
        ax.tick_params(axis="y", labelsize=12)
        plots.show(ax, "Ten digits, their healthy pictures, and those of six broken autoencoders.")
        return {name: patient.signs for name, patient in all_six.items()}

    def _sheet(self):
        """The loss, the codes and the pictures of the patient."""
        figure = plt.figure(figsize=(10.5, 7))
        grid = figure.add_gridspec(2, 2, height_ratios=(1.5, 1), wspace=0.25)
        left, right = (figure.add_subplot(grid[0, k]) for k in (0, 1))
        below, turns = figure.add_subplot(grid[1, :]), range(1, len(self.now.losses) + 1)
        left.plot(turns, self.healthy.losses, "C0--", label="healthy")
        left.plot(turns, self.now.losses, "C1o-", label="patient")
        left.set(xlabel="epoch", ylabel="loss, nats an image", xticks=turns)
        low, high = min(self.now.losses), max(self.now.losses)
        if max(-low, high) > 1000:
            left.set_yscale("symlog", linthresh=1000)
            ticks = [-1e15, -1e12, -1e9, -1e6, 0, 1e6, 1e9]
            left.set_yticks([y for y in ticks if low < y < max(high, 1)])
            left.set_ylim(min(3 * low, 0), max(3 * high, 1e6))
        left.axhline(self.now.signs.mean_image, color="gray", ls=":", label="mean image")
        left.legend()
        few = slice(0, 500)
        plots.codes(self.now.z[few], self.digits.labels[few], ax=right)
        right.set_title("500 codes, a colour a digit", size=14)
        if self.now.signs.spread < 1e-3:  # a point
            centre = self.now.z.mean(0).tolist()
            right.plot(*centre, "ko", markersize=10)
            right.set(xlim=(centre[0] - 1, centre[0] + 1), ylim=(centre[-1] - 1, centre[-1] + 1))
        rows = [self.digits.x[:10], self.healthy.pictures[:10], self.now.pictures[:10]]
        return plots.images(*rows, labels=["digits", "healthy", "patient"], ax=below)


def _found(name):
    """The name of the failure that is meant by words or by a number, or None."""
    names, words = list(FAILURES), str(name).strip().casefold()
    if words.isdigit():
        return names[int(words) - 1] if 0 < int(words) <= len(names) else None
    inside = [known for known in names if len(words) > 3 and words in known]
    return next(iter(inside or difflib.get_close_matches(words, names, 1, 0.5)), None)
