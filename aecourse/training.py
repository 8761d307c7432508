"""Training: one loop, one history, a progress bar."""

import math
import time
from numbers import Integral

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from aecourse import checkpoints, parallel, progress, steps, streams


def one_cycle(t):
    """Schedule: the rate climbs from 4 % to its peak in the first 30 %, then falls to 0 (cosines).

    t is the part of the training that is done, in [0, 1). (Smith & Topin 2017)
    """
    if t < 0.3:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * t / 0.3)) / 2
    return (1 + math.cos(math.pi * (t - 0.3) / 0.7)) / 2


@torch.no_grad()
def evaluate(model, x, loss, batch=1000):
    """Mean of each term of `loss` over all of x, as floats: {"reconstruction": 87.3, ...}.

    x is what `fit` takes, but for streams without an end. The model is in eval mode from then on.
    """
    model.eval()
    sums, n = {}, 0
    for rows in streams.source(x, model, batch, 1).in_order():
        for name, value in steps.numbers(steps.terms(loss, model, rows)).items():
            sums[name] = sums.get(name, 0.0) + value * len(rows)
        n += len(rows)
    return {name: total / n for name, total in sums.items()}


def fit(
    model,
    x,
    loss,
    epochs=10,
    batch=128,
    lr=1e-3,
    *,
    steps_per_epoch=None,
    valid=None,
    schedule=None,
    average=None,
    seed=0,
    checkpoint=None,
    optimizer=torch.optim.Adam,
    bf16=False,
):
    """Minimise the sum of the terms of `loss(model, x)` by Adam; returns the history.

    x         the training set (N, *shape), taken to the device and precision of the model: in
              memory, or a memory-mapped array or Dataset, of which rows are read when needed, or
              batches one after the other, such as a DataLoader; of examples (x, y), x
    loss      loss(model, x) -> {"reconstruction": r, ...}
    batch     how many examples a step sees; a last batch of one joins the one before it. A stream
              of batches has its own
    lr        learning rate; with a schedule, its peak
    steps_per_epoch  how many batches of a stream without an end are an epoch
    valid     a second set, on which the terms are measured after each epoch, without influence on
              the training: "valid reconstruction"
    schedule  a function of the part t of the training that is done, 0 <= t <= 1, by which lr is
              multiplied, such as `one_cycle`
    average   decay of a moving average of the weights, such as 0.998; the model has the averaged
              weights on `valid` and in the end (Polyak & Juditsky 1992)
    seed      of the order of the batches and of all noise in the loss
    checkpoint  path of a file that keeps the state of the training after each epoch. If it exists,
              the training goes on from there, to the same numbers as if it had never stopped
    optimizer  a class of torch.optim, such as SGD for plain gradient descent
    bf16      compute in bfloat16: faster only where the processor or GPU has it in hardware

    The history is a dict of lists, one value an epoch: "epoch", "seconds", "loss" and each term.
    The model comes back in eval mode. The stop button (Ctrl-C) ends the training; the model and the
    history so far are kept. Raises ValueError for data that are empty, not finite or of another
    shape than the model's, for a checkpoint of another training, and for a loss that stops being
    finite: then the model keeps its last finite weights, and the error the `history`.

    Under `torchrun` the processes train one model together: each takes its part of every batch.
    """
    parallel.start()
    _check(epochs, batch, lr, average)
    source = streams.source(x, model, batch, steps_per_epoch)
    if valid is not None:
        valid = streams.source(valid, model, 1000, name="valid")
    recipe = {"epochs": epochs, "batch": batch, "lr": lr, "average": average, "seed": seed}
    recipe |= {"bf16": bf16, "schedule": schedule, "loss": loss, "optimizer": optimizer}
    recipe = {name: checkpoints.described(value) for name, value in recipe.items()}
    if checkpoint:
        recipe["model"] = checkpoints.architecture(model)
        recipe |= {"data": source.fingerprint(), "valid": valid and valid.fingerprint()}
    optimizer = steps.build(optimizer, model, lr)
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(average)) if average else None
    history, stopped = {name: [] for name in steps.OURS}, False
    state = {"model": model, "optimizer": optimizer} | ({"average": mean} if mean else {})
    total = epochs * source.steps
    precision = torch.autocast(next(model.parameters()).device.type, torch.bfloat16, enabled=bf16)
    mine = checkpoint if parallel.rank() == 0 else None  # the first process writes
    with torch.random.fork_rng(), checkpoints.alone(mine), progress.bar(total) as bar:
        torch.manual_seed(seed)
        history = checkpoints.resume(checkpoint, recipe, state) or history
        bar.update(total * len(history["epoch"]) // max(epochs, 1))
        start = time.perf_counter() - max(history["seconds"], default=0)
        try:
            for epoch in range(len(history["epoch"]), epochs):
                model.train()
                parallel.own_noise(seed, epoch)
                for k, (rows, share) in enumerate(source.epoch(epoch), 1):
                    if schedule:
                        optimizer.param_groups[0]["lr"] = lr * schedule(bar.n / total)
                    with precision:
                        terms = steps.step(model, rows, loss, optimizer, history, share)
                    _record(history, terms, k)
                    history["epoch"][-1] = epoch + k / source.steps
                    history["seconds"][-1] = time.perf_counter() - start
                    if mean:
                        mean.update_parameters(model)
                    if k % 10 == 1 or k == source.steps:  # words cost time
                        bar.set_postfix_str(progress.words(history, steps.OURS), refresh=False)
                    bar.update()
                if valid is not None:
                    _measure(history, mean.module if mean else model, valid, loss, seed)
                if mine:
                    checkpoints.save(checkpoint, recipe, state, history)
        except KeyboardInterrupt:
            stopped = True
        finally:
            model.eval()
    if stopped:
        done = max(history["epoch"], default=0)
        print(f"Stopped after {done:.1f} of {epochs} epochs; what was learnt so far is kept.")
    if mean:
        model.load_state_dict(mean.module.state_dict())
    return history


def _check(epochs, batch, lr, average):
    for name, value, least in (("epochs", epochs, 0), ("batch", batch, 1)):
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"{name} = {value!r}: a whole number from {least} on is wanted.")
    if not (lr >= 0 and math.isfinite(lr)):
        raise ValueError(f"lr = {lr!r}: the learning rate must be a positive number.")
    if average is not None and not 0 < average < 1:
        raise ValueError(f"average = {average!r}: the decay lies between 0 and 1.")


def _measure(history, model, valid, loss, seed):
    """Add the terms on the validation set; the random numbers of the training are left alone."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for name, value in evaluate(model, valid, loss).items():
            history.setdefault(f"valid {name}", []).append(value)


def _record(history, terms, k):
    """Keep the mean over the k batches of this epoch so far as the last value of each column."""
    if k == 1:
        for name in (*steps.OURS, *terms):
            history.setdefault(name, []).append(0.0)
    for name, value in terms.items():
        history[name][-1] += (value - history[name][-1]) / k
    history["loss"][-1] += (sum(terms.values()) - history["loss"][-1]) / k
