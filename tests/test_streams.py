"""`fit` on data that are not a tensor: the same training as on the tensor that they amount to."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from aecourse import losses, models
from aecourse.training import evaluate, fit

X = torch.rand(50, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def trained(x, epochs=3, **settings):
    """(history without the seconds, weights) of a small training on x."""
    torch.manual_seed(0)
    model = models.VAE((1, 4, 4), (8,), 2)
    history = fit(model, x, losses.negative_elbo, epochs, 7, **settings)
    del history["seconds"]
    return history, torch.cat([p.flatten() for p in model.parameters()])


def same(one, other):
    assert one[0] == other[0]
    assert torch.equal(one[1], other[1])


class Pictures(Dataset):
    """(image, label), read one by one; how many have been read."""

    def __init__(self):
        self.read = 0

    def __len__(self):
        return len(X)

    def __getitem__(self, k):
        self.read += 1
        return X[k], k % 10


class Endless(IterableDataset):
    """Single images; how often it was begun."""

    begun = 0

    def __iter__(self):
        self.begun += 1
        return iter(X[k % 50] for k in itertools.count())


def batches():
    """An endless stream; batch k is the same in each run."""
    for k in itertools.count():
        yield torch.rand(7, 1, 4, 4, generator=torch.Generator().manual_seed(k))


@pytest.fixture
def on_disk(tmp_path):
    np.save(tmp_path / "x.npy", X.numpy())
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def test_rows_on_disk_train_as_rows_in_memory(on_disk):
    same(trained(on_disk), trained(X))


def test_bytes_on_disk_without_a_channel_are_images(tmp_path):
    rows = (X[:, 0] * 255).byte()
    np.save(tmp_path / "x.npy", rows.numpy())
    same(trained(np.load(tmp_path / "x.npy", mmap_mode="r")), trained(rows))


def test_a_dataset_with_labels_trains_as_its_images():
    pictures = Pictures()
    same(trained(pictures), trained(X))
    assert pictures.read == 3 * 50
    same(trained(TensorDataset(X)), trained(X))


def test_a_loader_gives_its_own_batches():
    seen = []

    def watched(model, x):
        seen.append(x)
        return losses.bernoulli(model, x)

    model = models.Autoencoder((1, 4, 4), (), 2)
    fit(model, DataLoader(TensorDataset(X, torch.arange(50)), 8), watched, epochs=2)
    assert [len(x) for x in seen] == 2 * [8, 8, 8, 8, 8, 8, 2]
    assert torch.equal(torch.cat(seen), torch.cat([X, X]))


def test_a_shuffling_loader_follows_the_seed_of_fit():
    def loader():
        return DataLoader(TensorDataset(X), 8, shuffle=True)

    same(trained(loader()), trained(loader()))
    assert trained(loader(), seed=1)[0] != trained(loader())[0]


def test_the_validation_set_may_be_a_loader():
    loader = DataLoader(TensorDataset(X[:21]), 5)
    assert trained(X, valid=loader)[0]["valid kl"] == pytest.approx(
        trained(X, valid=X[:21])[0]["valid kl"], rel=1e-5
    )


def test_a_mean_over_batches_of_unequal_size_counts_examples():
    model = models.PCA(X, 2)

    def loss(model, x):
        return {"error": losses.squared_error(x, model(x))}

    whole = evaluate(model, X, loss)["error"]
    assert evaluate(model, DataLoader(TensorDataset(X), 8), loss)["error"] == pytest.approx(whole)
    assert whole == pytest.approx((X - model(X)).square().sum().item() / 50, rel=1e-5)


def test_an_endless_stream_goes_on_from_epoch_to_epoch():
    seen = []

    def watched():
        for k, rows in enumerate(batches()):
            seen.append(k)
            yield rows

    stream = watched()
    history, _ = trained(stream, epochs=4, steps_per_epoch=5)
    assert seen == list(range(20)) and len(history["epoch"]) == 4
    endless = Endless()
    assert trained(endless, steps_per_epoch=8)[0]["epoch"] == [1, 2, 3] and endless.begun == 1


def test_a_resumed_stream_goes_on_where_it_stopped(tmp_path):
    path, calls = tmp_path / "run.pt", []

    def stopping():
        for k, rows in enumerate(batches()):
            if k == 12 and not calls:
                calls.append(k)
                raise SystemExit
            yield rows

    settings = {"epochs": 4, "steps_per_epoch": 5}
    with pytest.raises(SystemExit):
        trained(stopping(), checkpoint=path, **settings)
    same(trained(stopping(), checkpoint=path, **settings), trained(batches(), **settings))


@pytest.mark.parametrize(
    ("x", "settings", "words"),
    [
        (batches(), {}, "say steps_per_epoch"),
        (iter([X[:7], X[7:14]]), {"steps_per_epoch": 3}, "ended after 2 of 3"),
        (iter([{"image": X}]), {"steps_per_epoch": 1}, "dict, of image"),
        (iter([X[:, :, 1:]]), {"steps_per_epoch": 1}, r"takes \(1, 4, 4\), the examples are"),
        (iter([X * np.nan]), {"steps_per_epoch": 1}, "NaN or infinity"),
        (TensorDataset(X[:0]), {}, "empty"),
    ],
)
def test_what_is_wrong_with_a_stream_is_told(x, settings, words):
    with pytest.raises((ValueError, TypeError), match=words):
        trained(x, **settings)


def test_evaluate_wants_a_stream_that_ends():
    with pytest.raises(ValueError, match="give one that ends"):
        evaluate(models.PCA(X, 2), batches(), losses.bernoulli)


LIMITED = """
import resource
import torch
from aecourse import losses, models
from aecourse.training import fit

model = models.Autoencoder((1, 512, 512), (), 1)

def stream():
    for k in range(800):
        yield torch.rand(4, 1, 512, 512)  # 4 MB

warm = fit(model, stream(), losses.bernoulli, 1, steps_per_epoch=3)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 400_000_000,) * 2)
history = fit(model, stream(), losses.bernoulli, 1, steps_per_epoch=150)
print("trained on", 150 * 4, "MB")
try:
    list(stream())
except (MemoryError, RuntimeError):
    print("they do not fit")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_stream_larger_than_the_memory_that_is_allowed():
    run = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True)
    assert "trained on 600 MB" in run.stdout, run.stderr[-2000:]
    assert "they do not fit" in run.stdout
