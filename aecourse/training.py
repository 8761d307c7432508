"""Training: one loop, one history, a progress bar."""

import math
import os
import sys
import time
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm


def one_cycle(t):
    """Schedule: the rate climbs from 4 % to its peak in the first 30 %, then falls to 0 (cosines).

    t is the part of the training that is done, in [0, 1). (Smith & Topin 2017)
    """
    if t < 0.3:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * t / 0.3)) / 2
    return (1 + math.cos(math.pi * (t - 0.3) / 0.7)) / 2


@torch.no_grad()
def evaluate(model, x, loss, batch=1000):
    """Mean of each term of `loss` over all of x, as floats: {"reconstruction": 87.3, ...}."""
    model.eval()
    means = {}
    for rows in x.split(batch):
        for name, value in loss(model, rows).items():
            means[name] = means.get(name, 0.0) + float(value) * len(rows) / len(x)
    return means


def fit(
    model,
    x,
    loss,
    epochs=10,
    batch=128,
    lr=1e-3,
    *,
    valid=None,
    schedule=None,
    average=None,
    seed=0,
    checkpoint=None,
    optimizer=torch.optim.Adam,
):
    """Minimise the sum of the terms of `loss(model, x)` by Adam; returns the history.

    x         float tensor (N, *shape), the whole training set
    loss      loss(model, x) -> {"reconstruction": r, ...}
    lr        learning rate; with a schedule, its peak
    valid     a second set, on which the terms are measured after each epoch: "valid reconstruction"
    schedule  a function of the part t of the training that is done, 0 <= t <= 1, by which lr is
              multiplied, such as `one_cycle`
    average   decay of a moving average of the weights, such as 0.998; the model has the averaged
              weights on `valid` and in the end (Polyak & Juditsky 1992)
    seed      of the order of the batches and of all noise in the loss
    checkpoint  path of a file that keeps the state of the training after each epoch. If it exists,
              the training goes on from there, to the same numbers as if it had never stopped
    optimizer  a class of torch.optim, such as SGD for plain gradient descent

    The history is a dict of lists, one value an epoch: "epoch", "seconds", "loss" and each term.
    The stop button (Ctrl-C) ends the training; the model and the history so far are kept.
    Raises ValueError for data that are empty, not finite or of another shape than the model's, for
    a loss that stops being finite, and for a checkpoint of another training.
    """
    x, valid = _checked(model, x), None if valid is None else _checked(model, valid)
    batches = math.ceil(len(x) / batch)
    optimizer = optimizer(model.parameters(), lr, fused=True)
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(average)) if average else None
    history, stopped = {"epoch": [], "seconds": [], "loss": []}, False
    state = {"model": model, "optimizer": optimizer} | ({"average": mean} if mean else {})
    recipe = {"epochs": epochs, "batch": batch, "lr": lr, "average": average, "seed": seed}
    recipe["examples"] = len(x)
    with torch.random.fork_rng(), tqdm(total=epochs * batches, file=sys.stdout) as bar:
        torch.manual_seed(seed)
        if checkpoint and Path(checkpoint).exists():
            history = _resume(checkpoint, recipe, state)
            bar.update(len(history["epoch"]) * batches)
        start = time.perf_counter() - max(history["seconds"], default=0)
        try:
            for epoch in range(len(history["epoch"]), epochs):
                model.train()
                for k, i in enumerate(torch.randperm(len(x)).split(batch), 1):
                    if schedule:
                        optimizer.param_groups[0]["lr"] = lr * schedule(bar.n / bar.total)
                    _record(history, _step(model, x.index_select(0, i), loss, optimizer), k)
                    history["epoch"][-1] = epoch + k / batches
                    history["seconds"][-1] = time.perf_counter() - start
                    if mean:
                        mean.update_parameters(model)
                    if k % 10 == 1 or k == batches:  # words cost time
                        bar.set_postfix_str(_words(history), refresh=False)
                    bar.update()
                if valid is not None:
                    for name, value in evaluate(
                        mean.module if mean else model, valid, loss
                    ).items():
                        history.setdefault(f"valid {name}", []).append(value)
                if checkpoint:
                    _save(checkpoint, recipe, state, history)
        except KeyboardInterrupt:
            stopped = True
    if stopped:
        done = max(history["epoch"], default=0)
        print(f"Stopped after {done:.1f} of {epochs} epochs; what was learnt so far is kept.")
    if mean:
        model.load_state_dict(mean.module.state_dict())
    return history


def _checked(model, x):
    """x on the model's device, once it is certain that the model can learn from it."""
    shape = getattr(model, "shape", None)
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        raise ValueError(f"x must be a float tensor, not {getattr(x, 'dtype', type(x).__name__)}.")
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(f"x is {tuple(x.shape)}: there must be one example at least, (N, *shape).")
    if shape is not None and tuple(x.shape[1:]) != tuple(shape):
        raise ValueError(f"The model takes {tuple(shape)}, the examples are {tuple(x.shape[1:])}.")
    if not all(bound.isfinite() for bound in x.aminmax()):
        raise ValueError("x contains NaN or infinity: find them with x.isfinite().logical_not().")
    return x.to(next(model.parameters()).device)


def _step(model, x, loss, optimizer):
    """One step of the optimizer down the gradient of the loss; returns the terms as floats."""
    terms = loss(model, x)
    if not isinstance(terms, dict):
        kind = type(terms).__name__
        raise TypeError(f'A loss returns named terms, {{"reconstruction": r}}, this one a {kind}.')
    values = {name: term.item() for name, term in terms.items()}
    if not math.isfinite(sum(values.values())):
        rate = optimizer.param_groups[0]["lr"]
        raise ValueError(
            f"The loss became {sum(values.values())}: try a smaller lr than {rate:.3g}."
        )
    model.zero_grad()
    sum(terms.values()).backward()
    optimizer.step()
    return values


def _record(history, terms, k):
    """Keep the mean over the k batches of this epoch so far as the last value of each column."""
    if k == 1:
        for name in ("epoch", "seconds", "loss", *terms):
            history.setdefault(name, []).append(0.0)
    for name, value in terms.items():
        history[name][-1] += (value - history[name][-1]) / k
    history["loss"][-1] += (sum(terms.values()) - history["loss"][-1]) / k


def _save(path, recipe, state, history):
    """Write the state of a training to a file, whole or not at all."""
    saved = {name: part.state_dict() for name, part in state.items()}
    saved |= {"recipe": recipe, "history": history, "generator": torch.get_rng_state()}
    torch.save(saved, f"{path}.part")
    os.replace(f"{path}.part", path)


def _resume(path, recipe, state):
    """Put the saved state of a training back in its place; returns the history so far."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    for name, value in recipe.items():
        if saved["recipe"][name] != value:
            theirs = f"{name} {saved['recipe'][name]}, not {value}"
            raise ValueError(f"{path} is of another training ({theirs}): delete it or rename it.")
    for name, part in state.items():
        part.load_state_dict(saved[name])
    torch.set_rng_state(saved["generator"])
    return saved["history"]


def _words(history):
    """The last value of each term, for the progress bar."""
    names = [name for name in history if name not in ("epoch", "seconds", "loss")]
    return ", ".join(f"{name} {history[name][-1]:.4g}" for name in names if name[:6] != "valid ")
