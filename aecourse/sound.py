"""Sound: a melody as numbers becomes samples that a loudspeaker can play, and a picture.

A melody has 24 steps a bar. `pitch` is the semitone that sounds at each step, 7 for a D4 (the tonic
of our tunes) and -1 for a rest; `onset` is 1 where a note starts. See data/README.md, tunes.npz.
"""

import struct
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Audio
from PIL import Image, ImageDraw, ImageFont

from aecourse import plots
from aecourse.inputs import array
from aecourse.letters import count, single
from aecourse.live import page
from aecourse.shapes import guard

RATE = 11_025  # samples a second: enough for the six partials of the highest note, and small
STEPS = 24  # a bar
GAP = 6  # steps of silence between two phrases: half a beat
D4 = 293.665  # Hz, pitch 7
MAJOR = (0, 2, 4, 5, 7, 9, 11)  # semitones above the tonic
LEFT, STEP = 54, 14  # pixels of a roll: where it begins, and of a step


def tone(frequency, seconds, rate=RATE):
    """A plucked string: samples (n,) in [-1, 1] of a note that begins and ends at 0.

    Six partials k = 1..6 of k times the frequency (Hz) with loudness 0.4 / k, which fade by
    exp(-4 k t), high ones first: bright at the pluck, mellow after it; 3 milliseconds of attack and
    20 of release, so that it does not click. Raises ValueError when the partials do not fit into
    rate / 2 or there are no seconds.
    """
    if not 0 < 6 * frequency < rate / 2:
        raise ValueError(f"frequency = {frequency}: it must lie between 0 and {rate / 12:.0f} Hz.")
    if not 0 < seconds < 3600:
        raise ValueError(f"seconds = {seconds}: a note must last for some time, below an hour.")
    frequency, seconds = float(frequency), float(seconds)
    t = np.arange(round(seconds * rate)) / rate  # (n,)
    wave = sum(
        0.4 / k * np.exp(-4 * k * t) * np.sin(2 * np.pi * k * frequency * t) for k in range(1, 7)
    )
    return wave * np.minimum(t / 0.003, (seconds - t) / 0.02).clip(0, 1)


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


def wav(samples, rate=RATE):
    """Samples in [-1, 1] as the bytes of a WAV file of 8-bit mu-law, a half of the usual size: its
    steps grow with loudness, so that a sound that fades keeps its shape (ITU-T G.711)."""
    size = np.minimum(np.abs(samples) * 32767, 32635).astype(int) + 132
    octave = np.log2(size).astype(int) - 7  # 0 to 7
    code = octave << 4 | (size >> (octave + 3)) & 15 | np.where(samples < 0, 128, 0)
    n, form = len(samples), struct.pack("<HHIIHHH", 7, 1, rate, rate, 1, 8, 0)
    head = b"WAVEfmt " + struct.pack("<I", 18) + form + b"fact" + struct.pack("<II", 4, n)
    body = head + b"data" + struct.pack("<I", n) + (255 - code).astype(np.uint8).tobytes()
    return b"RIFF" + struct.pack("<I", len(body) + n % 2) + body + b"\0" * (n % 2)


class Player(Audio):
    """IPython's Audio as <audio src>: of a notebook that is not trusted yet JupyterLab shows that,
    but not the <source> which IPython writes."""

    def _repr_html_(self):
        return f'<audio controls src="{self.src_attr()}"></audio>'


def play(pitch, onset, bar=1.2):
    """A player of melodies, pitch and onset (N, n) each, one after the other, with half a beat of
    silence between them. See `synthesize`."""
    melodies = zip(np.atleast_2d(pitch), np.atleast_2d(onset), strict=True)
    pause, samples = np.zeros(round(GAP * bar / STEPS * RATE)), []
    for melody in melodies:
        samples += [pause, synthesize(*melody, bar)]
    return Player(wav(np.concatenate(samples[1:])))


def player(pitch, onset, names, bar=1.2):
    """A figure of the page: melodies as piano rolls, labelled, and a line that runs over the one
    that sounds; touch a roll to hear it from there. pitch, onset (N, 48); names, N words."""
    names, rolls = list(map(str, names)), piano_roll(pitch, onset)
    if len(names) != len(rolls):
        raise ValueError(f"There are {len(names)} names for {len(rolls)} melodies: one each.")
    alt = f"Piano rolls of {len(names)} phrases, bars over time: {', '.join(names)}."
    pages = [rolls[k : k + 2] for k in range(0, len(rolls), 2)]
    ax = plots.images(*pages, ax=plt.subplots(figsize=(11, 2.1 * len(pages)))[1])
    for k, name in enumerate(names):
        place = (k % 2 * (rolls.shape[3] + 2) + 60, k // 2 * (rolls.shape[2] + 2) + 6)
        ax.text(*place, name, va="top", weight="bold")
    still, sound = plots.bundle(ax, alt), play(pitch, onset, bar)
    still["text/html"] += f"<br>{sound._repr_html_()}"
    urls = [plots.webp(Image.fromarray(plots.mosaic(roll[None]))) for roll in rolls]
    spec = {"labels": names, "rolls": urls, "steps": 48, "length": 48 * bar / STEPS}
    spec |= {"gap": GAP * bar / STEPS, "left": LEFT, "right": LEFT + 48 * STEP}
    return page("player", still, "fewer phrases make it smaller", **spec)


def note_vote(logits, onset):
    """The pitch of each step (N, n), -1 for a rest, if all steps of a note choose it together.

    logits  (N, K, n), of the K choices at each step: a rest, then the pitches from 0
    onset   (N, n), 1 where a note starts; it lasts until the next one. What comes before the first
            onset votes together, too
    A note takes the choice whose log-probabilities, summed over its steps, are the largest.
    """
    note = onset.cumsum(1)  # (N, n), the number of the note that a step belongs to
    together = (note[:, :, None] == note[:, None]).to(logits.dtype)  # (N, n, n), 1 in one note
    return (logits.log_softmax(1) @ together).argmax(1) - 1


def facts(pitch, onset):
    """What melodies are like, pitch and onset (N, n) each, in three numbers: the share of sounding
    steps in the major scale, the share of notes that repeat the one before, and the mean number of
    distinct pitches. Raises ValueError where there are not two notes."""
    if pitch.shape != onset.shape or pitch.ndim != 2:
        raise ValueError(f"pitch {pitch.shape} and onset {onset.shape} must be (N, n) each.")
    starts = [row[(on > 0.5) & (row >= 0)] for row, on in zip(pitch, onset, strict=True)]
    again = np.concatenate([row[1:] == row[:-1] for row in starts] or [[]])
    if not again.size:
        raise ValueError("No melody has two notes: there is nothing to compare.")
    distinct = np.mean([len(np.unique(row)) for row in starts])
    return np.isin((pitch[pitch >= 0] - 7) % 12, MAJOR).mean(), again.mean(), distinct


def piano_roll(pitch, onset):
    """Melodies as pictures (N, 3, 252, 732) in [0, 1]: pitch, onset (N, 48), see data/README.md.

    Time goes to the right, 24 steps a bar, a line at each beat; pitch goes up, a semitone a row,
    with names for a tonic of D. Each note is a blue bar with a dark edge where it starts.
    """
    if pitch.shape != onset.shape or pitch.ndim != 2 or pitch.shape[1] != 48 or not len(pitch):
        raise ValueError(f"pitch {pitch.shape} and onset {onset.shape} must be (N, 48) each.")
    left, step, row = LEFT, STEP, 9  # pixels
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


guard(
    globals(),
    pitch=array,
    onset=array,
    frequency=single,
    seconds=single,
    bar=single,
    rate=count,
    note_vote={"logits": "N K n", "onset": "N n"},
)
