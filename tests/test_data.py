"""The bundled data against what their publishers say of them, and every way in which they can be
missing or damaged; torchvision's door against a server of our own.
"""

import gzip
import hashlib
import http.server
import io
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile

import numpy as np
import pytest
import torch

from aecourse import data
from aecourse.data import load


def error_of(kind, *arguments, **options):
    """The message of the error that `load` raises: one sentence, with nothing chained to it."""
    with pytest.raises(kind) as caught:
        load(*arguments, **options)
    assert caught.type is kind
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


# ---- what is in them --------------------------------------------------------------------------

WHOLE = {
    ("mnist", "train"): ((60000, 1, 28, 28), 0, 1),
    ("mnist", "test"): ((10000, 1, 28, 28), 0, 1),
    ("fashion", "all"): ((10000, 1, 28, 28), 0, 1),
    ("faces", "all"): ((400, 1, 64, 64), 0, 1),
    ("tunes", "all"): ((5912, 2, 48), -1, 24),
    ("ecg", "all"): ((1, 108000), -3.485, 3.65),
    ("bleeding", "train"): ((1, 1200), 55.73, 103.52),
    ("bleeding", "test"): ((1, 7501), 55.73, 104.49),
    ("motions", "train"): ((40, 100, 6), -27.82, 34.87),
    ("motions", "test"): ((40, 100, 6), -27.32, 29.39),
}


@pytest.mark.parametrize("name, split", WHOLE)
def test_shape_range_and_types(name, split):
    shape, low, high = WHOLE[name, split]
    x, labels, names, groups = load(name, split)
    assert x.shape == shape and x.dtype == torch.float32 and x.is_contiguous()
    assert x.min().item() == pytest.approx(low, abs=0.01)
    assert x.max().item() == pytest.approx(high, abs=0.01)
    for integers in (labels, groups):
        assert integers is None or integers.dtype == torch.int64
    assert isinstance(names, tuple) and all(type(name) is str for name in names)
    if names:
        assert set(labels.tolist()) == set(range(len(names)))


def test_the_first_split_is_the_default():
    assert {name for name, _ in WHOLE} == set(data.BUNDLED)
    for name in data.BUNDLED:
        split = "train" if (name, "train") in WHOLE else "all"
        assert torch.equal(load(name).x, load(name, split).x)


def test_counts_of_the_classes():
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert load("mnist").labels.bincount().tolist() == train
    assert load("mnist", "test").labels.bincount().tolist() == test
    assert load("fashion").labels.bincount().tolist() == [1000] * 10
    assert load("faces").labels.bincount().tolist() == [10] * 40
    for split in ("train", "test"):
        assert load("motions", split).labels.bincount().tolist() == [10] * 4
    styles = load("tunes").labels.bincount().tolist()
    assert load("tunes").names == ("reel", "hornpipe", "jig", "strathspey")
    assert styles == [2831, 1431, 1368, 282]


IDX = {  # the MD5 of the four raw files of MNIST, as known since 1998
    "train_images": "6bbc9ace898e44ae57da46a324031adb",
    "train_labels": "a25bea736e30d166cdddb491f175f624",
    "test_images": "2646ac647ad5339dbf082846283269ea",
    "test_labels": "27ae3e4e09519cfbb04c329615203637",
}


def idx(array):
    """The bytes of an IDX file: 0, 0, type (8 is uint8), dimensions, sizes, values."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_mnist_is_the_mnist_bit_for_bit():
    for split in ("train", "test"):
        x, labels, *_ = load("mnist", split)
        pixels = (x[:, 0] * 255).round().to(torch.uint8).numpy()
        digits = labels.to(torch.uint8).numpy()
        assert torch.equal(torch.from_numpy(pixels) / 255, x[:, 0])
        assert hashlib.md5(idx(pixels)).hexdigest() == IDX[f"{split}_images"]
        assert hashlib.md5(idx(digits)).hexdigest() == IDX[f"{split}_labels"]


def test_fashion_has_its_publishers_names():
    from torchvision.datasets import FashionMNIST

    x, labels, names, _ = load("fashion")
    assert names == ("T-shirt/top", *(name.lower() for name in FashionMNIST.classes[1:]))
    row = x[..., 20, :].gt(0.1).float().sum(-1).flatten()  # pixels of cloth at knee height
    width = {name: row[labels == k].mean().item() for k, name in enumerate(names)}
    assert width["trouser"] < 0.7 * width["pullover"]
    ink = {name: x[labels == k].mean().item() for k, name in enumerate(names)}
    assert set(sorted(ink, key=ink.get)[:2]) == {"sandal", "sneaker"}


def test_motions_are_those_of_the_uea_archive():
    first = {  # x acceleration of the first recording, from BasicMotions_TRAIN.ts and _TEST.ts
        "train": [0.079106, 0.079106, -0.903497, 1.116125, 1.6382, 1.003448],
        "test": [-0.740653, -0.740653, 10.208449, 2.867009, -0.194301, -0.194301],
    }
    for split, values in first.items():
        x, labels, names, _ = load("motions", split)
        assert x[0, :6, 0].tolist() == pytest.approx(values, abs=1e-6)
        assert names[labels[0]] == "Standing"
        shaking = {name: x[labels == k].std(1).mean().item() for k, name in enumerate(names)}
        assert sorted(shaking, key=shaking.get)[:2] == ["Standing", "Walking"]


def test_faces_of_one_person_resemble_each_other():
    x, labels, names, groups = load("faces")
    assert torch.equal(labels, groups) and names == ()
    distance = torch.cdist(x.flatten(1), x.flatten(1)).fill_diagonal_(torch.inf)
    nearest = labels[distance.argmin(1)]
    assert (nearest == labels).float().mean() > 0.9  # by chance 1 in 40


def test_tunes_keep_pitch_and_rhythm_apart():
    x, style, names, tune = load("tunes")
    pitch, onset = x[:, 0], x[:, 1]
    assert set(onset.unique().tolist()) == {0, 1} and torch.equal(pitch, pitch.round())
    assert tune.unique().tolist() == list(range(931))
    assert not (onset * (pitch == -1)).any()  # no note starts in a rest
    # An eighth note is 3 steps in a reel and 4 in a jig: that is where notes start.
    grid = {name: onset[style == k].mean(0) for k, name in enumerate(names)}
    assert grid["reel"][::3].mean() > 0.85 and grid["jig"][::4].mean() > 0.85
    assert grid["reel"][1::3].mean() < 0.05 and grid["jig"][1::4].mean() < 0.05
    for k in range(931):  # every phrase of a tune is of the same dance
        assert len(style[tune == k].unique()) == 1


def test_ecg_is_in_millivolts():
    with np.load(data.FOLDER / "ecg.npz") as file:
        raw, rate = file["raw"].astype(np.float64), file["fs"]
    x, labels, names, groups = load("ecg")
    assert x.numel() / rate == 300  # five minutes
    assert np.allclose(x[0].numpy(), raw / 200 - 5.12, atol=1e-6)
    assert labels is None and groups is None and names == ()


def test_bleeding_has_its_one_anomaly_where_the_archive_says():
    x, labels, names, _ = load("bleeding", "test")
    assert labels.nonzero().flatten().tolist() == list(range(4187, 4199))
    assert labels.shape == x.shape[1:] and names == ("normal", "anomaly")
    train = load("bleeding", "train")
    assert torch.equal(x[:, :1200], train.x)
    assert train.labels is None and train.names == ()


# ---- a part of them ---------------------------------------------------------------------------


def test_n_random_rows():
    whole, part = load("fashion"), load("fashion", n=500, seed=3)
    assert part.x.shape == (500, 1, 28, 28) and part.labels.shape == (500,)
    assert part.labels.bincount(minlength=10).min() > 25  # though the file is sorted by class
    where = {image.numpy().tobytes(): label.item() for image, label in zip(*whole[:2], strict=True)}
    assert len(where) == 9999  # two of the images are the same, of the same class
    for image, label in zip(*part[:2], strict=True):
        assert where[image.numpy().tobytes()] == label  # each with its own label
    assert torch.equal(part.x, load("fashion", n=500, seed=3).x)
    assert not torch.equal(part.x, load("fashion", n=500, seed=4).x)
    assert torch.equal(part.x[:100], load("fashion", n=100, seed=3).x)


def test_n_rows_keep_their_groups_and_come_once():
    whole, part = load("tunes"), load("tunes", n=5912)
    assert part.groups.bincount().equal(whole.groups.bincount())
    style_of = dict(zip(whole.groups.tolist(), whole.labels.tolist(), strict=True))
    assert [style_of[tune] for tune in part.groups.tolist()] == part.labels.tolist()
    assert load("motions", "test", n=1).x.shape == (1, 100, 6)
    assert load("motions", n=np.int64(3)).x.shape == (3, 100, 6)


@pytest.mark.parametrize("n", [0, -1, 41, 2.5, "10", True])
def test_impossible_n(n):
    message = error_of(ValueError, "motions", n=n)
    assert repr(n) in message and "motions" in message and "1 to 40" in message


@pytest.mark.parametrize("name", ["ecg", "bleeding"])
def test_a_recording_takes_no_n(name):
    message = error_of(ValueError, name, n=1)
    assert name in message and "x[:, :1000]" in message


def test_unknown_name_and_split():
    message = error_of(ValueError, "MNIST")
    assert all(name in message for name in ("'MNIST'", "mnist", "bleeding", "KMNIST"))
    message = error_of(ValueError, "mnist", "valid")
    assert "mnist" in message and "'valid'" in message and "train or test" in message
    assert "all" in error_of(ValueError, "faces", "train")
    assert "train or test" in error_of(ValueError, "KMNIST", "")


# ---- damage -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder data/ of our own, with the two smallest files, that `load` reads."""
    folder = tmp_path / "data"
    folder.mkdir()
    for file in ("SHA256SUMS", "bleeding.npz", "tunes.npz"):
        shutil.copy(data.FOLDER / file, folder)
    monkeypatch.setattr(data, "FOLDER", folder)
    assert load("bleeding").x.shape == (1, 1200)
    return folder


def assert_names_file_and_remedy(message, folder, file):
    assert str(folder / file) in message and f"`git checkout -- data/{file}" in message
    assert f"in {folder.parent}" in message


def test_missing_file(folder):
    (folder / "tunes.npz").unlink()
    message = error_of(FileNotFoundError, "tunes")
    assert_names_file_and_remedy(message, folder, "tunes.npz")
    assert load("bleeding").x.shape == (1, 1200)  # the others are not concerned


@pytest.mark.parametrize("keep", [0, 1, 1000, 73150])
def test_truncated_file(folder, keep):
    file = folder / "tunes.npz"
    file.write_bytes(file.read_bytes()[:keep])
    assert_names_file_and_remedy(error_of(ValueError, "tunes"), folder, "tunes.npz")


@pytest.mark.parametrize("where", [0, 5000, -1])
def test_one_byte_changed(folder, where):
    file = folder / "tunes.npz"
    content = bytearray(file.read_bytes())
    content[where] ^= 1
    file.write_bytes(content)
    assert_names_file_and_remedy(error_of(ValueError, "tunes"), folder, "tunes.npz")


def test_verified_at_every_load_not_only_the_first(folder):
    load("tunes")
    shutil.copy(folder / "bleeding.npz", folder / "tunes.npz")  # sound, but another file
    assert_names_file_and_remedy(error_of(ValueError, "tunes"), folder, "tunes.npz")


def test_missing_checksums(folder):
    sums = folder / "SHA256SUMS"
    lines = sums.read_text().splitlines()
    sums.write_bytes("\r\n".join(lines).encode())  # as Git may write it on Windows
    assert load("bleeding").x.shape == (1, 1200)
    sums.write_text("\n".join(line for line in lines if "tunes" not in line))
    message = error_of(ValueError, "tunes")
    assert_names_file_and_remedy(message, folder, "SHA256SUMS")
    assert "tunes.npz" in message
    sums.write_text("")
    assert_names_file_and_remedy(error_of(ValueError, "tunes"), folder, "SHA256SUMS")
    sums.unlink()
    assert_names_file_and_remedy(error_of(FileNotFoundError, "tunes"), folder, "SHA256SUMS")


def test_nothing_is_unpickled(folder):
    content = io.BytesIO()
    np.savez(content, train=np.array([{"a": 1}], dtype=object))
    (folder / "bleeding.npz").write_bytes(content.getvalue())
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  bleeding.npz\n")
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load("bleeding")


# ---- torchvision's door -----------------------------------------------------------------------


def test_bundled_data_do_not_wait_for_torchvision():
    code = "import sys; from aecourse.data import load; load('mnist', n=5)"
    code += "; assert 'torch' in sys.modules and 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=data.FOLDER.parent)


def halves(prefix=""):
    """The four files of a small MNIST, {name: array} and {name.gz: gzipped IDX}."""
    rng, files = np.random.default_rng(0), {}
    for half, n in (("train", 30), ("test" if prefix else "t10k", 12)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = (np.arange(n) % 10).astype(np.uint8)
        files[f"{prefix}{half}-images-idx3-ubyte"] = images
        files[f"{prefix}{half}-labels-idx1-ubyte"] = labels
    return files, {f"{name}.gz": gzip.compress(idx(a), mtime=0) for name, a in files.items()}


class Server:
    """Serves `files`, {path: bytes}, on 127.0.0.1; `asked` lists what was asked of it."""

    def __init__(self, files):
        self.files, self.asked, self.wait = files, [], threading.Event()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                content = server.files.get(self.path[1:])
                if content is None:
                    return self.send_error(404)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2])
                if server.stalls:
                    server.wait.wait(30)
                self.wfile.write(content[len(content) // 2 :])

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.stalls = False
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.wait.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def datasets(folder, monkeypatch):
    """torchvision.datasets, with every address leading nowhere (RFC 2606), past any proxy."""
    from torchvision import datasets

    monkeypatch.setenv("no_proxy", "*")
    for make in (datasets.FashionMNIST, datasets.KMNIST):
        monkeypatch.setattr(make, "mirrors", ["http://nowhere.invalid/"])
    monkeypatch.setattr(datasets.EMNIST, "url", "http://nowhere.invalid/gzip.zip")
    return datasets


@pytest.fixture
def server(datasets, monkeypatch):
    """A server of small files under torchvision's names, whose checksums torchvision knows."""
    arrays, files = halves()
    letters, zipped = halves("emnist-balanced-")
    others = {name.replace("balanced", "digits"): content for name, content in zipped.items()}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in (zipped | others).items():
            file.writestr(f"gzip/{name}", content)
    server = Server(files | {"gzip.zip": archive.getvalue()})
    server.arrays = arrays | letters
    resources = [(name, hashlib.md5(content).hexdigest()) for name, content in files.items()]
    for make in (datasets.FashionMNIST, datasets.KMNIST):
        monkeypatch.setattr(make, "mirrors", [server.address])
        monkeypatch.setattr(make, "resources", resources)
    monkeypatch.setattr(datasets.EMNIST, "url", f"{server.address}gzip.zip")
    monkeypatch.setattr(datasets.EMNIST, "md5", hashlib.md5(archive.getvalue()).hexdigest())
    yield server
    server.close()


def everything(folder):
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("name", ["FashionMNIST", "KMNIST", "EMNIST"])
def test_no_network(name, folder, datasets):
    before, start = everything(folder), time.perf_counter()
    message = error_of(ConnectionError, name)
    assert name in message and all(bundled in message for bundled in data.BUNDLED)
    assert everything(folder) == before
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize("name", ["FashionMNIST", "KMNIST"])
def test_downloads_once(name, folder, server, datasets):
    train = load(name)
    raw = folder / "torchvision" / name / "raw"
    assert sorted(path.name for path in raw.iterdir()) == sorted(
        path for path in server.arrays if "emnist" not in path
    )
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["torchvision"]
    server.close()
    test = load(name, "test")
    for half, got in (("train", train), ("t10k", test)):
        images = server.arrays[f"{half}-images-idx3-ubyte"]
        assert got.x.dtype == torch.float32 and got.x.is_contiguous()
        assert torch.equal(got.x[:, 0], torch.from_numpy(images) / 255)
        assert got.labels.tolist() == server.arrays[f"{half}-labels-idx1-ubyte"].tolist()
        assert got.labels.dtype == torch.int64 and got.groups is None
        assert got.names == tuple(getattr(datasets, name).classes)
    assert torch.equal(load(name).x, train.x)
    assert load(name, n=5).x.shape == (5, 1, 28, 28)


def test_emnist_is_turned_upright(folder, server):
    x, labels, names, _ = load("EMNIST")
    assert labels.tolist() == [k % 10 for k in range(30)]
    images = server.arrays["emnist-balanced-train-images-idx3-ubyte"]
    assert torch.equal(x[:, 0], torch.from_numpy(images).mT / 255) and x.is_contiguous()
    assert "".join(names) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
    raw = folder / "torchvision" / "EMNIST" / "raw"  # archive and other parts, 2 GB, are gone
    assert len(list(raw.iterdir())) == 4
    server.close()
    assert load("EMNIST", "test").x.shape == (12, 1, 28, 28)


@pytest.mark.parametrize(
    "name, file", [("KMNIST", "t10k-labels-idx1-ubyte.gz"), ("EMNIST", "gzip.zip")]
)
@pytest.mark.parametrize("damage", [lambda c: c[:-9], lambda c: c[:-9] + bytes(9), lambda c: None])
def test_broken_download(name, file, damage, folder, server):
    before, content = everything(folder), server.files[file]
    server.files[file] = damage(content)
    message = error_of(ConnectionError, name)
    assert name in message and "mnist" in message
    assert f"/{file}" in server.asked  # it got so far, for KMNIST with three sound files
    assert everything(folder) == before
    server.files[file] = content
    assert len(load(name).x) == 30  # and can be repeated


def test_interrupted_download(folder, server, monkeypatch):
    from torchvision.datasets import mnist

    before, download = everything(folder), mnist.download_and_extract_archive

    def stopped_at_the_second_file(url, *arguments, **options):
        if url.endswith("train-labels-idx1-ubyte.gz"):
            raise KeyboardInterrupt
        download(url, *arguments, **options)

    monkeypatch.setattr(mnist, "download_and_extract_archive", stopped_at_the_second_file)
    with pytest.raises(KeyboardInterrupt):
        load("KMNIST")
    assert server.asked and everything(folder) == before


def test_silent_server(folder, server, monkeypatch):
    monkeypatch.setattr(data, "PATIENCE", 0.5)
    before, start, server.stalls = everything(folder), time.perf_counter(), True
    assert "timed out" in error_of(ConnectionError, "KMNIST")
    assert time.perf_counter() - start < 10
    assert everything(folder) == before and socket.getdefaulttimeout() is None


def test_damage_after_the_download(folder, server):
    load("KMNIST")
    home = folder / "torchvision" / "KMNIST"
    for damage in (lambda f: f.write_bytes(f.read_bytes()[:-1]), lambda f: f.unlink()):
        damage(home / "raw" / "train-images-idx3-ubyte")
        message = error_of(ValueError, "KMNIST")
        assert str(home) in message and "delete this folder" in message
    shutil.rmtree(home)
    assert len(load("KMNIST").x) == 30


def test_curves_are_parabolas_that_six_numbers_determine():
    x = data.curves(300, seed=3)
    assert x.shape == (300, 1, 28, 28) and x.min() >= 0 and x.max() <= 1
    assert torch.equal(x, data.curves(300, seed=3)) and not torch.equal(x, data.curves(300))
    points = 4 + 20 * torch.rand(300, 3, 2, generator=torch.Generator().manual_seed(3))
    column, row = points.round().long().unbind(2)  # the pen has been at each of the three points
    inked = x[torch.arange(300)[:, None], 0, row, column]
    assert inked.min() > 0.3 and x.mean() < 0.2
