"""`fit` against an independent loop, and everything that can go wrong with it."""

import copy
import math

import pytest
import torch
from torch.optim.lr_scheduler import OneCycleLR

from aecourse import losses, models
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


def noisy(model, x):
    """A loss with two terms and noise, whose order shows where the generator stands."""
    noise = 0.1 * torch.randn_like(x)
    return {"reconstruction": losses.squared_error(x, model(x + noise)), "L2": losses.l2(model) / 9}


def interrupted(after):
    """The same loss, which presses the stop button at the call of that number."""
    calls = []

    def loss(model, x):
        calls.append(1)
        if len(calls) == after:
            raise KeyboardInterrupt
        return noisy(model, x)

    return loss


@pytest.mark.parametrize("after", [3, 16, 23, 41])  # of 50 steps, 10 an epoch; and batches on x
@pytest.mark.parametrize("average", [None, 0.9])
def test_interrupted_and_resumed_gives_the_numbers_of_an_uninterrupted_training(
    model, x, tmp_path, after, average
):
    settings = {"epochs": 5, "batch": 5, "lr": 0.02, "schedule": one_cycle, "average": average}
    whole, twin = copy.deepcopy(model), copy.deepcopy(model)
    expected = fit(whole, x, noisy, valid=x[:7], **settings)
    path = tmp_path / "training.pt"
    fit(twin, x, interrupted(after), valid=x[:7], checkpoint=path, **settings)
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
    history = fit(twin, x, interrupted(1), epochs=2, average=0.9, checkpoint=path)
    assert history == expected
    assert torch.equal(weights(twin), weights(model))


@pytest.mark.parametrize(
    "other, words",
    [
        ({"epochs": 5}, "epochs 2, not 5"),
        ({"lr": 0.1}, "lr 0.001, not 0.1"),
        ({"seed": 7}, "seed 0, not 7"),
        ({"average": 0.5}, "average None, not 0.5"),
        ({"x": torch.rand(9, *SHAPE)}, "examples 50, not 9"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(model, x, tmp_path, other, words):
    path = tmp_path / "training.pt"
    fit(model, x, losses.bernoulli, epochs=2, checkpoint=path)
    before = weights(model)
    settings = {"x": x, "epochs": 2} | other
    with pytest.raises(ValueError, match=rf"training.pt is of another training \({words}\)"):
        fit(model, loss=losses.bernoulli, checkpoint=path, **settings)
    assert torch.equal(weights(model), before)


def with_nan(x):
    x = x.clone()
    x[4, 0, 1, 1] = math.nan
    return x


@pytest.mark.parametrize(
    "spoil, sentence",
    [
        (lambda x: x[:0], r"x is \(0, 1, 4, 4\): there must be one example at least"),
        (lambda x: x[0, 0, 0], r"x is \(4,\): there must be"),
        (lambda x: x[:, :, :3], r"The model takes \(1, 4, 4\), the examples are \(1, 3, 4\)"),
        (lambda x: x.flatten(1), r"The model takes \(1, 4, 4\), the examples are \(16,\)"),
        (with_nan, "x contains NaN or infinity"),
        (lambda x: x / 0, "x contains NaN or infinity"),
        (lambda x: (x * 255).byte(), "x must be a float tensor, not torch.uint8"),
        (lambda x: x.numpy(), "x must be a float tensor, not float32"),
        (lambda x: x.tolist(), "x must be a float tensor, not list"),
        (lambda x: x * 255, r"A Bernoulli loss needs x in \[0, 1\]"),
    ],
)
def test_bad_data_gets_one_sentence_and_leaves_the_model_as_it_was(model, x, spoil, sentence):
    before = weights(model)
    with pytest.raises(ValueError, match=sentence) as error:
        fit(model, spoil(x), losses.bernoulli)
    assert "\n" not in str(error.value)
    assert torch.equal(weights(model), before)
    with pytest.raises(ValueError, match=sentence):
        fit(model, x, losses.bernoulli, valid=spoil(x), epochs=1)


def test_a_loss_that_explodes_stops_with_advice(model, x):
    def loss(model, x):
        return {"reconstruction": losses.squared_error(x, model(x)) * math.inf}

    with pytest.raises(ValueError, match=r"The loss became inf: try a smaller lr than 0.001"):
        fit(model, x, loss)


def test_a_loss_without_names_is_refused(model, x):
    with pytest.raises(TypeError, match=r'named terms, {"reconstruction": r}, this one a Tensor'):
        fit(model, x, lambda model, x: losses.squared_error(x, model(x)))
