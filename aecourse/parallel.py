"""One training by several processes, under `torchrun` of PyTorch.

Each takes its part of every batch, and the gradients are averaged. Without torchrun there is one
process, and nothing here does anything.
"""

import contextlib
import os
import signal
import sys

import torch
from torch import distributed

ENDED = "Another process of this training has ended. Start the same command again: it goes on from "
ENDED += "the last checkpoint."


def start():
    """Join the processes that torchrun has started, if there are any. When one of them ends,
    torchrun asks the others to end too; they say why."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or distributed.is_initialized():
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def world():
    """How many processes train together."""
    joined = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if joined else 1


def rank():
    """The number of this process, from 0 on. The first shows the bar and writes the files."""
    return distributed.get_rank() if world() > 1 else 0


def own_noise(seed, epoch):
    """From here on this process draws other random numbers than the others; the first draws what
    one process alone would."""
    if rank():
        torch.manual_seed(seed + 1_000_003 * rank() + epoch)


def agreed(x):
    """The tensor x of the first process, in each of them."""
    if world() == 1:
        return x
    box = [x]
    with _together():
        distributed.broadcast_object_list(box)
    return box[0].to(x.device)


def part(batch):
    """(rows, share): the part of a batch (B, ...) that this process takes, and how much its mean
    counts beside those of the others, 1 if the parts are equal. A batch that is too small for all
    is taken by each as a whole."""
    if world() == 1 or len(batch) < world():
        return batch, 1.0
    rows = batch.tensor_split(world())[rank()]
    return rows, world() * len(rows) / len(batch)


def average(weights, terms, share):
    """Replace the gradients by their mean over the processes; returns the means of the terms."""
    found = [p for p in weights if p.grad is not None]
    mine = torch.tensor([value * share for value in terms.values()]).to(found[0].grad)
    flat = torch.cat([*(p.grad.flatten() for p in found), mine]) / world()
    with _together():
        distributed.all_reduce(flat)
    for p, mean in zip(found, flat.split([p.numel() for p in found] + [len(mine)]), strict=False):
        p.grad.copy_(mean.view_as(p))
    return dict(zip(terms, flat[-len(mine) :].tolist(), strict=True))


@contextlib.contextmanager
def _together():
    try:
        yield
    except RuntimeError:  # the words of gloo and NCCL for a lost neighbour are many
        raise RuntimeError(ENDED) from None
