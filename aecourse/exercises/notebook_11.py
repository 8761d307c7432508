"""Exercises of notebook 11: the sound of a note."""

import numpy as np

from aecourse import sound
from aecourse.exercises import exercise


def _note(frequency, seconds, rate=sound.RATE, *, loud=lambda k: 0.6 / k**2, partials=6, **other):
    """sound.tone with one thing done in another way; a mistake lies in which."""
    t = other.get("times", lambda n: np.arange(n) / rate)(round(seconds * rate))
    decay, phase = other.get("decay", lambda k, t: 2 * k * t), other.get("phase", 2 * np.pi)
    wave = sum(
        loud(k) * np.exp(-decay(k, t)) * np.sin(phase * k * frequency * t)
        for k in range(1, partials + 1)
    )
    rise, fall = other.get("envelope", lambda t: (t / 0.005, (seconds - t) / 0.03))(t)
    return wave * np.minimum(rise, fall).clip(0, other.get("most", 1))


def _as(**other):
    return lambda *arguments: _note(*arguments, **other)


def _every_sample(frequency, seconds, rate=sound.RATE):
    return _note(frequency, seconds, rate, times=lambda n: np.arange(n))


def _both_ends(frequency, seconds, rate=sound.RATE):
    return _note(frequency, seconds, rate, times=lambda n: np.linspace(0, seconds, n))


exercise(
    sound.tone,
    cases=lambda: {
        1: (110.0, 0.06),
        2: (220.0, 0.05),
        3: (65.5, 0.1, 8000),
        "a note so short that it fades while it still rises": (330.0, 0.02),
    },
    mistakes={
        "look at the envelope: without it the note begins and ends with a click.": _as(
            envelope=lambda t: (1 + 0 * t, 1 + 0 * t)
        ),
        "look at the envelope: the end of the note must fade too, over its last 0.03 seconds.": _as(
            envelope=lambda t: (t / 0.005, 1 + 0 * t)
        ),
        "look at the envelope: it is the smallest of three numbers, and one of them is 1.": _as(
            most=np.inf
        ),
        "look at the sine: a period is 2 pi, so the phase is 2 pi k f t.": _as(phase=1),
        "look at the partials: there are six, k = 1 to 6, and range leaves its end out.": _as(
            partials=5
        ),
        "look at the sum: this is the first partial alone, a whistle.": _as(partials=1),
        "look at the loudness: partial k has 0.6 / k ** 2.": _as(loud=lambda k: 0.6 / k),
        "look at the loudness: all partials are equally loud; partial k has 0.6 / k ** 2.": _as(
            loud=lambda k: 0.6
        ),
        "look at the decay: partial k fades by exp(-2 k t), the high ones faster.": _as(
            decay=lambda k, t: 2 * t
        ),
        "look at the decay: the partials do not fade yet.": _as(decay=lambda k, t: 0 * t),
        "look at the times: they are in seconds; divide the number of the sample by the rate.": (
            _every_sample
        ),
        "look at the times: steps of 1 / rate do not reach T; linspace takes both ends.": (
            _both_ends
        ),
    },
    hints=(
        "The times are t = np.arange(round(seconds * rate)) / rate, an array.",
        "Add six arrays, for k in range(1, 7): loudness * np.exp(-2 * k * t) * np.sin(...).",
        "The envelope is np.minimum(t / 0.005, (seconds - t) / 0.03).clip(0, 1).",
        "Try:  return np.minimum(t / 0.005, ...).clip(0, 1) * sum(... for k in range(1, 7))",
    ),
)
