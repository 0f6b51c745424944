"""Label influence: the hand examples, on the loss for which the update is exact."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import tiny_data, tiny_task
from torch import nn
from trained import Trained

from unlearn_core.errors import UserError
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.methods.dampening.importance import Work
from unlearn_core.methods.fine_tuning.label_influence import LabelInfluence, lissa
from unlearn_core.methods.shared.right_labels import relabelled, right_labels_of
from unlearn_core.training import SilentReporter

HALVES = 60
"""Turns after which what is halved in each is gone."""


class OneWeight(nn.Module):
    """w·x as the first of four logits, the others 0."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(self.weight * x, (0, 3))


class Squared(LabelInfluence):
    """With ½(w·x − y)² in place of the cross entropy: its curvature is a constant, so that one Newton step is exact."""

    def losses(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return (logits[:, 0] - labels).square() / 2


def one_weight(right: int = 1) -> UnlearningTask:
    """w = 2, trained on y = 3, whose right label is ``right``, and y = 1; both at x = 1."""
    task = tiny_task(OneWeight(), tiny_data(torch.ones(2, 1, dtype=torch.float64), torch.tensor([3, 1]), 4), [0])
    return replace(task, right=torch.tensor([right]))


def after(task: UnlearningTask, **params: object) -> float:
    method = Squared(Squared.params({"steps": 1, "damping": 0.0, "reach": 0.0} | params))
    return method.unlearn(task, SilentReporter()).weight.item()  # type: ignore[operator, return-value]


def test_a_newton_step_is_the_optimum_of_the_corrected_data() -> None:
    # G = 2 and H = 2 as sums over both, 1 and 1 as means; a scale of 2 on the mean is one of 4 on the sum.
    assert after(one_weight(), order="second", scale=2.0, iterations=HALVES) == pytest.approx(1.0, abs=1e-9)


def test_a_first_order_step_of_a_tenth() -> None:
    assert after(one_weight(), order="first", rate=2 * 0.1) == pytest.approx(1.8)  # the rate is for the mean of two losses


def test_deleting_is_the_same_without_the_right_label_s_term() -> None:
    task = one_weight(right=-1)
    method = Squared(Squared.params({"damping": 0.0}))
    gradient, _ = method.gradient(task, task.forget, right_labels_of(task), Work(SilentReporter(), 1))
    assert gradient.tolist() == [1.0]
    step = lissa(gradient, lambda v: 1.0 * v, range(HALVES), scale=2.0, damping=0.0, patience=20)  # what remains has H = 1
    assert 2 - float(step) == pytest.approx(1.0)


@pytest.mark.parametrize(("damping", "expected"), [(0.0, 1.0), (0.25, 2 / 3)])
def test_the_recursion_solves_with_the_damped_curvature(damping: float, expected: float) -> None:
    found = lissa(torch.tensor([2.0]), lambda v: 2 * v, range(HALVES), scale=4.0, damping=damping, patience=20)
    assert float(found) == pytest.approx(expected)  # v / (H + d·s)


def test_the_recursion_stops_where_negative_curvature_drives_it_away() -> None:
    turns = []
    found = lissa(torch.tensor([1.0]), lambda v: turns.append(1) or -2 * v, range(1000), scale=4.0, damping=0.0, patience=20)  # type: ignore[func-returns-value]
    assert len(turns) == 21
    assert abs(float(found)) < 1


def test_curvature_times_a_vector_is_that_of_the_dense_hessian(points: Trained) -> None:
    method, task = LabelInfluence(LabelInfluence.params()), points.task_for(LabelInfluence)
    model, (_, labels), ids = task.original.double().eval(), relabelled(task), torch.arange(6)
    data = replace(task.data, inputs=task.data.inputs.double())
    task = replace(task, data=data)
    head = model.head
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    head.bias.requires_grad_(True)

    def loss(bias: torch.Tensor) -> torch.Tensor:
        logits = torch.nn.functional.linear(model.features(data.batch(ids)), head.weight, bias)
        return nn.functional.cross_entropy(logits, labels[ids])

    dense = torch.autograd.functional.hessian(loss, head.bias.detach())
    vector = torch.linspace(-1, 2, len(dense), dtype=torch.float64)
    torch.testing.assert_close(method.curvature(task, ids, labels, vector), dense @ vector)


def test_without_a_second_derivative_it_says_so() -> None:
    model = nn.Sequential(nn.Linear(1, 4, dtype=torch.float64), nn.Hardsigmoid())
    task = tiny_task(model, tiny_data(torch.ones(2, 1, dtype=torch.float64), torch.tensor([3, 1]), 4), [0])
    method = LabelInfluence(LabelInfluence.params({"order": "second"}))
    with pytest.raises(UserError, match="order to first"):
        method.unlearn(replace(task, right=torch.tensor([1])), SilentReporter())


def test_updates_end_once_every_right_label_is_said(digits: Trained) -> None:
    def run(steps: int) -> dict[str, int]:
        method, task = registry.get("label_influence"), digits.task_for(LabelInfluence)
        model = method(method.params({"steps": steps})).unlearn(task, SilentReporter())
        said = model(task.data.batch(task.forget)).argmax(1)
        assert int((said != task.right).sum()) == model.report["influence"]["left"]  # type: ignore[index]
        return model.report["influence"]  # type: ignore[return-value]

    assert run(1)["left"] > 0
    assert run(1000)["left"] == 0  # sooner, or this would take minutes
