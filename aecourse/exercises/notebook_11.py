"""Exercises of notebook 11: the sound of a note, and the pitch of one."""

import numpy as np
import torch

from aecourse import sound
from aecourse.exercises import exercise


def _note(frequency, seconds, rate=sound.RATE, *, loud=lambda k: 0.4 / k, partials=6, **other):
    """sound.tone with one thing done in another way; a mistake lies in which."""
    t = other.get("times", lambda n: np.arange(n) / rate)(round(seconds * rate))
    decay, phase = other.get("decay", lambda k, t: 4 * k * t), other.get("phase", 2 * np.pi)
    wave = sum(
        loud(k) * np.exp(-decay(k, t)) * np.sin(phase * k * frequency * t)
        for k in range(1, partials + 1)
    )
    rise, fall = other.get("envelope", lambda t: (t / 0.003, (seconds - t) / 0.02))(t)
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
        "look at the envelope: the end of the note must fade too, over its last 0.02 seconds.": _as(
            envelope=lambda t: (t / 0.003, 1 + 0 * t)
        ),
        "look at the envelope: it is the smallest of three numbers, and one of them is 1.": _as(
            most=np.inf
        ),
        "look at the sine: a period is 2 pi, so the phase is 2 pi k f t.": _as(phase=1),
        "look at the partials: there are six, k = 1 to 6, and range leaves its end out.": _as(
            partials=5
        ),
        "look at the sum: this is the first partial alone, a whistle.": _as(partials=1),
        "look at the loudness: partial k has 0.4 / k, not 0.4 / k ** 2.": _as(
            loud=lambda k: 0.4 / k**2
        ),
        "look at the loudness: all partials are equally loud; partial k has 0.4 / k.": _as(
            loud=lambda k: 0.4
        ),
        "look at the decay: partial k fades by exp(-4 k t), the high ones faster.": _as(
            decay=lambda k, t: 4 * t
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
        "Add six arrays, for k in range(1, 7): loudness * np.exp(-4 * k * t) * np.sin(...).",
        "The envelope is np.minimum(t / 0.003, (seconds - t) / 0.02).clip(0, 1).",
        "Try:  return np.minimum(t / 0.003, ...).clip(0, 1) * sum(... for k in range(1, 7))",
    ),
)


def _phrases():
    """Logits (3, 4, 9) and onsets (3, 9) on which votes of another kind come out otherwise."""
    random = torch.Generator().manual_seed(5)
    logits = 3 * torch.randn(3, 4, 9, generator=random)
    onset = torch.tensor(
        [[1, 0, 0, 1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0, 1, 0, 1], [1, 0, 0, 0, 0, 0, 0, 0, 0]]
    ).float()
    return logits, onset


def _voted(logits, onset, of=lambda a: a.log_softmax(1), note=lambda a: a.cumsum(1), rest=1):
    """sound.note_vote with one thing done in another way."""
    number = note(onset)
    together = (number[:, :, None] == number[:, None]).to(logits.dtype)
    return (of(logits) @ together).argmax(1) - rest


def _ballots(logits):
    """One vote a step, for its own favourite."""
    return torch.nn.functional.one_hot(logits.argmax(1), logits.shape[1]).mT.to(logits.dtype)


def _of_the_first_step(logits, onset):
    note = onset.cumsum(1)
    first = (note[:, :, None] == note[:, None]).to(logits.dtype).argmax(2)  # (N, n)
    return (logits.argmax(1) - 1).gather(1, first)


exercise(
    sound.note_vote,
    cases=lambda: {
        "three phrases": _phrases(),
        "every step a note": (_phrases()[0], torch.ones(3, 9)),
        "no onset": (_phrases()[0][:1], torch.zeros(1, 9)),
    },
    mistakes={
        "look at the steps: each chooses by itself yet; those of one note choose together.": (
            lambda logits, onset: logits.argmax(1) - 1
        ),
        "look at the choices: the first, number 0, is a rest, which is pitch -1.": (
            lambda logits, onset: _voted(logits, onset, rest=0)
        ),
        "look at the vote: add log-probabilities; here each step has one vote for its favourite.": (
            lambda logits, onset: _voted(logits, onset, of=_ballots)
        ),
        "look at the vote: steps are independent, so probabilities multiply: add their logs.": (
            lambda logits, onset: _voted(logits, onset, of=lambda a: a.softmax(1))
        ),
        "look at the softmax: it is over the choices, dimension 1, not over the steps.": (
            lambda logits, onset: _voted(logits, onset, of=lambda a: a.log_softmax(2))
        ),
        "look at the number of a note: count the onsets up to a step with cumsum(1).": (
            lambda logits, onset: _voted(logits, onset, note=lambda a: a)
        ),
        "look at the number of a note: count from the left, over the steps, dimension 1.": (
            lambda logits, onset: _voted(logits, onset, note=lambda a: a.cumsum(0))
        ),
        "look at the number of a note: an onset belongs to the note that it begins.": (
            lambda logits, onset: _voted(logits, onset, note=lambda a: a.cumsum(1) - a)
        ),
        "look at the vote: all steps of a note have a voice, not the first alone.": (
            _of_the_first_step
        ),
    },
    hints=(
        "note = onset.cumsum(1) is the number of the note that each step belongs to.",
        "note[:, :, None] == note[:, None] is true for two steps of one note, (N, n, n).",
        "logits.log_softmax(1) @ together.float() adds the steps of a note, (N, K, n).",
        "Try:  return (logits.log_softmax(1) @ ...).argmax(1) - 1",
    ),
)
