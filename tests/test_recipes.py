"""Recipes of full-scale results: their networks, and one whose result is not stored, in small."""

import pytest
import torch

from aecourse import data, recipes, reproduce
from aecourse.recipes import beta, depth, filters, hinton, memoriser


@pytest.mark.parametrize("name", depth.DEPTHS + depth.CODES)
def test_a_network_has_the_depth_and_the_size_that_its_name_and_the_budget_say(name):
    net = depth.build(name)
    encoder, decoder, d = (int(n) for n in name.replace("+", ",").split(","))
    layers = [
        sum(isinstance(m, torch.nn.Linear) for m in half) for half in (net.encoder, net.decoder)
    ]
    assert layers == [encoder + 1, decoder + 1]
    assert net.encode(torch.rand(3, 1, 28, 28)).shape == (3, d)
    size = sum(p.numel() for p in net.parameters())
    assert size <= depth.BUDGET and (size > 0.99 * depth.BUDGET or encoder + decoder == 0)


def test_erased_pixels_are_as_many_as_the_percentage_says():
    torch.manual_seed(0)
    x = filters.erased(torch.ones(100, 1, 28, 28), 25)
    assert x.unique().tolist() == [0, 1] and x.mean().item() == pytest.approx(0.75, abs=0.01)


def test_rbms_bring_a_sigmoid_network_below_its_start(monkeypatch, tmp_path):
    load = data.load
    monkeypatch.setattr(data, "load", lambda name, part: load(name, part, n=250))
    monkeypatch.setitem(hinton.FINE_TUNING, "epochs", 1)
    model = reproduce.RECIPES["hinton_rbm"].build()
    start = recipes.test_error(model)["test squared error"]
    numbers = reproduce.RECIPES["hinton_rbm"].train(model, lambda word: tmp_path / f"{word}.pt")
    assert numbers["test squared error, pretrained only"] < 0.7 * start
    assert numbers["test squared error, fine-tuned from random weights"] > 0.4 * start
    levels = sorted(path.name for path in tmp_path.glob("RBM*"))
    assert levels == [f"RBM.pt, level {k}" for k in range(4)]


def test_a_memoriser_remembers_sixteen_digits_first(monkeypatch, tmp_path):
    monkeypatch.setattr(memoriser, "STEPS", 300)
    nets = memoriser.build()
    assert nets["16"].encode(memoriser.digits(3)).shape == (3, 1)
    numbers = memoriser.train(nets, lambda word: tmp_path / word)
    errors = numbers["error after so many steps"]
    assert [numbers["steps"][k] for k in (0, -1)] == [1, 300]
    assert {len(values) for values in errors.values()} == {len(numbers["steps"])}
    last = [errors[n][-1] for n in memoriser.SIZES]
    assert last == sorted(last) and last[0] < 0.8 * errors["16"][0]
    assert memoriser.measure(nets)["squared error in the end"]["16"] < 1.1 * last[0]


def small_digits(monkeypatch, n):
    load = data.load
    monkeypatch.setattr(data, "load", lambda name, part: load(name, part, n=n))


def test_a_heavier_kl_term_costs_rate(monkeypatch, tmp_path):
    small_digits(monkeypatch, 500)
    monkeypatch.setattr(beta, "EPOCHS", 8)
    nets = beta.build()
    numbers = beta.train(nets, lambda word: tmp_path / f"{word}.pt") | beta.measure(nets)
    assert list(numbers["test rate"]) == list(beta.BETAS)
    assert list(numbers["test rate, half the epochs"]) == list(beta.HALVES)
    rates = list(numbers["test rate"].values())
    assert rates[0] > rates[3] > rates[5] >= 0
    assert all(0 <= n <= 20 for n in numbers["active units"].values())
    assert len(list(tmp_path.glob("beta *.pt"))) == len(beta.BETAS + beta.HALVES)


def test_early_stopping_keeps_the_weights_of_the_best_epoch(monkeypatch, tmp_path):
    small_digits(monkeypatch, 2500)
    monkeypatch.setattr(beta, "LATENTS", ("3",))
    monkeypatch.setitem(beta.LONG, "epochs", 4)
    nets = beta.build_latents()
    numbers = beta.train_latents(nets, lambda word: tmp_path / f"{word}.pt")
    aside, best = numbers["aside ELBO by epoch"]["3"], numbers["best epoch"]["3"]
    assert len(aside) == len(numbers["train ELBO by epoch"]["3"]) == 4
    assert aside[best - 1] == max(aside)
    kept = beta.elbo(nets["3"], beta.tossed("train")[1000:2000])
    assert kept == pytest.approx(max(aside), abs=2)
