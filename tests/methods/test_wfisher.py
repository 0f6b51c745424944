"""The influence step against a dense solve."""

from __future__ import annotations

import pytest
import torch
from tiny import random_task
from torch import nn
from trained import Trained

from unlearn_core.methods.ascent.wfisher import WFisher, inverse_fisher_product
from unlearn_core.methods.dampening.importance import SCORES, example_gradients, flatten
from unlearn_core.training import SilentReporter


@pytest.mark.parametrize("shape", [(3, 10), (40, 10)])
def test_woodbury_is_the_dense_inverse(shape: tuple[int, int]) -> None:
    gradients = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    vector = torch.randn(shape[1], generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for damping in (1e-4, 1e-2, 10.0):
        dense = gradients.T @ gradients / shape[0] + damping * torch.eye(shape[1], dtype=torch.float64)
        torch.testing.assert_close(inverse_fisher_product(gradients, vector, damping), torch.linalg.solve(dense, vector))


def test_curvature_bends_the_step() -> None:
    """The public recursion only ever subtracts a multiple of the first gradient; with two, a correct step needs both."""
    gradients = torch.eye(3, dtype=torch.float64)[:2] * 5
    step = inverse_fisher_product(gradients, torch.ones(3, dtype=torch.float64), 1.0)
    torch.testing.assert_close(step, torch.tensor([2 / 27, 2 / 27, 1.0], dtype=torch.float64))


def test_the_whole_step_on_a_linear_model() -> None:
    task, scale, damping = random_task(), 2.5, 0.05
    before = flatten(list(task.original.parameters())).detach().clone()
    rows = example_gradients(task.original, task.data, task.everything, SCORES["loss"])
    ours, theirs = rows[task.forget], rows[task.retain]
    fisher = theirs.T @ theirs / len(theirs) + damping * torch.eye(rows.shape[1], dtype=torch.float64)
    direction = (ours.sum(0) - theirs.sum(0) * len(ours) / len(theirs)) / len(rows)
    expected = before + scale * torch.linalg.solve(fisher, direction)
    method = WFisher(WFisher.params({"scale": scale, "damping": damping, "batch_size": 3}))
    edited = method.unlearn(task, SilentReporter())
    torch.testing.assert_close(flatten(list(edited.parameters())).detach(), expected)


def test_a_newton_step_undoes_an_example_s_influence_on_a_quadratic_loss() -> None:
    """Where the Fisher matrix is the curvature, the step is towards the optimum without the forget set."""
    task = random_task(count=200, forget=10)
    linear = task.original
    optimizer = torch.optim.LBFGS(linear.parameters(), max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-12)

    def fit(ids: torch.Tensor) -> torch.Tensor:
        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            penalty = sum(p.square().sum() for p in linear.parameters()) * 0.01
            loss = nn.functional.cross_entropy(linear(task.data.inputs[ids]), task.data.labels[ids]) + penalty
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        return flatten(list(linear.parameters())).detach().clone()

    without, everything = fit(task.retain), fit(task.everything)
    edited = WFisher(WFisher.params({"damping": 0.02})).unlearn(task, SilentReporter())
    moved, needed = flatten(list(edited.parameters())).detach() - everything, without - everything
    assert torch.cosine_similarity(moved, needed, dim=0) > 0.9
    assert moved.norm() / needed.norm() == pytest.approx(1, abs=0.4)


def test_memory_bounds_the_number_of_gradients(digits: Trained) -> None:
    task = digits.task()
    parameters = sum(p.numel() for p in task.original.parameters())
    chosen = WFisher(WFisher.params({"memory": 2, "samples": 1000})).fisher_examples(task)
    assert len(chosen) == 2 * 2**20 // (4 * parameters)
    assert torch.isin(chosen, task.retain).all()
    assert len(chosen.unique()) == len(chosen)
