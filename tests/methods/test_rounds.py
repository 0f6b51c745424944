"""A method that passes through better rounds returns one of them and says so; what it is normalised by fits its weights."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import UnlearningTask, accuracy_on, registry
from unlearn_core.methods.redirection.rem import Redirection
from unlearn_core.methods.shared.rounds import Rounds, has_fallen, sample, training_anew
from unlearn_core.methods.shared.sgd import measure_statistics
from unlearn_core.presets import preset_params
from unlearn_core.training import DeviceData, SilentReporter, predict


@pytest.mark.parametrize(
    ("retain", "examples", "before", "fallen"),
    [
        ([0.943, 0.95, 0.96, 0.965, 0.825], 2000, 1.0, True),  # REM on 28×28 digits
        ([0.943, 0.95, 0.96, 0.965], 2000, 1.0, False),
        ([0.97, 0.90], 2000, 1.0, False),  # undiscovered corruption that was healed looks like this
        ([0.5, 0.42], 50, 0.5, False),  # chance, with so few examples
        ([0.5, 0.42], 2000, 0.5, True),
        ([0.80, 0.64, 0.54, 0.60, 0.63], 1186, 0.984, False),  # photographs known by heart: utility rose from .31 to .34
        ([0.80, 0.64, 0.54, 0.60, 0.50], 1186, 0.984, True),
        ([0.992, 0.530, 0.554, 0.615, 0.648], 2048, 1.0, False),  # known by heart, unlearned from the second round on
        ([0.976, 0.639, 0.550, 0.598, 0.638], 2048, 1.0, False),
        ([0.976, 0.639, 0.550, 0.560], 2048, 1.0, True),  # no more than chance
        ([0.976, 0.639, 0.550, 0.598, 0.52], 2048, 1.0, True),  # and fallen again
        ([0.97, 0.91, 0.85, 0.7, 0.5], 2048, 1.0, True),  # ruined step by step
        ([0.774, 0.156, 0.149, 0.134, 0.170, 0.204], 1351, 1.0, True),  # ruined at once
        ([0.9], 2000, 1.0, False),
    ],
)
def test_a_fall_is_more_than_healing_memory_and_chance(retain: list[float], examples: int, before: float, fallen: bool) -> None:
    assert has_fallen(retain, examples, before) is fallen


class Kept(SilentReporter):
    def __init__(self) -> None:
        self.states: list[dict[str, torch.Tensor]] = []

    def snapshot(self, model: nn.Module) -> None:
        self.states.append(copy.deepcopy(model.state_dict()))


def play(task: UnlearningTask, damage: list[float], keep_best: bool = False) -> tuple[nn.Module, Kept]:
    """Rounds after each of which the network's head is as it was but for so much noise."""
    kept = Kept()
    rounds, model, head = Rounds(kept, task, keep_best), task.original, task.original.head.weight.detach().clone()
    for amount in damage:
        noise = torch.randn(head.shape, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            model.head.weight.copy_(head + amount * noise)
        model.train()
        rounds.snapshot(model)
    return rounds.returned(model), kept


@pytest.mark.parametrize(
    ("damage", "keep_best", "returned", "why"),
    [([0.01, 20.0, 0.1, 20.0], False, 3, "fell"), ([0.0, 0.0, 0.01], False, 3, "last"), ([20.0, 0.0, 0.01], True, 1, "proxy")],
)
def test_the_best_round_is_returned_where_the_last_fell_and_that_is_reported(
    damage: list[float], keep_best: bool, returned: int, why: str, digits: Trained
) -> None:
    model, kept = play(digits.task(), damage, keep_best)
    rounds = model.report["rounds"]  # type: ignore[index]
    assert (rounds["returned"], rounds["why"]) == (returned, why)
    assert len(rounds["retain"]) == len(rounds["forget"]) == len(damage)
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in kept.states[returned - 1].items())
    assert not model.training
    task = digits.task()
    assert accuracy_on(model, task, task.retain) == pytest.approx(rounds["retain"][returned - 1], abs=0.01)


def test_one_round_is_returned_without_a_word(digits: Trained) -> None:
    model, _ = play(digits.task(), [20.0])
    assert not hasattr(model, "report")


def test_rem_does_not_return_a_round_that_broke_the_network(digits: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    values, last = preset_params("rem", "digits") | {"epochs": 4}, 3
    flush = Redirection.flush

    def unlucky(self: Redirection) -> None:
        flush(self)
        if len(self.reporter.retain) == last:  # type: ignore[attr-defined]
            with torch.no_grad():
                self.model.head.weight.add_(20 * torch.randn(self.model.head.weight.shape))

    monkeypatch.setattr(Redirection, "flush", unlucky)
    rem, task = registry.get("rem"), digits.task(discovery=0.3)
    model = rem(rem.params(values)).unlearn(task, SilentReporter())
    rounds = model.report["rounds"]  # type: ignore[index]
    assert rounds["why"] == "fell"
    assert rounds["retain"][-1] < 0.8 < rounds["retain"][rounds["returned"] - 1]
    assert accuracy_on(model, digits.task(), digits.task().retain) > 0.9


def test_amun_stops_short_of_ruin(digits: Trained) -> None:
    amun, task = registry.get("amun"), digits.task(discovery=0.1)
    model = amun(amun.params(preset_params("amun", "digits"))).unlearn(task, SilentReporter())
    rounds = model.report["rounds"]  # type: ignore[index]
    assert rounds["why"] == "fell"
    assert rounds["retain"][-1] < 0.85 < accuracy_on(model, digits.task(), digits.task().retain)


def slow(model: nn.Module, momentum: float) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = momentum
    return model


@pytest.mark.parametrize("name", ["finetune", "npo", "scrub", "retrain", "rem"])
def test_a_slow_running_mean_does_not_blind_the_network(name: str, digits: Trained) -> None:
    method, task = registry.get(name), digits.task(discovery=0.3)
    fresh = task.fresh_model
    task = dataclasses.replace(
        task,
        original=slow(task.original, 0.001),
        fresh_model=lambda seed: slow(fresh(seed), 0.001),
        recipe=digits.scenario.training,
    )
    task = dataclasses.replace(task, recipe=task.recipe.model_copy(update={"epochs": 8}))
    params = preset_params(name, "digits") | ({"epochs": 3} if "epochs" in method.Params.model_fields else {})
    model = method(method.params(params)).unlearn(task, SilentReporter())
    assert (predict(model, digits.arena.test).argmax(1) == digits.arena.test.labels).float().mean() > 0.85


def test_training_anew_keeps_the_recipe_s_own_statistics_where_they_arrive(digits: Trained) -> None:
    task, reporter = digits.task(), SilentReporter()
    assert training_anew(reporter, task.fresh_model(1), task, task.retain) is reporter
    assert training_anew(reporter, slow(task.fresh_model(1), 0.01), task, task.retain) is not reporter


def test_statistics_are_those_of_plain_inputs_with_nothing_dropped_and_frozen_norms_stay() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm2d(3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 2))
    net[2].requires_grad_(False)
    frozen = net[2].running_mean.clone()
    inputs = torch.randint(0, 256, (40, 3, 4, 4), dtype=torch.uint8)
    data = DeviceData(inputs, torch.arange(40) % 2, 2, torch.full((3,), 100.0), torch.full((3,), 50.0))
    ids = torch.arange(0, 40, 2)
    seen = measure_statistics(net, data, SilentReporter(), ids)
    torch.testing.assert_close(net[1].running_mean, data.batch(ids).mean((0, 2, 3)))
    assert torch.equal(net[2].running_mean, frozen)
    assert seen is not None
    assert not any(module.training for module in net.modules())
    assert net[1].momentum == 0.1
    assert measure_statistics(nn.Linear(2, 2), data, SilentReporter(), ids) is None


def test_a_sample_is_fixed_and_small_sets_are_taken_whole() -> None:
    ids = torch.arange(100, 5000)
    assert torch.equal(sample(ids[:2000], 0), ids[:2000])
    one = sample(ids, 0)
    assert len(one) == 2048
    assert torch.equal(one, sample(ids, 0))
    assert not torch.equal(one, sample(ids, 1))
    assert torch.isin(one, ids).all()
