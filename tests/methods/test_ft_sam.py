"""FT-SAM: the hand example, where its gradient is taken, and whose statistics count."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tiny import random_task
from trained import Trained

from unlearn_core.methods.fine_tuning.ft_sam import FtSam, worst_step


@pytest.mark.parametrize(("adaptive", "expected"), [(False, [0.03, 0.04]), (True, [0.05, 0.0])])
def test_the_step_to_the_worst_weights(adaptive: bool, expected: list[float]) -> None:
    weights, slopes = [torch.tensor([1.0]), torch.tensor([0.0])], [torch.tensor([3.0]), torch.tensor([4.0])]
    found = torch.cat(worst_step(weights, slopes, 0.05, adaptive))
    torch.testing.assert_close(found, torch.tensor(expected))


def test_without_a_slope_there_is_no_step() -> None:
    assert worst_step([torch.ones(2)], [torch.zeros(2)], 2.0, True)[0].tolist() == [0.0, 0.0]


def test_the_gradient_is_that_at_the_worst_weights() -> None:
    task = random_task()
    model, x, y = task.original, task.data.inputs, task.data.labels
    method = FtSam(FtSam.params({"radius": 0.5, "smoothing": 0.1}))
    found = torch.autograd.grad(method.loss()(model, x, y, task.everything), list(model.parameters()))
    weights = [parameter.detach().clone() for parameter in model.parameters()]
    slopes = torch.autograd.grad(F.cross_entropy(model(x), y, label_smoothing=0.1), list(model.parameters()))
    with torch.no_grad():
        for parameter, move in zip(model.parameters(), worst_step(weights, list(slopes), 0.5, True), strict=True):
            parameter.add_(move)
    there = torch.autograd.grad(F.cross_entropy(model(x), y, label_smoothing=0.1), list(model.parameters()))
    torch.testing.assert_close(found, there)
    assert not torch.allclose(found[0], slopes[0])


def test_running_statistics_follow_the_first_pass_alone(digits: Trained) -> None:
    method = FtSam(FtSam.params())
    one, other = digits.task(), digits.task()
    ids = one.retain[:32]
    x, y = one.data.batch(ids), one.data.labels[ids]
    method.loss()(one.original.train(), x, y, ids)
    other.original.train()(x)
    moved = 0
    for name, value in other.original.state_dict().items():
        if "running" in name:
            assert torch.equal(one.original.state_dict()[name], value), name
            moved += not torch.equal(value, digits.original.state_dict()[name])
    assert moved
