"""Sound: a melody as numbers becomes samples that a loudspeaker can play, and a picture.

A melody has 24 steps a bar. `pitch` is the semitone that sounds at each step, 7 for a D4 (the tonic
of our tunes) and -1 for a rest; `onset` is 1 where a note starts. See data/README.md, tunes.npz.
"""

from itertools import pairwise

import numpy as np
import torch
from IPython.display import Audio
from PIL import Image, ImageDraw, ImageFont

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


def piano_roll(pitch, onset):
    """Melodies as pictures (N, 3, 252, 732) in [0, 1]: pitch, onset (N, 48), see data/README.md.

    Time goes to the right, 24 steps a bar, a line at each beat; pitch goes up, a semitone a row,
    with names for a tonic of D. Each note is a blue bar with a dark edge where it starts.
    """
    if pitch.shape != onset.shape or pitch.ndim != 2 or pitch.shape[1] != 48 or not len(pitch):
        raise ValueError(f"pitch {pitch.shape} and onset {onset.shape} must be (N, 48) each.")
    left, step, row = 54, 14, 9  # pixels
    sheet = Image.new("RGB", (left + 48 * step + 6, 25 * row + 27), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(19)
    for semitone, name in [(0, "G3"), (7, "D4"), (14, "A4"), (19, "D5")]:
        y = (24.5 - semitone) * row
        draw.line((left, y, sheet.width, y), "#c8c8c8")
        draw.text((left - 8, y), name, "black", font, anchor="rm")
    for beat, name in enumerate(["bar 1", "beat 2", "bar 2", "beat 2", ""]):
        x = left + 12 * step * beat
        draw.line((x, 0, x, 25 * row), "#8a8a8a", 1 if beat % 2 else 3)
        draw.text((x + 4, 25 * row + 2), name, "black", font)
    rolls = []
    for melody, starts in zip(pitch.tolist(), onset.tolist(), strict=True):
        draw = ImageDraw.Draw(roll := sheet.copy())
        for k, (semitone, start) in enumerate(zip(melody, starts, strict=True)):
            x, y = left + k * step, (24 - semitone) * row
            if semitone >= 0:
                draw.rectangle((x, y, x + step - 1, y + row - 1), "#56b4e9")
            if semitone >= 0 and start > 0.5:
                draw.rectangle((x, y - 2, x + 4, y + row + 1), "#00304f")
        rolls.append(torch.from_numpy(np.array(roll)).permute(2, 0, 1) / 255)
    return torch.stack(rolls)


guard(globals(), pitch=array, onset=array, frequency=single, seconds=single, bar=single, rate=count)
