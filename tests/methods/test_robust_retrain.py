"""Robust retraining: the ELR term by hand, and that it neither needs nor reads a forget set."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.retraining.robust_retrain import RobustRetrain, disagreement, remember
from unlearn_core.training import SilentReporter


def test_the_term_by_hand() -> None:
    p = torch.tensor([[0.8, 0.2]])
    first = remember(torch.zeros(1, 2), p, 0.7)
    torch.testing.assert_close(first, torch.tensor([[0.24, 0.06]]))
    assert disagreement(p, first).item() == pytest.approx(math.log(1 - 0.204))
    second = remember(first, torch.tensor([[0.5, 0.5]]), 0.7)
    torch.testing.assert_close(second, torch.tensor([[0.318, 0.192]]))


def test_the_loss_remembers_each_example_in_its_place() -> None:
    said, y = torch.zeros(4, 2), torch.tensor([1, 0])
    loss = RobustRetrain(RobustRetrain.params()).loss(said)
    logits = torch.tensor([[0.8, 0.2], [0.5, 0.5]]).log()
    found = loss(nn.Identity(), logits, y, torch.tensor([3, 1]))
    terms = math.log(1 - 0.204) + math.log(1 - 0.15)
    assert found.item() == pytest.approx((-math.log(0.2) - math.log(0.5)) / 2 + 3 * terms / 2)
    torch.testing.assert_close(said[[3, 1]], torch.tensor([[0.24, 0.06], [0.15, 0.15]]))
    assert said[[0, 2]].abs().sum() == 0


def test_agreeing_with_what_was_said_before_is_rewarded_and_no_gradient_passes_the_memory() -> None:
    logits = torch.zeros(1, 2, requires_grad=True)
    said = torch.tensor([[0.9, 0.1]])
    RobustRetrain(RobustRetrain.params({"weight": 100.0})).loss(said)(
        nn.Identity(), logits, torch.tensor([1]), torch.tensor([0])
    ).backward()
    assert logits.grad is not None
    assert logits.grad[0, 0] < 0 < logits.grad[0, 1]  # against the label, towards what is remembered
    assert not said.requires_grad


def test_which_examples_are_known_changes_nothing(points: Trained) -> None:
    def run(discovery: float) -> dict[str, torch.Tensor]:
        method, task = registry.get("robust_retrain"), points.task(discovery)
        task = replace(task, recipe=task.recipe.model_copy(update={"epochs": 1}))
        return method(method.params({})).unlearn(task, SilentReporter()).state_dict()

    one, other = run(0.2), run(0.8)
    assert all(torch.equal(value, other[key]) for key, value in one.items())
