"""Sound, against what physics says of it: frequencies, lengths, silence; no clicks, no clipping."""

import io
import wave

import numpy as np
import pytest
import torch

from aecourse import data, sound
from aecourse.sound import RATE, notes, play, synthesize, tone

STEP = 0.05  # seconds, with 1.2 a bar


def frequency_of(samples, rate=RATE):
    """The place of the highest peak of the spectrum in Hz, by a parabola through its three bins."""
    size = np.log(np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples))) + 1e-12)
    k = int(size.argmax())
    left, middle, right = size[k - 1 : k + 2]
    shift = (left - right) / (left - 2 * middle + right) / 2
    return (k + shift) * rate / (8 * len(samples))


def melody(*parts):
    """pitch and onset of notes (pitch, steps)."""
    pitch = np.concatenate([np.full(steps, semitone) for semitone, steps in parts])
    onset = np.concatenate([np.arange(steps) == 0 for _, steps in parts]) & (pitch >= 0)
    return pitch, onset.astype(float)


@pytest.mark.parametrize("rate", [RATE, 22_050])
@pytest.mark.parametrize("frequency", [55.0, 196.0, 440.0, 784.0])
def test_a_tone_has_its_frequency_and_its_length(frequency, rate):
    samples = tone(frequency, 0.7, rate)
    assert samples.shape == (round(0.7 * rate),)
    assert frequency_of(samples, rate) == pytest.approx(frequency, rel=2e-3)


def test_a_tone_has_six_partials_which_fade_the_high_ones_first():
    parts = tone(200.0, 1.0)[RATE // 5 :].reshape(4, -1)[:2]  # two fifths of a second
    early, late = np.abs(np.fft.rfft(parts * np.hanning(parts.shape[1])))  # bins of 5 Hz
    partials = np.arange(40, 241, 40)
    for part in (early, late):
        assert (np.diff(part[partials]) < 0).all()
        assert part[270:290].max() < 0.001 * part[40]  # no seventh
    assert late[partials] / early[partials] == pytest.approx(np.exp(-0.4 * np.arange(1, 7)), 0.02)


@pytest.mark.parametrize("seconds", [0.004, 0.05, 0.3])
@pytest.mark.parametrize("frequency", [196.0, 784.0])
def test_a_tone_begins_and_ends_at_nothing_and_does_not_clip(frequency, seconds):
    samples = tone(frequency, seconds)
    assert samples[0] == 0 and abs(samples[-1]) < 0.02
    assert 0.01 < np.abs(samples).max() < 0.9


@pytest.mark.parametrize("semitone", [0, 7, 19, 24])
def test_pitch_7_is_a_d_and_12_semitones_are_an_octave(semitone):
    samples = synthesize(*melody((semitone, 24)))
    assert frequency_of(samples) == pytest.approx(293.665 * 2 ** ((semitone - 7) / 12), rel=2e-3)


def test_a_melody_lasts_as_long_as_its_steps_and_is_silent_in_rests():
    pitch, onset = melody((7, 12), (-1, 12), (19, 6), (-1, 6), (9, 12))
    samples = synthesize(pitch, onset)
    assert len(samples) == round(48 * STEP * RATE)
    at = (np.arange(len(samples)) / RATE / STEP).astype(int)  # the step of each sample
    for step in range(48):
        loud = np.abs(samples[at == step]).max()
        assert (loud > 0.01) if pitch[step] >= 0 else (loud < 1e-3), step
    assert len(synthesize(pitch, onset, bar=2.0, rate=8000)) == 48 / 24 * 2 * 8000


def test_notes_start_at_onsets_and_where_the_pitch_changes():
    pitch = [7, 7, 7, 9, 9, -1, -1, 9, 9, 9]
    onset = [1, 0, 1, 0, 0, 0, 0, 0, 1, 0]
    assert notes(pitch, onset) == [(0, 2, 7), (2, 1, 7), (3, 2, 9), (7, 1, 9), (8, 2, 9)]
    assert notes([7, 7, 7], [0.9, 0.4, 0.6]) == [(0, 2, 7), (2, 1, 7)]  # probabilities
    assert notes([-1, -1], [0, 0]) == []
    assert notes(torch.tensor([-1, 5]), torch.tensor([0.0, 0.0])) == [(1, 1, 5)]


def test_two_onsets_are_heard_as_two_notes():
    """The loudness falls to nothing between them."""
    one, two = (synthesize(*melody(*parts)) for parts in ([(7, 12)], [(7, 6), (7, 6)]))
    between = round(6 * STEP * RATE)
    near = slice(between - 20, between + 20)
    assert np.abs(two[near]).max() < 0.1 < np.abs(one[near]).max()


def test_notes_on_the_beat_are_louder():
    samples = synthesize(*melody(*[(7, 6)] * 8))
    loud = [np.abs(part).max() for part in np.array_split(samples, 8)]
    assert loud[::2] == pytest.approx([4 / 3 * v for v in loud[1::2]], rel=0.02)


def test_no_phrase_of_the_data_clicks_or_clips():
    """A click is a jump between two samples that no sum of the partials makes by itself."""
    tunes = data.load("tunes", n=40)
    for pitch, onset in tunes.x:
        samples = synthesize(pitch, onset)
        highest = sound.D4 * 2 ** ((pitch.max().item() - 7) / 12)
        slope = 2 * np.pi * highest * sum(0.6 / k for k in range(1, 7)) / RATE
        assert np.abs(np.diff(samples, prepend=0, append=0)).max() < slope + 0.6 / (0.005 * RATE)
        assert 0.1 < np.abs(samples).max() < 1
        for start, _, _ in notes(pitch, onset)[1:]:
            at = round(start * STEP * RATE)
            assert np.abs(samples[at - 3 : at + 3]).max() < 0.12  # notes meet in silence


def test_a_player_holds_the_samples_as_16_bits_and_an_element_that_needs_no_trust():
    pitch, onset = (torch.tensor(np.array(a)) for a in melody((7, 12), (9, 12), (11, 24)))
    player = play(pitch.view(2, 24), onset.view(2, 24))
    with wave.open(io.BytesIO(player.data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        stored = np.frombuffer(file.readframes(10**6), "<i2") / 32767
    assert np.abs(stored - synthesize(pitch, onset)).max() < 1e-4  # not made louder
    assert player._repr_html_().startswith('<audio controls src="data:audio/wav;base64,UklGR')


BAD = {
    "frequency = 0": lambda: tone(0, 1),
    "frequency = -3": lambda: tone(-3, 1),
    "frequency = 2000": lambda: tone(2000, 1),
    "frequency = nan": lambda: tone(np.nan, 1),
    "seconds = 0": lambda: tone(440, 0),
    "seconds = nan": lambda: tone(440, np.nan),
    "seconds = inf": lambda: tone(440, np.inf),
    "bar = 0": lambda: synthesize([7], [1], bar=0),
    "bar = nan": lambda: synthesize([7], [1], bar=np.nan),
    "must be (n,), the same n": lambda: synthesize([7, 7], [1]),
    "(2, 1)": lambda: synthesize([[7], [7]], [[1], [1]]),
    "(0,)": lambda: synthesize([], []),
    "must be finite numbers": lambda: synthesize([7, np.nan], [1, 0]),
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_gets_one_sentence(words):
    with pytest.raises(ValueError) as error:
        BAD[words]()
    assert words in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).endswith(".")
