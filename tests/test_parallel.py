"""`fit` under torchrun: two processes train what one trains, and survive a killed one."""

import subprocess
import sys

import pytest
import torch

from aecourse import parallel

SCRIPT = """
import os, signal, sys
import torch
from aecourse import losses, models, parallel
from aecourse.training import fit

folder, kill, stream = sys.argv[1], sys.argv[2] == "kill", sys.argv[3] == "stream"
x = torch.rand(43, 1, 4, 4, generator=torch.Generator().manual_seed(0))
steps = []

def loss(model, x):
    steps.append(len(x))
    if kill and len(steps) == 10 and parallel.rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"error": losses.squared_error(x, model(x)), "size": model.decoder[0].weight.abs().sum()}

torch.manual_seed(0)
model = models.Autoencoder((1, 4, 4), (6,), 2)
data = (x.roll(k, 0)[:9] for k in range(10_000)) if stream else x
settings = {"steps_per_epoch": 4} if stream else {}
history = fit(model, data, loss, 4, 9, schedule=lambda t: 1 - t, average=0.9, valid=x[:5],
              checkpoint=f"{folder}/run.pt", **settings)
if parallel.rank() == 0:
    weights = torch.cat([p.flatten() for p in model.parameters()])
    del history["seconds"]
    torch.save([weights.detach(), history, steps], f"{folder}/out.pt")
"""


def run(folder, processes, *arguments):
    """Run the script; (exit status, all that was printed)."""
    (folder / "script.py").write_text(SCRIPT)
    how = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(how if processes > 1 else [])]
    done = subprocess.run(
        [*command, folder / "script.py", folder, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout


def made(folder):
    return torch.load(folder / "out.pt", weights_only=True)


@pytest.fixture
def folders(tmp_path):
    pair = tmp_path / "one", tmp_path / "two"
    for folder in pair:
        folder.mkdir()
    return pair


@pytest.mark.parametrize("kind", ["memory", "stream"])
def test_two_processes_train_what_one_does(folders, kind):
    for folder, processes in zip(folders, (1, 2), strict=True):
        status, said = run(folder, processes, "live", kind)
        assert status == 0, said
    (one, first, whole), (two, second, part) = map(made, folders)
    torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)
    assert first.keys() == second.keys()
    for name in first:
        assert first[name] == pytest.approx(second[name], rel=1e-5), name
    assert sum(part) < 0.7 * sum(whole)  # the work is shared; the validation is not
    assert said.count("run.pt") == 0 and said.count("100%") == 1  # one bar


def test_a_killed_process_ends_the_other_and_the_same_command_goes_on(folders):
    status, said = run(folders[1], 2, "kill", "memory")
    assert status != 0 and "Start the same command again" in said
    assert not (folders[1] / "out.pt").exists()
    assert run(folders[1], 2, "live", "memory")[0] == run(folders[0], 1, "live", "memory")[0] == 0
    (one, first, _), (two, second, calls) = map(made, folders)
    torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)
    assert len(first["epoch"]) == len(second["epoch"]) == 4
    assert len(calls) < 4 * 5 + 4  # the first epoch was not trained again


def test_without_torchrun_there_is_one_process():
    x = torch.arange(7)
    assert (parallel.world(), parallel.rank()) == (1, 0)
    assert parallel.agreed(x) is x and parallel.part(x) == (x, 1.0)


@pytest.mark.parametrize(("n", "parts"), [(7, [3, 2, 2]), (6, [2, 2, 2]), (2, [2, 2, 2])])
def test_the_parts_of_a_batch_count_as_their_lengths(monkeypatch, n, parts):
    monkeypatch.setattr(parallel, "world", lambda: 3)
    x, sizes, mean = torch.arange(n) ** 2.0, [], 0
    for rank in range(3):
        monkeypatch.setattr(parallel, "rank", lambda rank=rank: rank)
        rows, share = parallel.part(x)
        sizes.append(len(rows))
        mean += share * rows.mean() / 3
    assert sizes == parts and mean.item() == pytest.approx(x.mean().item())
