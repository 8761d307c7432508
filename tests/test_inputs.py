"""People's own data: taken as meant, or one sentence.

A bank of odd values goes to every argument of every public function; what is certain is compared
with the same in tensors.
"""

import inspect
import math
import traceback
import warnings
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from aecourse import (
    codecs,
    entropy_coding,
    few_labels,
    information,
    losses,
    models,
    neurons,
    plots,
    pretraining,
    samples,
    scores,
    sequences,
    sound,
    variational,
    widgets,
)

MODULES = (
    codecs,
    entropy_coding,
    few_labels,
    information,
    losses,
    models,
    neurons,
    plots,
    pretraining,
    samples,
    scores,
    sequences,
    sound,
    variational,
    widgets,
)
IMAGES = (1, 4, 4)


@pytest.fixture(autouse=True)
def one_seed_and_no_figure():
    torch.manual_seed(0)
    yield
    plt.close("all")


class Column:
    """What of a pandas column or table counts here: it gives itself as an array."""

    def __init__(self, a):
        self.a = np.asarray(a)

    def to_numpy(self):
        return self.a


# ---- the bank ---------------------------------------------------------------------------------


def spoilt(a, value):
    a = torch.as_tensor(a, dtype=torch.float32).clone()
    a.view(-1)[0] = value
    return a


def array(a):
    return torch.as_tensor(a).detach().numpy()


def bank(good):
    """name -> an odd value in place of a good one, a tensor or a number."""
    a = torch.as_tensor(good)
    return {
        "NumPy": array(a),
        "float64": a.double(),
        "float16": a.half(),
        "int": a.long(),
        "bytes": (255 * a.float()).clamp(0, 255).byte(),
        "NumPy uint16": array(a.abs()).astype(np.uint16),
        "read-only": np.broadcast_to(array(a), a.shape),
        "list": a.tolist(),
        "list of tensors": list(a) if a.ndim else [a],
        "pandas": Column(array(a)),
        "-1 to 1": 2 * a.float() - 1,
        "0 to 255": 255 * a.float(),
        "a gradient": a.float().clone().requires_grad_(),
        "booleans": a > 0.5,
        "transposed": a.mT if a.ndim > 1 else a[None],
        "channels last": a.movedim(1, -1) if a.ndim > 2 else a,
        "one example": a[0] if a.ndim else a,
        "without a channel": a.squeeze(1) if a.ndim > 1 else a,
        "a column": a[..., None],
        "other length": a[:-1] if a.ndim else a + 0.5,
        "one row": a[:1] if a.ndim else a * 0,
        "constant": torch.zeros_like(a),
        "negative": -a,
        "huge": a * 1e9 if a.is_floating_point() or a.ndim else a,  # a count takes memory
        "NaN": spoilt(a, math.nan),
        "infinity": spoilt(a, math.inf),
        "empty": a[:0] if a.ndim else a.new_zeros(0),
        "a number": 0.5,
        "a tuple of two": (a, a),
        "complex": a + 1j,
        "strings": np.full(tuple(a.shape), "cat"),
        "objects": np.full(tuple(a.shape), None),
        "a word": "cat",
        "None": None,
        "ragged": [[1.0, 2.0], [3.0]],
    }


def positive(d):
    a = torch.randn(d, d)
    return a @ a.T + torch.eye(d)


def autoencoder():
    return models.Autoencoder(IMAGES, (8,), 2)


x, z = torch.rand(9, *IMAGES), torch.randn(9, 2)
labels = torch.arange(9) % 3
symbols = torch.randint(-3, 4, (9, 2))
GOOD = {  # of each argument, in any function
    "x": x,
    "x_hat": x.flip(0),
    "logits": torch.randn(9, *IMAGES),
    "z": z,
    "mu": z,
    "logvar": torch.randn(9, 2),
    "eps": torch.randn(9, 2),
    "u": torch.rand(9, *IMAGES),
    "labels": labels,
    "clusters": labels.flip(0),
    "real": torch.rand(9, *IMAGES),
    "drawn": torch.rand(8, *IMAGES),
    "points": torch.rand(9, *IMAGES),
    "by": torch.rand(8, *IMAGES),
    "symbols": symbols,
    "codes": z,
    "odd": torch.arange(9) % 2,
    "alarm": (torch.arange(9) % 3 == 0).long(),
    "score": torch.randn(9),
    "e": torch.randn(9, 2),
    "normal": torch.randn(9, 2),
    "w": torch.randn(2, 3),
    "axes": torch.randn(2, 3),
    "values": torch.rand(3, 2),
    "cov": positive(3),
    "weight": torch.randn(2, 16),
    "decoder_weight": torch.randn(16, 2),
    "logscale": torch.zeros(2),
    "log_w": torch.randn(9, 5),
    "noise": torch.randn(4, 3),
    "a": torch.randn(9),
    "b": torch.randn(9),
    "s": positive(3),
    "mean": torch.randn(3),
    "other_mean": torch.randn(3),
    "other_cov": positive(3),
    "t": torch.arange(5.0),
    "y": torch.randn(5, 3),
    "v": torch.rand(9, 3),
    "c": torch.randn(3),
    "f": torch.randn(9),
    "pitch": torch.full((9, 48), 7.0),
    "onset": (torch.rand(9, 48) > 0.5).float(),
    "d": 2,
    "k": 2,
    "n": 3,
    "per_class": 2,
    "size": 4,
    "step": 1,
    "sigma": 0.5,
    "scale": 0.5,
    "eta": 0.1,
    "beta": 2.0,
    "lam": 0.1,
    "rho": 0.1,
    "p": 0.3,
    "ridge": 0.001,
    "strength": 0.5,
    "threshold": 0.01,
    "block": 10,
    "pixels": 16,
    "frequency": 440.0,
    "seconds": 0.2,
    "bar": 1.2,
    "rate": 11025,
}
OWN = {  # where an argument is something else in one function
    "sanger": {"x": torch.randn(9, 3)},
    "hebb": {"x": torch.randn(9, 3)},
    "oja": {"x": torch.randn(9, 3)},
    "subspace": {"x": torch.randn(9, 3)},
    "minor": {"x": torch.randn(9, 3)},
    "activity_kl": {"z": torch.rand(9, 2)},
    "contractive": {"z": torch.rand(9, 2)},
    "best_decoder": {"w": torch.randn(2, 3)},
    "bound": {"a": torch.randn(3, 2)},
    "score_function_gradient": {"mu": torch.randn(2), "logvar": torch.randn(2)},
    "cd1": {"w": torch.randn(2, 3), "b": torch.randn(2), "u": torch.rand(9, 2)},
    "windows": {"x": torch.randn(30, 2)},
    "forced": {"x": torch.randn(9, 6, 2)},
    "teacher_forced": {"x": torch.randn(9, 6, 2)},
    "cross_entropy": {"x": torch.cat([torch.rand(9, 2, 2, 4), torch.ones(9, 2, 2, 1)], 3)},
    "contrastive_divergence": {"v": x},
    "level_loss": {"x": x},
    "notes": {"pitch": GOOD["pitch"][0], "onset": GOOD["onset"][0]},
    "synthesize": {"pitch": GOOD["pitch"][0], "onset": GOOD["onset"][0]},
    "note_vote": {"logits": torch.randn(9, 26, 48)},
    "diagram": {"x": x[:1], "z": z[:1], "x_hat": x[:1]},
}
THINGS = {  # what is no data: of these nothing odd is tried
    "model": autoencoder,
    "level": lambda: pretraining.levels(autoencoder())[0],
    "rbm": lambda: pretraining.RBM(IMAGES, 2),
    "decode": lambda: autoencoder().decode,
    "tables": lambda: entropy_coding.histograms(symbols),
    "stream": lambda: entropy_coding.compress(symbols, entropy_coding.histograms(symbols)),
    "kind": lambda: "PNG",
    "corrupt": lambda: lambda x: x,
    "record": lambda: {"epoch": [1.0], "seconds": [1.0], "loss": [1.0], "r": [1.0]},
    "sizes": lambda: (4, 3, 2),
    "gap": lambda: 2,
    "rows": lambda: ("a", "b", "c"),
    "columns": lambda: ("a", "b"),
}
THINGS_OWN = {
    "forced": lambda: sequences.SequenceAutoencoder((6, 2), 3),
    "teacher_forced": lambda: sequences.SequenceAutoencoder((6, 2), 3),
    "cross_entropy": lambda: few_labels.Classifiers(2, 2, (4, 3, 2)),
    "negative_elbo": lambda: models.VAE(IMAGES, (8,), 2),
    "log_weights": lambda: models.VAE(IMAGES, (8,), 2),
    "log_likelihood": lambda: models.VAE(IMAGES, (8,), 2),
    "rate_distortion": lambda: codecs.Codec(IMAGES, (8,), 2),
    "pretrain_rbm": lambda: models.Autoencoder(IMAGES, (8,), 2, torch.nn.Sigmoid),
}
LEFT_OUT = {
    "bundle": "writes a figure, no data",
    "show": "writes a figure, no data",
    "history": "the record of a training, see test_training",
    "mlp": "builds layers",
    "l1": "of a model",
    "l2": "of a model",
    "levels": "of a model",
    "decompress": "of bytes, see test_codecs",
    "play": "as synthesize",
    "player": "as piano_roll, a figure, see test_sound",
    "wav": "of samples, see test_sound",
    "webp": "of a picture of PIL",
    **dict.fromkeys(
        ("ranges", "drawn", "still", "one_code", "map_sliders"), "parts of figures, see test_live"
    ),
}


def functions():
    for module in MODULES:
        for name, f in vars(module).items():
            ours = inspect.isfunction(f) and f.__module__ == module.__name__
            if ours and not name.startswith("_") and name not in LEFT_OUT:
                yield name, f


def arguments(name, f):
    """A good value of each argument that a function needs, and the names of those that are data."""
    given, data = {}, []
    if name in ("mosaic", "images"):  # of rows
        return {"x": x}, ["x"]
    for argument, parameter in inspect.signature(f).parameters.items():
        if argument in ("model", "level", "rbm"):
            given[argument] = THINGS_OWN.get(name, THINGS[argument])()
        elif argument in GOOD and (
            parameter.default is parameter.empty or argument in ("labels", "k", "beta", "step")
        ):
            given[argument] = OWN.get(name, {}).get(argument, GOOD[argument])
            data.append(argument)
        elif parameter.default is parameter.empty and parameter.kind == 1:
            given[argument] = THINGS[argument]()
    return given, data


def call(name, f, given):
    if name in ("mosaic", "images"):
        return f(given["x"])
    if name.startswith("pretrain"):
        return f(**given, epochs=1)
    return f(**given)


def is_sensible(result):
    """No NaN and no infinity anywhere in a result."""
    if isinstance(result, dict):
        return all(map(is_sensible, result.values()))
    if isinstance(result, list | tuple):
        return all(map(is_sensible, result))
    if isinstance(result, torch.Tensor):
        return bool(result.isfinite().all())
    if isinstance(result, float):
        return math.isfinite(result)
    return not isinstance(result, np.ndarray) or bool(np.isfinite(result).all())


def verdict(name, f, given):
    """ "taken", "told" in a sentence of ours, "internal" for other errors, "NaN"."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call(name, f, given)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1].filename
        ours = "aecourse" in Path(last).parts and isinstance(error, ValueError | TypeError)
        plain = "\n" not in str(error) and str(error).endswith(".")
        return "told" if ours and plain else f"internal, {type(error).__name__}: {error}"
    finally:
        plt.close("all")
    return "taken" if is_sensible(result) else "NaN"


FROM_A_MODEL = {  # what a diverging model makes is NaN or infinite, and comes out as such
    f"{argument} of aecourse.{module}"
    for module in ("losses", "codecs")
    for argument in ("x_hat", "logits", "mu", "logvar", "z", "eps")
} - {"x_hat of aecourse.codecs"} | {"logvar of aecourse.variational"}
FROM_A_MODEL |= {"w of aecourse.neurons", "eta of aecourse.neurons"}  # a rule that runs away
NAMES = {name: f for name, f in functions()}


@pytest.mark.parametrize("name", NAMES)
def test_good_values_are_taken(name):
    given, _ = arguments(name, NAMES[name])
    assert verdict(name, NAMES[name], given) == "taken"


COUNTS = Counter()


@pytest.mark.parametrize("name", NAMES)
def test_odd_values_are_taken_or_told_in_one_sentence(name):
    f, bad = NAMES[name], {}
    _, data = arguments(name, f)
    for argument in data:
        good = arguments(name, f)[0][argument]
        for word, odd in bank(good).items():
            came = verdict(name, f, arguments(name, f)[0] | {argument: odd})
            COUNTS[came.split(",")[0]] += 1
            passed = came == "NaN" and f"{argument} of {f.__module__}" in FROM_A_MODEL
            if came not in ("taken", "told") and not passed:
                bad[argument, word] = came
    assert not bad, f"{len(bad)}: " + "; ".join(f"{k}: {v}"[:200] for k, v in bad.items())


def test_the_counts():
    print(dict(COUNTS))
    assert COUNTS["told"] > COUNTS["taken"] / 3  # the bank is odd
