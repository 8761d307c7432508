"""`fit` against an independent loop, and everything that can go wrong with it."""

import copy
import math
import subprocess
import sys
from functools import partial

import pytest
import torch
from torch.optim.lr_scheduler import OneCycleLR

from aecourse import checkpoints, losses, models
from aecourse.training import evaluate, fit, one_cycle

SHAPE = (1, 4, 4)


@pytest.fixture
def x():
    return torch.rand(50, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return models.Autoencoder(SHAPE, (8,), 2)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_fit_is_the_textbook_loop(model, x):
    """Same order, same steps: the weights of a plain loop with an unfused Adam."""
    twin = copy.deepcopy(model)
    optimizer = torch.optim.Adam(twin.parameters(), lr=0.01, fused=False, foreach=False)
    torch.manual_seed(3)
    for _ in range(4):
        for i in torch.randperm(50).split(16):
            p = twin(x[i])
            loss = -(x[i] * p.log() + (1 - x[i]) * (1 - p).log()).sum() / len(i)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    fit(model, x, losses.bernoulli, epochs=4, batch=16, lr=0.01, seed=3)
    assert torch.allclose(weights(model), weights(twin), atol=1e-4)


def test_the_history_has_a_value_an_epoch_and_goes_down(model, x):
    def loss(model, x):
        return losses.bernoulli(model, x) | {"L2": 1e-3 * losses.l2(model)}

    history = fit(model, x, loss, epochs=20, batch=10, lr=0.01, valid=x[:20])
    assert history["epoch"] == list(range(1, 21))
    names = {"epoch", "seconds", "loss", "reconstruction", "L2"}
    assert set(history) == names | {"valid reconstruction", "valid L2"}
    assert all(len(column) == 20 for column in history.values())
    assert history["loss"][-1] < history["loss"][0] - 0.3
    both = history["reconstruction"][-1] + history["L2"][-1]
    assert history["loss"][-1] == pytest.approx(both, rel=1e-6)
    assert history["seconds"] == sorted(history["seconds"])
    last = evaluate(model, x[:20], loss)
    assert history["valid reconstruction"][-1] == pytest.approx(last["reconstruction"], rel=1e-5)


def test_the_history_is_the_mean_over_the_batches(model, x):
    history = fit(model, x, losses.bernoulli, epochs=1, batch=10, lr=0)
    assert history["loss"][0] == pytest.approx(
        evaluate(model, x, losses.bernoulli)["reconstruction"], rel=1e-5
    )


def test_evaluate_weighs_a_last_small_batch_rightly(model, x):
    whole = losses.bernoulli(model, x)["reconstruction"].item()
    parts = evaluate(model, x, losses.bernoulli, batch=7)["reconstruction"]
    assert parts == pytest.approx(whole, rel=1e-5)


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(model, x):
    def noisy(model, x):
        return {"reconstruction": losses.squared_error(x, model(x + 0.1 * torch.randn_like(x)))}

    results = []
    for seed in (1, 1, 2):
        twin = copy.deepcopy(model)
        torch.rand(seed * 10)  # the state of the global generator does not matter
        fit(twin, x, noisy, epochs=2, seed=seed)
        results.append(weights(twin))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_fit_leaves_the_global_generator_alone(model, x):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(model, x, losses.bernoulli, epochs=1)
    assert torch.equal(torch.rand(3), expected)


def test_one_cycle_is_pytorch_s():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)
    theirs = OneCycleLR(optimizer, max_lr=1, total_steps=1001, final_div_factor=1e9)
    for k in range(1000):
        assert one_cycle(k / 1000) == pytest.approx(theirs.get_last_lr()[0], abs=0.01)
        optimizer.step()
        theirs.step()


def test_the_schedule_multiplies_the_rate(model, x):
    """With a rate of nothing from half-way on, the second half changes nothing."""
    half, whole = copy.deepcopy(model), copy.deepcopy(model)
    fit(half, x, losses.bernoulli, epochs=2)
    fit(whole, x, losses.bernoulli, epochs=4, schedule=lambda t: float(t < 0.5))
    assert torch.allclose(weights(half), weights(whole), atol=1e-7)
    assert not torch.allclose(weights(half), weights(model), atol=1e-4)


def test_averaging_gives_the_moving_average_of_the_weights(model, x):
    seen, twin = [], copy.deepcopy(model)

    def spy(model, x):
        seen.append(weights(model))
        return losses.bernoulli(model, x)

    fit(twin, x, spy, epochs=3, batch=25)
    seen.append(weights(twin))
    mean = seen[1]  # the average starts from the first step's result
    for w in seen[2:]:
        mean = 0.5 * mean + 0.5 * w
    history = fit(model, x, losses.bernoulli, epochs=3, batch=25, average=0.5, valid=x)
    assert torch.allclose(weights(model), mean, atol=1e-6)
    measured = evaluate(model, x, losses.bernoulli)["reconstruction"]
    assert history["valid reconstruction"][-1] == pytest.approx(measured, rel=1e-6)


@pytest.mark.parametrize("average", [None, 0.9])
def test_the_stop_button_keeps_model_and_history(model, x, capsys, average):
    calls = []

    def loss(model, x):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return losses.bernoulli(model, x)

    before = weights(model)
    history = fit(model, x, loss, epochs=100, batch=10, lr=0.01, average=average)
    assert len(calls) == 8
    assert history["epoch"] == [1.0, 1.4]
    assert len(history["reconstruction"]) == 2
    assert not torch.equal(weights(model), before) and weights(model).isfinite().all()
    assert "Stopped after 1.4 of 100 epochs; what was learnt so far is kept." in (
        capsys.readouterr().out
    )


def test_stopped_before_the_first_step(model, x, capsys):
    def loss(model, x):
        raise KeyboardInterrupt

    assert fit(model, x, loss)["epoch"] == []
    assert "Stopped after 0.0 of 10 epochs" in capsys.readouterr().out


# ---- checkpoint -------------------------------------------------------------------------------


CALLS = {"left": math.inf}


def noisy(model, x):
    """A loss with two terms and noise, whose order shows where the generator stands. It presses the
    stop button after as many calls as are left."""
    CALLS["left"] -= 1
    if CALLS["left"] < 0:
        CALLS["left"] = math.inf
        raise KeyboardInterrupt
    noise = 0.1 * torch.randn_like(x)
    return {"reconstruction": losses.squared_error(x, model(x + noise)), "L2": losses.l2(model) / 9}


@pytest.mark.parametrize("after", [3, 16, 23, 41])  # of 50 steps, 10 an epoch; and batches on x
@pytest.mark.parametrize("average", [None, 0.9])
def test_interrupted_and_resumed_gives_the_numbers_of_an_uninterrupted_training(
    model, x, tmp_path, after, average
):
    settings = {"epochs": 5, "batch": 5, "lr": 0.02, "schedule": one_cycle, "average": average}
    whole, twin = copy.deepcopy(model), copy.deepcopy(model)
    expected = fit(whole, x, noisy, valid=x[:7], **settings)
    path = tmp_path / "training.pt"
    CALLS["left"] = after - 1
    fit(twin, x, noisy, valid=x[:7], checkpoint=path, **settings)
    assert not torch.equal(weights(twin), weights(whole))
    history = fit(model, x, noisy, valid=x[:7], checkpoint=path, **settings)  # a new model
    assert torch.equal(weights(model), weights(whole))
    for name in set(expected) - {"seconds"}:
        assert history[name] == expected[name]
    assert history["seconds"] == sorted(history["seconds"]) and len(history["seconds"]) == 5
    assert [file.name for file in tmp_path.iterdir()] == ["training.pt"]


def test_a_finished_training_is_not_done_again(model, x, tmp_path):
    path, twin = tmp_path / "training.pt", copy.deepcopy(model)
    expected = fit(model, x, noisy, epochs=2, average=0.9, checkpoint=path)
    CALLS["left"] = 0
    history = fit(twin, x, noisy, epochs=2, average=0.9, checkpoint=path)
    CALLS["left"] = math.inf
    assert history == expected
    assert torch.equal(weights(twin), weights(model))


@pytest.mark.parametrize(
    "other, words",
    [
        ({"epochs": 5}, "epochs 2, not 5"),
        ({"lr": 0.1}, "lr 0.001, not 0.1"),
        ({"seed": 7}, "seed 0, not 7"),
        ({"average": 0.5}, "average None, not 0.5"),
        ({"batch": 64}, "batch 128, not 64"),
        ({"bf16": True}, "bf16 False, not True"),
        ({"schedule": one_cycle}, "schedule None, not aecourse.training.one_cycle"),
        ({"optimizer": torch.optim.SGD}, r"optimizer torch.*Adam, not torch.*SGD"),
        ({"loss": partial(losses.gaussian, sigma=0.1)}, "loss .*sigma=0.2.*, not .*sigma=0.1.*"),
        (
            {"loss": lambda model, x: losses.gaussian(model, x, 0.2)},
            "loss .*gaussian.*, not .*lambda.*",
        ),
        ({"x": torch.rand(9, *SHAPE)}, r"data \(50, 1, 4, 4\).*, not \(9, 1, 4, 4\).*"),
        ({"x": torch.rand(50, *SHAPE)}, "data .*checksum.*, not .*checksum.*"),
        ({"valid": torch.rand(5, *SHAPE)}, r"valid None, not \(5, 1, 4, 4\).*"),
        ({"model": models.Autoencoder(SHAPE, (9,), 2)}, "model Autoencoder of .*"),
        ({"model": models.Autoencoder(SHAPE, (8,), 2, torch.nn.Tanh)}, "model Autoencoder of .*"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(model, x, tmp_path, other, words):
    path, loss = tmp_path / "training.pt", partial(losses.gaussian, sigma=0.2)
    fit(model, x, loss, epochs=2, checkpoint=path)
    settings = {"model": model, "x": x, "loss": loss, "epochs": 2} | other
    before, file = weights(settings["model"]), path.read_bytes()
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match=rf"training.pt is of another training \({words}\)"):
        fit(checkpoint=path, **settings)
    assert torch.equal(weights(settings["model"]), before) and path.read_bytes() == file
    assert torch.equal(torch.get_rng_state(), state)
    assert [file.name for file in tmp_path.iterdir()] == ["training.pt"]


class Code:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return print, ("this is run",)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:300]),
        lambda path: path.write_bytes(b""),
        lambda path: torch.save(torch.nn.Linear(2, 2).state_dict(), path),
        lambda path: torch.save({"recipe": Code(), "history": {}, "generators": {}}, path),
    ],
    ids=["half", "empty", "a state_dict", "code"],
)
def test_a_file_that_is_no_checkpoint_is_refused_and_not_run(model, x, tmp_path, spoil, capsys):
    path = tmp_path / "training.pt"
    fit(model, x, losses.bernoulli, epochs=1, checkpoint=path)
    spoil(path)
    with pytest.raises(ValueError, match=r"training.pt is no whole checkpoint: delete it"):
        fit(model, x, losses.bernoulli, epochs=1, checkpoint=path)
    assert "this is run" not in capsys.readouterr().out


@pytest.mark.parametrize("path", ["missing/a.pt", "."])
def test_a_missing_folder_is_told_before_the_first_step(model, x, tmp_path, path):
    before = weights(model)
    with pytest.raises(ValueError, match="make the folder for the file first"):
        fit(model, x, losses.bernoulli, epochs=1, checkpoint=tmp_path / path)
    assert torch.equal(weights(model), before)


def test_a_checkpoint_serves_one_training_at_a_time(model, x, tmp_path):
    path, twin = tmp_path / "training.pt", copy.deepcopy(model)

    def loss(model, x):
        if model is not twin:
            with pytest.raises(ValueError, match="in use by another training"):
                fit(twin, x, noisy, checkpoint=path)
        return losses.bernoulli(model, x)

    fit(model, x, loss, epochs=1, checkpoint=path)
    (tmp_path / "training.pt").unlink()
    (tmp_path / "training.pt.lock").write_text("left by a process that was killed")
    fit(model, x, noisy, epochs=1, checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == ["training.pt"]


def test_a_checkpoint_is_written_whole_or_not_at_all(model, x, tmp_path, monkeypatch):
    path = tmp_path / "training.pt"
    fit(model, x, noisy, epochs=1, checkpoint=path)
    whole = path.read_bytes()

    def half(state, file):
        with open(file, "wb") as out:
            out.write(whole[:100])
        raise OSError("the disk is full")

    state = {"model": model}
    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="disk is full"):
        checkpoints.save(path, {}, state, {})
    assert path.read_bytes() == whole
    assert [file.name for file in tmp_path.iterdir()] == ["training.pt"]


def test_a_loss_is_described_alike_in_every_process():
    code = "from functools import partial; from aecourse import checkpoints, losses; "
    code += "print(checkpoints.described(partial(losses.negative_elbo, beta=3.0)), "
    code += "checkpoints.described(lambda model, x: {'r': x.mean()}))"
    said = {subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)}
    assert len(said) == 1 and b"beta=3.0" in said.pop()


def test_what_a_loss_closes_over_counts():
    def weighted(weight, seen):
        return lambda model, x: {"reconstruction": weight * len(seen)}

    one, same, other = weighted(1.0, []), weighted(1.0, [7]), weighted(2.0, [])
    assert checkpoints.described(one) == checkpoints.described(same)
    assert checkpoints.described(one) != checkpoints.described(other)


def with_nan(x):
    x = x.clone()
    x[4, 0, 1, 1] = math.nan
    return x


# ---- what people bring ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil, sentence",
    [
        (lambda x: x[:0], r"x is empty, \(0, 1, 4, 4\): there must be one example at least"),
        (lambda x: x[0, 0, 0], r"x is \(4,\): there must be one example at least"),
        (lambda x: x[:, :, :3], r"The model takes \(1, 4, 4\), the examples are \(1, 3, 4\)"),
        (with_nan, r"x contains NaN or infinity, 1 times, first at \(4, 0, 1, 1\)"),
        (lambda x: x / 0, "x contains NaN or infinity"),
        (lambda x: ["a", "b"], "x must be numbers"),
        (lambda x: [[1.0], [2.0, 3.0]], "x has parts of unequal shape"),
        (lambda x: x * 255, r"A Bernoulli loss needs x in \[0, 1\]"),
    ],
)
def test_bad_data_gets_one_sentence_and_leaves_the_model_as_it_was(model, x, spoil, sentence):
    before = weights(model)
    for call in (
        lambda: fit(model, spoil(x), losses.bernoulli),
        lambda: evaluate(model, spoil(x), losses.bernoulli),
        lambda: fit(model, x, losses.bernoulli, valid=spoil(x), epochs=0),
    )[: 2 if "Bernoulli" in sentence else 3]:
        words = sentence.replace("x", "(x|valid)", 1)
        with pytest.raises((ValueError, TypeError), match=words) as e:
            call()
        assert "\n" not in str(e.value)
    assert torch.equal(weights(model), before)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: x.double(),
        lambda x: x.numpy(),
        lambda x: x.tolist(),
        lambda x: list(x),
        lambda x: x[:, 0],  # no channel
        lambda x: x.flatten(1),  # rows of pixels
        lambda x: x.movedim(1, 3).numpy(),  # channels last
        lambda x: (255 * x).byte(),
    ],
)
def test_what_is_certainly_meant_is_taken(model, x, spoil):
    x = (255 * x).round() / 255
    twin = copy.deepcopy(model)
    expected = fit(twin, x, losses.bernoulli, epochs=2, valid=x)["valid reconstruction"]
    came = fit(model, spoil(x), losses.bernoulli, epochs=2, valid=spoil(x))["valid reconstruction"]
    assert came == pytest.approx(expected, rel=1e-6)
    assert evaluate(model, spoil(x), losses.bernoulli)["reconstruction"] == pytest.approx(came[-1])


def test_a_model_in_double_precision_is_trained_in_it(model, x):
    model = model.double()
    fit(model, x, losses.bernoulli, epochs=1)
    assert {p.dtype for p in model.parameters()} == {torch.float64}


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"epochs": 1.5}, "epochs = 1.5: a whole number from 0 on"),
        ({"epochs": -1}, "epochs = -1"),
        ({"batch": 0}, "batch = 0: a whole number from 1 on"),
        ({"lr": -1}, "lr = -1"),
        ({"lr": math.nan}, "lr = nan: the learning rate must be a positive number"),
        ({"average": 1.5}, "average = 1.5: the decay lies between 0 and 1"),
    ],
)
def test_impossible_settings_get_one_sentence(model, x, settings, words):
    with pytest.raises(ValueError, match=words):
        fit(model, x, losses.bernoulli, **settings)


def test_no_epochs_are_no_training(model, x):
    before = weights(model)
    assert fit(model, x, losses.bernoulli, epochs=0) == {"epoch": [], "seconds": [], "loss": []}
    assert torch.equal(weights(model), before)


def test_a_model_without_weights_has_nothing_to_learn(x):
    with pytest.raises(ValueError, match="nothing to learn"):
        fit(models.PCA(x, 2), x, lambda model, x: {"r": losses.squared_error(x, model(x))})


# ---- modes, batches, optimizers ---------------------------------------------------------------


def with_norm_and_dropout():
    torch.manual_seed(0)
    model = models.Autoencoder(SHAPE, (8,), 2)
    model.encoder.insert(1, torch.nn.BatchNorm1d(8))
    model.encoder.append(torch.nn.Dropout(0.5))
    return model


@pytest.mark.parametrize("valid", [False, True])
def test_it_trains_in_train_mode_measures_in_eval_mode_and_ends_in_it(x, valid):
    modes = []

    def loss(model, x):
        modes.append(model.training)
        return losses.bernoulli(model, x)

    model = with_norm_and_dropout().eval()
    fit(model, x, loss, epochs=2, batch=25, valid=x if valid else None)
    assert not model.training
    assert modes == ([True, True, False] if valid else [True, True]) * 2
    model.train()
    assert evaluate(model, x, loss) == evaluate(model, x, loss)  # dropout and norm are still
    assert not model.training


def test_a_last_batch_of_one_joins_its_neighbour(x):
    sizes = []

    def loss(model, x):
        sizes.append(len(x))
        return losses.bernoulli(model, x)

    for batch, expected in ((7, [7] * 6 + [8]), (49, [50]), (48, [48, 2]), (50, [50]), (60, [50])):
        sizes.clear()
        history = fit(with_norm_and_dropout(), x, loss, epochs=1, batch=batch)
        assert sizes == expected and history["epoch"] == [1.0]
    fit(models.Autoencoder(SHAPE, (8,), 2), x[:3], loss, epochs=1, batch=1)
    assert sizes[-3:] == [1, 1, 1]


@pytest.mark.parametrize("noise", [losses.negative_elbo, noisy])
def test_a_validation_set_changes_nothing(x, noise):
    runs = []
    for valid in (None, x[:20]):
        torch.manual_seed(0)
        model = models.VAE(SHAPE, (8,), 2)
        runs.append((fit(model, x, noise, epochs=3, batch=16, valid=valid)["loss"], weights(model)))
    assert runs[0][0] == runs[1][0] and torch.equal(runs[0][1], runs[1][1])


OPTIMIZERS = ["SGD", "AdamW", "RMSprop", "NAdam", "RAdam", "Adamax", "Adadelta", "Adagrad", "ASGD"]


@pytest.mark.parametrize("name", [*OPTIMIZERS, "Rprop", "LBFGS"])
def test_any_optimizer_of_pytorch_takes_the_steps_that_it_takes_by_hand(model, x, name):
    make, twin = getattr(torch.optim, name), copy.deepcopy(model)
    fit(model, x, losses.bernoulli, epochs=3, batch=50, optimizer=partial(make, lr=0.01))
    optimizer = make(twin.parameters(), lr=1e-3)
    torch.manual_seed(0)
    for _ in range(3):
        rows = x[torch.randperm(50)]

        def closure(rows=rows):
            optimizer.zero_grad()
            loss = losses.bernoulli(twin, rows)["reconstruction"]
            loss.backward()
            return loss

        optimizer.step(closure)
    assert torch.allclose(weights(model), weights(twin), atol=1e-5)


def test_the_schedule_is_asked_at_each_step(model, x):
    asked = []
    fit(model, x, noisy, epochs=2, batch=10, schedule=lambda t: asked.append(t) or 1.0)
    assert asked == pytest.approx([k / 10 for k in range(10)])


def test_the_bar_ends_with_all_steps_and_the_means_of_the_last_epoch(model, x, capsys):
    history = fit(model, x, noisy, epochs=3, batch=5)
    last = capsys.readouterr().out.split("\r")[-1]
    assert "100%" in last and "30/30" in last
    words = f"reconstruction {history['reconstruction'][-1]:.4g}, L2 {history['L2'][-1]:.4g}]"
    assert words in last


# ---- losses that go wrong ---------------------------------------------------------------------


def test_a_loss_that_explodes_keeps_the_last_finite_weights(model, x):
    seen = []

    def loss(model, x):
        seen.append(weights(model))
        factor = math.inf if len(seen) == 4 else 1
        return {"reconstruction": losses.squared_error(x, model(x)) * factor}

    with pytest.raises(ValueError, match=r"The loss became inf: try a smaller lr than 0.001") as e:
        fit(model, x, loss, batch=10)
    assert torch.equal(weights(model), seen[3]) and weights(model).isfinite().all()
    assert e.value.history["epoch"] == [0.6] and not model.training


def test_a_gradient_that_is_nan_keeps_the_last_finite_weights(model, x):
    def loss(model, x):  # the root has an infinite slope at 0, and 0 * infinity is NaN
        return {"reconstruction": (0 * model(x)).sqrt().sum()}

    before = weights(model)
    with pytest.raises(ValueError, match="The gradient became NaN"):
        fit(model, x, loss)
    assert torch.equal(weights(model), before)


def test_before_the_first_step_it_is_not_the_rate(model, x):
    with pytest.raises(ValueError, match=r"x lies in \[0.*, 1\]: scale it .* or standardise it"):
        fit(model, x, lambda model, x: {"reconstruction": model(x).sum() * math.inf})


@pytest.mark.parametrize(
    "terms, words",
    [
        (lambda r: {"loss": r}, "A term is named 'loss', as a column of the history is"),
        (lambda r: {"epoch": r}, "A term is named 'epoch'"),
        (lambda r: {"valid r": r}, "A term is named 'valid r'"),
        (lambda r: {"r": r.expand(5)}, r"The term 'r' is \(5,\): one number is wanted"),
        (lambda r: {"r": r.item()}, "The loss has no gradient: no .item()"),
        (lambda r: {"r": r.detach()}, "The loss has no gradient"),
        (lambda r: {}, "A loss returns named terms"),
        (lambda r: None, "A loss returns named terms"),
    ],
)
def test_terms_that_no_history_can_keep_get_one_sentence(model, x, terms, words):
    before = weights(model)
    with pytest.raises((ValueError, TypeError), match=words):
        fit(model, x, lambda model, x: terms(losses.squared_error(x, model(x))))
    assert torch.equal(weights(model), before)


def test_a_term_may_be_a_plain_number_beside_one_that_learns(model, x):
    def loss(model, x):
        return {"reconstruction": losses.squared_error(x, model(x)), "constant": 3.0}

    history = fit(model, x, loss, epochs=2)
    assert history["constant"] == [3.0, 3.0]
    assert history["loss"][1] == pytest.approx(history["reconstruction"][1] + 3)


def test_bf16_trains_to_about_the_same_loss_with_weights_in_full_precision(model, x):
    twin = copy.deepcopy(model)
    full = fit(twin, x, losses.bernoulli, epochs=20, lr=0.01)["loss"]
    half = fit(model, x, losses.bernoulli, epochs=20, lr=0.01, bf16=True)["loss"]
    assert half != full and half[-1] == pytest.approx(full[-1], rel=0.01)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_a_loss_without_names_is_refused(model, x):
    with pytest.raises(TypeError, match=r'named terms, {"reconstruction": r}, this one a Tensor'):
        fit(model, x, lambda model, x: losses.squared_error(x, model(x)))
