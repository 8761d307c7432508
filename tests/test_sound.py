"""Sound, against what physics says of it: frequencies, lengths, silence; no clicks, no clipping."""

import base64
import json
import re
import struct
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.distributions import Categorical

from aecourse import data, sound
from aecourse.sound import RATE, note_vote, notes, play, player, synthesize, tone, wav

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
    assert late[partials] / early[partials] == pytest.approx(np.exp(-0.8 * np.arange(1, 7)), 0.02)


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
        slope = 2 * np.pi * highest * 0.4 * 6 / RATE  # all partials at once
        assert np.abs(np.diff(samples, prepend=0, append=0)).max() < slope + 0.4 * 2 / (
            0.003 * RATE
        )
        assert 0.1 < np.abs(samples).max() < 1
        for start, _, _ in notes(pitch, onset)[1:]:
            at = round(start * STEP * RATE)
            assert np.abs(samples[at - 3 : at + 3]).max() < 0.12  # notes meet in silence


def decoded(file):
    """The samples of a mu-law WAV file, by the table of G.711 from sign, octave and step."""
    assert file[:4] == b"RIFF" and file[8:16] == b"WAVEfmt "
    assert int.from_bytes(file[4:8], "little") == len(file) - 8
    kind, channels, rate = struct.unpack("<HHI", file[20:28])
    assert (kind, channels, rate) == (7, 1, RATE)
    at = file.index(b"data")
    n = int.from_bytes(file[at + 4 : at + 8], "little")
    code = 255 - np.frombuffer(file[at + 8 : at + 8 + n], np.uint8).astype(int)
    size = ((code & 15) * 2 + 33) * 2.0 ** (2 + (code >> 4 & 7)) - 132
    return np.where(code & 128, -size, size) / 32768


def test_a_file_keeps_a_sound_at_every_loudness():
    for loud in (0.9, 0.1, 0.01):
        samples = loud * np.sin(np.arange(5001) / 7)
        error = decoded(wav(samples)) - samples
        assert np.sqrt((error**2).mean()) < 0.02 * loud
    assert np.abs(decoded(wav(np.array([-1.0, 1.0, 0.0]))) - [-1, 1, 0]).max() < 0.03


def test_a_player_holds_the_samples_and_an_element_that_needs_no_trust():
    pitch, onset = (torch.tensor(np.array(a)) for a in melody((7, 12), (9, 12), (11, 24)))
    player = play(pitch, onset)
    assert np.abs(decoded(player.data) - synthesize(pitch, onset)).max() < 0.02  # not made louder
    assert player._repr_html_().startswith('<audio controls src="data:audio/wav;base64,UklGR')


def test_between_two_phrases_there_is_half_a_beat_of_silence():
    pitch, onset = (torch.tensor(np.array(a)) for a in melody((7, 24), (9, 24)))
    samples = decoded(play(pitch.view(2, 24), onset.view(2, 24)).data)
    assert len(samples) == round(54 * STEP * RATE)
    silent = samples[round(24 * STEP * RATE) : round(30 * STEP * RATE)]
    assert np.abs(silent).max() == 0 and len(silent) == round(0.3 * RATE)
    assert np.abs(samples[round(30 * STEP * RATE) :][:500]).max() > 0.1


def test_a_figure_with_players_has_a_roll_and_a_name_for_each_and_a_twin_that_sounds():
    tunes = data.load("tunes", n=3)
    pitch, onset = tunes.x[:, 0], tunes.x[:, 1]
    bundle = player(pitch, onset, ["a", "<b>", "c"])._repr_mimebundle_()
    page = bundle["text/html"]
    assert bundle["text/plain"].endswith("a, <b>, c.") and "<b>" not in page
    (address,) = re.findall(r'<audio controls src="data:audio/wav;base64,([^"]+)"', page)
    assert base64.b64decode(address) == play(pitch, onset).data
    spec = json.loads(re.search(r"spec = (.*);\n", page)[1])
    assert spec["labels"] == ["a", "<b>", "c"] and len(spec["rolls"]) == 3
    assert (spec["length"], spec["gap"]) == pytest.approx((2.4, 0.3))
    with pytest.raises(ValueError, match="2 names for 3 melodies: one each"):
        player(pitch, onset, "ab")


def test_the_steps_of_a_note_choose_its_pitch_together():
    """Against the mode of the product of the steps' distributions."""
    torch.manual_seed(0)
    logits, onset = torch.randn(20, 5, 12), (torch.rand(20, 12) < 0.3).float()
    pitch = note_vote(logits, onset)
    for row, starts, chosen in zip(logits, onset, pitch, strict=True):
        cuts = [0, *(1 + starts[1:].nonzero()[:, 0]).tolist(), 12]
        for a, b in pairwise(cuts):
            product = Categorical(logits=row[:, a:b].T).probs.double().prod(0)
            assert (chosen[a:b] == product.argmax() - 1).all()
    assert (note_vote(logits, torch.ones(20, 12)) == logits.argmax(1) - 1).all()
    shifted = note_vote(logits + 7 * torch.randn(20, 1, 12), onset)
    assert (shifted == pitch).all()  # a step has no louder voice for larger logits


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
