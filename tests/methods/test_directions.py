"""Task arithmetic: hand examples of one-sided, agreeing and two-sided directions, and the search for a strength."""

from __future__ import annotations

import math

import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.shared.directions import FIRST, difference, merge, smallest_strength, walk, weights_of
from unlearn_core.training import SilentReporter


def one(*values: float) -> dict[str, torch.Tensor]:
    return {"weight": torch.tensor([values])}


class Row(nn.Module):
    """A weight of one row beside a normalisation layer, which no direction holds."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([values]))
        self.norm = nn.BatchNorm1d(2)
        self.bias = nn.Parameter(torch.zeros(2))


def test_the_opposite_of_what_was_learned() -> None:
    model = Row(1.0)
    walk(model, one(1.0), difference(one(1.0), one(1.5)), 0.6)
    assert math.isclose(model.weight.item(), 0.7, abs_tol=1e-6)


def test_what_copies_agree_on() -> None:
    first, second, third = one(1.0, -2.0, 3.0), one(3.0, 2.0, 1.0), one(3.0, 2.0, -1.0)
    assert merge([first, second], agree=False)["weight"].tolist() == [[2.0, 0.0, 2.0]]
    assert merge([first, second], agree=True)["weight"].tolist() == [[2.0, 0.0, 2.0]]
    assert merge([first, third], agree=False)["weight"].tolist() == [[2.0, 0.0, 1.0]]
    assert merge([first, third], agree=True)["weight"].tolist() == [[2.0, 0.0, 0.0]]


def test_between_two_copies_the_drift_that_they_share_cancels() -> None:
    start, right, wrong = one(1.0), one(1.3), one(1.5)  # both drift by 0.4, the labels pull by ∓0.1
    model = Row(1.0)
    walk(model, start, difference(right, wrong), 2.0)
    assert math.isclose(model.weight.item(), 0.6, abs_tol=1e-6)
    assert math.isclose(difference(wrong, start)["weight"].item(), 0.5, abs_tol=1e-6)  # of which 0.4 is drift


def test_normalisation_layers_are_in_no_direction() -> None:
    assert weights_of(Row(1.0, 2.0)).keys() == {"weight", "bias"}
    assert weights_of(Row(1.0, 2.0), matrices=True).keys() == {"weight"}


def test_the_smallest_strength_that_is_enough() -> None:
    for needed in (0.03, 0.4, 5.0, 300.0):
        found, reached = smallest_strength(lambda strength, needed=needed: float(strength < needed), 0.5)  # type: ignore[misc]
        assert reached
        assert needed <= found <= needed * 1.01 + FIRST / 200
    assert smallest_strength(lambda strength: 0.0, 0.5) == (0.0, True)
    found, reached = smallest_strength(lambda strength: 0.7 + abs(strength - 0.8), 0.5)
    assert (found, reached) == (0.8, False)  # never low enough: the lowest that was seen


def test_it_says_how_far_it_went_and_leaves_normalisation_alone(digits: Trained) -> None:
    task = digits.task()
    before = {key: value.clone() for key, value in task.original.state_dict().items()}
    method = registry.get("negmerge")
    model = method(method.params({"epochs": 2, "runs": 2})).unlearn(task, SilentReporter())
    assert model.report["strength"]["alpha"] > 0  # type: ignore[index]
    moved = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert moved
    assert not any("running" in key or ".norm" in key for key in moved)
