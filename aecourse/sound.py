"""Sound: a melody as numbers becomes samples that a loudspeaker can play.

A melody has 24 steps a bar. `pitch` is the semitone that sounds at each step, 7 for a D4 (the tonic
of our tunes) and -1 for a rest; `onset` is 1 where a note starts. See data/README.md, tunes.npz.
"""

from itertools import pairwise

import numpy as np
from IPython.display import Audio

from aecourse.inputs import array
from aecourse.letters import count, single
from aecourse.shapes import guard

RATE = 11_025  # samples a second: enough for the six partials of the highest note, and small
STEPS = 24  # a bar
D4 = 293.665  # Hz, pitch 7


def tone(frequency, seconds, rate=RATE):
    """A plucked string: samples (n,) in [-1, 1] of a note that begins and ends at 0.

    Six partials k = 1..6 of k times the frequency (Hz) with loudness 0.6 / k^2, which fade by
    exp(-2 k t), high ones first; 5 milliseconds of attack and 30 of release, so that it does not
    click. Raises ValueError when the partials do not fit into rate / 2 or there are no seconds.
    """
    if not 0 < 6 * frequency < rate / 2:
        raise ValueError(f"frequency = {frequency}: it must lie between 0 and {rate / 12:.0f} Hz.")
    if not 0 < seconds < 3600:
        raise ValueError(f"seconds = {seconds}: a note must last for some time, below an hour.")
    frequency, seconds = float(frequency), float(seconds)
    t = np.arange(round(seconds * rate)) / rate  # (n,)
    wave = sum(
        0.6 / k**2 * np.exp(-2 * k * t) * np.sin(2 * np.pi * k * frequency * t) for k in range(1, 7)
    )
    return wave * np.minimum(t / 0.005, (seconds - t) / 0.03).clip(0, 1)


def notes(pitch, onset):
    """[(first step, steps, pitch), ...] of a melody, pitch and onset (n,) each; rests left out.

    A note starts at an onset or where the pitch changes, and lasts until the next one or a rest.
    Raises ValueError for melodies of another shape, empty ones, and numbers that are not finite.
    """
    if pitch.ndim != 1 or pitch.shape != onset.shape or not len(pitch):
        raise ValueError(f"pitch {pitch.shape} and onset {onset.shape} must be (n,), the same n.")
    if not (np.abs(pitch).max() < 1000 and np.isfinite(onset).all()):
        raise ValueError("pitch and onset must be finite numbers, semitones, a rest is -1.")
    new = (onset > 0.5) | (np.diff(pitch, prepend=-1) != 0)
    starts = [*np.flatnonzero(new).tolist(), len(pitch)]
    return [(a, b - a, pitch[a].item()) for a, b in pairwise(starts) if pitch[a] >= 0]


def synthesize(pitch, onset, bar=1.2, rate=RATE):
    """Samples in [-1, 1] of a melody, pitch and onset (n,) each; a bar of 24 steps lasts `bar` s.

    1.2 seconds a bar are 100 beats a minute, two a bar: a jig or a reel at an easy pace. Notes on
    the beat are a third louder than the others, as dancers need it.
    """
    if not 0 < bar < np.inf:
        raise ValueError(f"bar = {bar}: the seconds of a bar must be positive.")
    melody, step = notes(pitch, onset), bar / STEPS
    samples = np.zeros(round(len(pitch) * step * rate))
    for start, length, semitone in melody:
        first, last = round(start * step * rate), round((start + length) * step * rate)
        sound = tone(D4 * 2 ** ((semitone - 7) / 12), (last - first) / rate, rate)
        samples[first:last] = sound * (1 if start % (STEPS // 2) == 0 else 0.75)
    return samples


class Player(Audio):
    """IPython's Audio as <audio src>: of a notebook that is not trusted yet JupyterLab shows that,
    but not the <source> which IPython writes."""

    def _repr_html_(self):
        return f'<audio controls src="{self.src_attr()}"></audio>'


def play(pitch, onset, bar=1.2):
    """A player of melodies, pitch and onset (N, n) each, one after the other. See `synthesize`."""
    samples = synthesize(np.ravel(pitch), np.ravel(onset), bar)
    return Player(samples, rate=RATE, normalize=False)


guard(globals(), pitch=array, onset=array, frequency=single, seconds=single, bar=single, rate=count)
