"""Where a training takes its batches from: memory, rows that are read when needed, or a stream.

In a training of several processes each takes its part of every batch, see parallel.py.
"""

import zlib

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset

from aecourse import checkpoints, parallel
from aecourse.inputs import examples


def source(x, model, batch, steps_per_epoch=None, name="x"):
    """The source of x: `steps` batches an epoch, `epoch(k)` and `in_order()` to go through them.

    x  a tensor, an array or whatever else fits into memory; a memory-mapped array or a Dataset, of
       which rows are read when needed; or any iterable of batches, such as a DataLoader. An example
       that comes with its label, (x, y), is x.
    Raises ValueError for data that `examples` refuses, and for streams without a length.
    """
    if isinstance(x, Rows | Stream):
        return x
    if isinstance(x, IterableDataset):
        x = DataLoader(x, batch)
    if isinstance(x, np.memmap):
        return Rows(lambda i: examples(x[i.numpy()], model, name), x, batch)
    if isinstance(x, Dataset):
        return Rows(lambda i: examples([_example(x[k]) for k in i.tolist()], model, name), x, batch)
    known = isinstance(x, torch.Tensor | np.ndarray | list | tuple | str | dict)
    if not known and hasattr(x, "__iter__") and not hasattr(x, "__array__"):
        return Stream(x, model, steps_per_epoch, name)
    x = examples(x, model, name)  # in memory, on the device of the model
    return Rows(lambda i: x.index_select(0, i.to(x.device)), x, batch)


class Rows:
    """Examples that can be had by number, n of them; read(i) takes a tensor of numbers."""

    def __init__(self, read, x, batch):
        self.read, self.x, self.n, self.batch = read, x, len(x), batch
        if self.n == 0:
            raise ValueError("x is empty: there must be one example at least.")
        self.steps = max(1, -(-(self.n - 1) // batch)) if batch > 1 else self.n

    def epoch(self, k):
        """(rows, share) of each batch in random order, never a last batch of one."""
        order = parallel.agreed(torch.randperm(self.n))  # on the CPU: the same on every device
        batches = list(order.split(self.batch))
        if len(batches) > 1 and len(batches[-1]) < min(self.batch, 2):
            batches[-2:] = [torch.cat(batches[-2:])]
        for batch in batches:
            i, share = parallel.part(batch)
            yield self.read(i), share

    def in_order(self):
        if isinstance(self.x, torch.Tensor):
            yield from self.x.split(self.batch)  # views, no copies
            return
        for i in torch.arange(self.n).split(self.batch):
            yield self.read(i)

    def fingerprint(self):
        if isinstance(self.x, torch.Tensor):
            return checkpoints.fingerprint(self.x)
        ends = self.read(torch.tensor([0, self.n - 1])).cpu().numpy()
        return f"{self.n} {type(self.x).__name__} rows, of the ends {zlib.crc32(ends.tobytes())}"


class Stream:
    """Batches that come one after the other. One without a length may be endless: it is not begun
    anew at each epoch, and `steps_per_epoch` of its batches are called an epoch."""

    def __init__(self, x, model, steps_per_epoch, name):
        self.x, self.model, self.name = x, model, name
        try:
            length = len(x)
        except TypeError:  # a DataLoader has __len__, of an IterableDataset it is no use
            length = None
        self.sized, self.steps, self.running = length is not None, steps_per_epoch or length, None
        if not self.steps:
            raise ValueError(
                f"{name} is a stream without a length: say steps_per_epoch, how many of its "
                "batches are an epoch."
            )

    def epoch(self, k):
        """(rows, share) of each batch of epoch k; what a resumed training has seen is passed by."""
        if self.running is None or self.sized:
            self.running = iter(self.x)
            for _ in range(0 if self.sized else k * self.steps):
                next(self.running, None)
        for count in range(self.steps):
            rows = next(self.running, None)
            if rows is None:
                words = f"{self.name} ended after {count} of {self.steps} batches an epoch."
                raise ValueError(words + " Say steps_per_epoch, or give it more.")
            yield parallel.part(parallel.agreed(self._batch(rows)))

    def in_order(self):
        if not self.sized:
            raise ValueError(f"{self.name} is a stream without a length: give one that ends.")
        yield from map(self._batch, self.x)

    def _batch(self, rows):
        return examples(_example(rows), self.model, self.name)

    def fingerprint(self):
        return f"a {type(self.x).__name__} of {self.steps} batches"


def _example(item):
    """x of (x, y)."""
    if isinstance(item, dict):
        raise TypeError(f"An example is a dict, of {', '.join(item)}: hand on the part that is x.")
    return item[0] if isinstance(item, tuple | list) else item
