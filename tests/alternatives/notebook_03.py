"""Other ways to the right answers of notebook 03."""

import numpy as np
import torch


def hebb_in_numpy(w, x, eta):
    w, x = w.numpy(), x.numpy()
    return w + eta * np.mean((x @ w.T)[:, :, None] * x[:, None, :], axis=0)


def hebb_in_loops(w, x, eta):
    change = torch.zeros_like(w)
    for row in x:
        for k in range(len(w)):
            change[k] += (w[k] @ row) * row
    return w + eta * change / len(x)


def hebb_by_the_second_moment(w, x, eta):
    x = x.double()
    return w.double() @ (torch.eye(x.shape[1]) + eta * x.T @ x / len(x))


def oja_in_numpy(w, x, eta):
    w, x = w.numpy().astype(np.float64), x.numpy()
    y = x @ w.T
    return w + eta * (y.T @ x - (y * y).sum(axis=0)[:, np.newaxis] * w) / len(x)


def oja_in_loops(w, x, eta):
    new = []
    for neuron in w:
        changes = [(neuron @ row) * (row - (neuron @ row) * neuron) for row in x]
        new.append(neuron + eta * torch.stack(changes).mean(0))
    return torch.stack(new)


def oja_by_the_second_moment(w, x, eta):
    w, c = w.double(), (x.T @ x / len(x)).double()
    return w + eta * (w @ c - torch.diag(torch.diag(w @ c @ w.T)) @ w)


def subspace_in_numpy(w, x, eta):
    w, x = w.numpy().astype(np.float64), x.numpy()
    return (
        w
        + eta * w @ np.cov(x.T, bias=True) @ (np.eye(len(w.T)) - w.T @ w)
        + eta * w @ np.outer(x.mean(0), x.mean(0)) @ (np.eye(len(w.T)) - w.T @ w)
    )


def subspace_in_loops(w, x, eta):
    total = torch.zeros_like(w)
    for row in x:
        y = w @ row
        total += torch.outer(y, row - w.T @ y)
    return w + eta * total / len(x)


def subspace_as_a_gradient(w, x, eta):
    w = w.double().requires_grad_()
    code = (x.double() @ w.T).detach()
    ((x - code @ w).square().sum() / len(x)).backward()
    return w - eta / 2 * w.grad


def sanger_in_numpy(w, x, eta):
    w, x = w.numpy().astype(np.float64), x.numpy()
    y = x @ w.T
    return w + eta * (y.T @ x - np.tril(y.T @ y) @ w) / len(x)


def sanger_by_deflation(w, x, eta):
    left, new = x, []
    for neuron in w:
        y = (x @ neuron)[:, None]
        left = left - y * neuron
        new.append(neuron + eta * (y * left).mean(0))
    return torch.stack(new)


def sanger_in_loops(w, x, eta):
    w, x = w.double(), x.double()
    new = w.clone()
    for row in x:
        y = w @ row
        for k in range(len(w)):
            rebuilt = sum(y[j] * w[j] for j in range(k + 1))
            new[k] = new[k] + eta * y[k] * (row - rebuilt) / len(x)
    return new


def hebb_as_a_list(w, x, eta):
    return [list(neuron + eta * ((x @ neuron)[:, None] * x).mean(0)) for neuron in w]


ALTERNATIVES = {
    "hebb": (hebb_in_numpy, hebb_in_loops, hebb_by_the_second_moment, hebb_as_a_list),
    "oja": (oja_in_numpy, oja_in_loops, oja_by_the_second_moment),
    "subspace": (subspace_in_numpy, subspace_in_loops, subspace_as_a_gradient),
    "sanger": (sanger_in_numpy, sanger_by_deflation, sanger_in_loops),
}
