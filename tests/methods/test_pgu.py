"""PGU: the hand examples, and that what is kept stays whatever is done to F."""

from __future__ import annotations

import math

import pytest
import torch
from tiny import tiny_data, tiny_task
from torch import nn
from trained import Trained

from unlearn_core.methods.ascent.pgu import Pgu, projected, projection, unsay
from unlearn_core.methods.shared.layer_inputs import input_moments
from unlearn_core.training import SilentReporter


def test_the_kept_direction_by_hand() -> None:
    kept = projection(torch.tensor([[[5.0, 0.0], [0.0, 0.0]]], dtype=torch.float64), 0.95)
    assert kept.tolist() == [[[1.0, 0.0], [0.0, 0.0]]]


def test_the_ratio_is_of_singular_values_and_not_of_their_squares() -> None:
    moment = torch.diag(torch.tensor([36.0, 9.0, 1.0], dtype=torch.float64))[None]  # s = 6, 3, 1: shares .6, .9, 1
    assert projection(moment, 0.95)[0].diagonal().tolist() == pytest.approx([1, 1, 0])
    assert projection(moment, 0.8)[0].diagonal().tolist() == pytest.approx([1, 0, 0])  # by squares it would be .78, .98


def test_the_loss_by_hand() -> None:
    logs = torch.tensor([[0.5, 0.5], [1.0, 1e-30]]).log()
    assert unsay(logs, torch.tensor([0, 0]), 0.05).tolist() == pytest.approx([0.598, 2.996], abs=5e-4)
    found = Pgu(Pgu.params()).loss()(nn.Identity(), logs, torch.tensor([0, 0]), torch.tensor([0, 1]))
    entropy = math.log(2)  # of the first; the second has none, and it is a price and no reward
    assert found.item() == pytest.approx((0.5978 + 2.9957 + 0.2 * entropy) / 2, abs=1e-3)


def test_outputs_on_what_is_kept_are_the_same_to_the_bit() -> None:
    inputs = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 1.0], [1.0, 2.0]])
    model = nn.Linear(2, 2)
    task = tiny_task(model, tiny_data(inputs, torch.tensor([0, 1, 0, 1]), 2), [2, 3])
    before, weight = model(inputs).detach(), model.weight.detach().clone()
    method = Pgu(Pgu.params({"epochs": 20, "threshold": 0.0, "learning_rate": 0.5}))
    method.unlearn(task, SilentReporter())
    assert torch.equal(model(inputs[:2]), before[:2])
    assert torch.equal(model.weight[:, 0], weight[:, 0])
    assert (model(inputs[2:]) - before[2:]).abs().min() > 0.01


def test_gradients_have_no_part_in_the_kept_directions_and_nothing_else_has_any(digits: Trained) -> None:
    task = digits.task()
    model = task.original.eval()
    moments = input_moments(model, task.data, task.retain, SilentReporter())
    kept = {name: projection(moment, 0.8) for name, moment in moments.items()}
    with projected(model, kept):
        nn.functional.cross_entropy(model(task.data.batch(task.forget)), task.data.labels[task.forget]).backward()
        seen = 0
        for name, parameter in model.named_parameters():
            layer, _, what = name.rpartition(".")
            if layer not in kept or what != "weight":
                assert parameter.grad is None
                continue
            assert parameter.grad is not None
            rows = parameter.grad.flatten(1).double()
            assert rows.norm() > 0
            assert (rows @ kept[layer][0]).norm() < 1e-5 * rows.norm()
            seen += 1
    assert seen == len(kept) == 4
    assert all(parameter.requires_grad for parameter in model.parameters())
    with projected(model, kept):
        pass
    assert not any(parameter._backward_hooks for parameter in model.parameters())
