"""The data of the course as tensors: bundled files, and torchvision's for those who are online.

`load(name)` is the only door. Where the bundled files come from, and on what terms they may be
used, is told in data/README.md.
"""

import hashlib
import io
import socket
import tempfile
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from aecourse.letters import whole
from aecourse.shapes import guard

FOLDER = Path(__file__).resolve().parents[1] / "data"
BUNDLED = ("mnist", "fashion", "faces", "tunes", "ecg", "bleeding", "motions")
ONLINE = ("FashionMNIST", "KMNIST", "EMNIST")
WHOLE = ("fashion", "faces", "tunes", "ecg")  # the others come as train and test
FASHION = ("T-shirt/top", "trouser", "pullover", "dress", "coat")
FASHION += ("sandal", "shirt", "sneaker", "bag", "ankle boot")
PATIENCE = 20  # seconds without a byte from a server, after which a download is given up


class Dataset(NamedTuple):
    """What `load` returns: N examples, and what is known about each."""

    x: torch.Tensor  # float32 (N, *shape)
    labels: torch.Tensor | None  # int64 (N,), the class of each row; bleeding: of each point
    names: tuple  # names[k] is what class k is called; () where classes have no names
    groups: torch.Tensor | None  # int64 (N,), the person or tune that a row is from


def load(name, split=None, n=None, seed=0):
    """A data set as a `Dataset(x, labels, names, groups)`.

    name      split   x                values of x                      labels; groups
    mnist     train   (60000,1,28,28)  grey in [0, 1], 1 is ink         the digit
              test    (10000,1,28,28)
    fashion   all     (10000,1,28,28)  grey in [0, 1], sorted by class  the garment
    faces     all     (400,1,64,64)    grey in [0, 1], ten of each      the person, 0-39; the same
    tunes     all     (5912,2,48)      x[:, 0] pitch in semitones: 7 a  the dance; the tune, 0-930
                                       tonic, -1 rest; x[:, 1] onset,
                                       1 where a note starts, else 0
    ecg       all     (1,108000)       millivolts, 360 a second         none
    bleeding  train   (1,1200)         arterial blood pressure, unit    none: all is normal
              test    (1,7501)         not stated                       (7501,), 1 is an anomaly
    motions   train   (40,100,6)       wrist, 10 a second: 3 of         the activity
              test    (40,100,6)       acceleration, 3 of rotation

    FashionMNIST, KMNIST, EMNIST: train, test; (N,1,28,28) in [0, 1], downloaded once by torchvision
    to data/torchvision. EMNIST is its "balanced" part (47 digits and letters), turned upright.

    split  None takes the first one.
    n      a random n of the rows, the same ones for the same seed; None takes all, in their order.
           A recording (ecg, bleeding) is one row and takes no n.
    Where rows belong to groups, split by these: one person on both sides of a split is a leak.

    Raises ValueError for an unknown name or split, an impossible n, a damaged file (the SHA-256 is
    verified at each load); FileNotFoundError for a missing one; ConnectionError for a failed
    download, which leaves nothing behind. Sources, terms and citations: data/README.md.
    """
    if name not in BUNDLED + ONLINE:
        known = ", ".join(BUNDLED + ONLINE)
        raise ValueError(f"There is no data set {name!r}: choose one of {known}.")
    splits = ("all",) if name in WHOLE else ("train", "test")
    if split not in (None, *splits):
        raise ValueError(f"{name} has no split {split!r}: choose {' or '.join(splits)}.")
    source = _downloaded if name in ONLINE else _bundled
    x, labels, names, groups = source(name, split or splits[0])
    if n is not None:
        rows = _random_rows(name, len(x), n, seed)
        x, labels, groups = (a if a is None else a[rows] for a in (x, labels, groups))
    x = torch.from_numpy(x)
    if x.dtype == torch.uint8:  # images (N, H, W), made float last: that takes 4 times the memory
        x = x[:, None].float().div_(255)
    labels, groups = (a if a is None else torch.from_numpy(a).long() for a in (labels, groups))
    return Dataset(x.float(), labels, tuple(map(str, names)), groups)


def _random_rows(name, rows, n, seed):
    """n of the numbers 0..rows-1 in random order."""
    if rows == 1:
        raise ValueError(f"{name} is one recording: leave n out and cut it, as in x[:, :1000].")
    if not isinstance(n, Integral) or isinstance(n, bool) or not 1 <= n <= rows:
        raise ValueError(f"n = {n!r}: {name} has {rows} rows here, ask for an integer 1 to {rows}.")
    return torch.randperm(rows, generator=torch.Generator().manual_seed(seed))[:n].numpy()


def _bundled(name, split):
    """x, labels, names and groups as arrays, from data/<name>.npz."""
    a = np.load(io.BytesIO(_verified(f"{name}.npz")), allow_pickle=False)
    match name:
        case "mnist":
            return a[f"{split}_images"], a[f"{split}_labels"], "0123456789", None
        case "fashion":
            return a["images"], a["labels"], FASHION, None
        case "faces":
            return a["images"], a["subject"], (), a["subject"]
        case "tunes":
            x = np.stack([a["pitch"], a["onset"]], axis=1)  # (N, 2, 48)
            return x, a["style"], a["style_names"], a["tune"]
        case "ecg":
            return (a["raw"][None] - 1024.0) / 200, None, (), None  # 200 steps of the ADC a mV
        case "bleeding":
            test = split == "test"
            labels, names = (a["test_anomaly"], ("normal", "anomaly")) if test else (None, ())
            return a[split][None], labels, names, None
        case "motions":
            return a[split], a[f"{split}_labels"], a["label_names"], None


def _verified(file):
    """The bytes of a bundled file, once their SHA-256 is the one in data/SHA256SUMS."""
    words = _bytes("SHA256SUMS").decode(errors="replace").split()
    sums = dict(zip(words[1::2], words[::2], strict=False))  # a line: the sum, then the file
    if file not in sums:
        raise ValueError(f"{FOLDER / 'SHA256SUMS'} omits {file}: {_restore('SHA256SUMS')}")
    content = _bytes(file)
    if hashlib.sha256(content).hexdigest() != sums[file]:
        remedy = _restore(file, "SHA256SUMS")
        raise ValueError(f"{FOLDER / file} is not the file that SHA256SUMS lists: {remedy}")
    return content


def _bytes(file):
    try:
        return (FOLDER / file).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{FOLDER / file} is missing: {_restore(file)}") from None


def _restore(*files):
    paths = " ".join(f"data/{file}" for file in files)
    return f"restore it with `git checkout -- {paths}` in {FOLDER.parent}."


def _downloaded(name, split):
    """x, labels, names and groups as arrays, by way of torchvision, kept on disk."""
    from torchvision import datasets  # takes seconds to import

    make = getattr(datasets, name)
    options = {"split": "balanced"} if name == "EMNIST" else {}
    home = FOLDER / "torchvision"
    if not (home / name).exists():
        _download(make, home / name, options)
    try:
        data = make(home, train=split == "train", **options)
    except Exception:  # torchvision's words for a broken file are many
        remedy = "delete this folder and load again while online"
        raise ValueError(f"{home / name} is damaged: {remedy}.") from None
    x = data.data.mT if name == "EMNIST" else data.data  # EMNIST's files swap rows and columns
    return x.contiguous().numpy(), data.targets.numpy(), data.classes, None


def _download(make, folder, options):
    """Fill `folder`, or leave everything as it was: a download is moved there when complete."""
    patience = socket.getdefaulttimeout()
    try:
        socket.setdefaulttimeout(PATIENCE)
        with tempfile.TemporaryDirectory(prefix="torchvision-", dir=FOLDER) as scratch:
            raw = Path(make(scratch, download=True, **options).raw_folder)
            for file in raw.iterdir():  # archives and, in EMNIST, the other parts: 2 GB
                if file.suffix or options.get("split", "") not in file.name:
                    file.unlink()
            folder.parent.mkdir(exist_ok=True)
            raw.parent.rename(folder)
    except Exception as error:  # no network, a server's error, a wrong checksum, a full disk, ...
        why = (str(error).strip() or type(error).__name__).splitlines()[-1].rstrip(".")
        offline = f"go online and try again, or load a bundled set ({', '.join(BUNDLED)})"
        name = folder.name
        raise ConnectionError(f"{name} could not be downloaded ({why}): {offline}.") from None
    finally:
        socket.setdefaulttimeout(patience)


def curves(n, seed=0):
    """Drawn curves (n, 1, 28, 28) in [0, 1], each determined by six numbers: a parabola through
    three random points of a square, drawn by a Gaussian pen. (Hinton & Salakhutdinov 2006 have
    such a set; the pen is ours.)
    """
    points = 4 + 20 * torch.rand(n, 3, 2, generator=torch.Generator().manual_seed(seed))
    t = torch.linspace(0, 1, 32)
    weights = torch.stack([(2 * t - 1) * (t - 1), 4 * t * (1 - t), t * (2 * t - 1)])  # (3, 32)
    path = points.mT @ weights  # (n, 2, 32); through the points at t = 0, 1/2 and 1
    near = torch.exp(-((path[..., None] - torch.arange(28.0)) ** 2) / 1.28)  # (n, 2, 32, 28)
    return (1 - torch.exp(-0.55 * near[:, 1].mT @ near[:, 0]))[:, None]


guard(globals(), seed=whole, load={"n": None})
