"""How late a label is learned: evidence that no unlearning has touched, from training as the original was trained."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from trained import Trained

from unlearn_core.discovery import ModelOutputs, out_of_fold
from unlearn_core.discovery.evidence import set_apart
from unlearn_core.errors import Cancelled
from unlearn_core.methods import registry
from unlearn_core.methods.redirection.search import outputs
from unlearn_core.methods.shared.early_learning import early_learning_loss, early_learning_steps
from unlearn_core.presets import preset_params
from unlearn_core.training import SilentReporter


class Counting(SilentReporter):
    """Counts steps and snapshots, and may stop after some steps."""

    def __init__(self, most: int = 10**9) -> None:
        self.steps, self.snapshots, self.most = 0, 0, most

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.steps = max(self.steps, done)

    def snapshot(self, model: torch.nn.Module) -> None:
        self.snapshots += 1

    def cancelled(self) -> bool:
        return self.steps >= self.most


def test_wrong_labels_are_learned_late_and_the_run_leaves_no_trace(points: Trained) -> None:
    task, reporter = points.task(), Counting()
    late = early_learning_loss(task, reporter)
    assert late.shape == (len(task.data),)
    truth = points.arena.corrupted.truth
    wrong = torch.zeros(len(late), dtype=torch.bool)
    wrong[truth.corrupted] = True
    above = (late[wrong][:, None] > late[~wrong][None, :]).float().mean()
    assert above > 0.9
    assert (reporter.steps, reporter.snapshots) == (early_learning_steps(task), 0)
    assert torch.equal(late, early_learning_loss(points.task(), SilentReporter()))


def test_it_can_be_cancelled(points: Trained) -> None:
    with pytest.raises(Cancelled):
        early_learning_loss(points.task(), Counting(3))


def test_a_run_that_diverges_is_no_evidence(points: Trained) -> None:
    task = points.task()
    wild = task.recipe.model_copy(update={"learning_rate": 1e12, "optimizer": "sgd", "clip": 0.0})
    late = early_learning_loss(dataclasses.replace(task, recipe=wild), SilentReporter())
    assert not late.isfinite().all()
    logits, features = outputs(task.original, task)
    forget = task.is_forget()
    view = ModelOutputs(task.data.labels, forget, logits, features, logits, features, logits)
    scores = out_of_fold([dataclasses.replace(view, learning=late)], forget)
    assert "learned_late" not in scores
    assert set(scores) == set(out_of_fold([view], forget))


def test_discovery_weighs_it_among_the_others(points: Trained) -> None:
    method = registry.get("rem_discover")
    params = method.params(preset_params("rem_discover", "waves") | {"rounds": 1, "folds": 2})
    model = method(params).unlearn(points.task(), SilentReporter())
    assert "learned_late" in model.report["discovery"]["weights"]  # type: ignore[index]
    assert "score:learned_late" in model.report_arrays  # type: ignore[operator]


def test_it_sets_a_forget_set_apart_where_unlearning_says_nothing() -> None:
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(400).numpy() % 4
    forget = torch.zeros(400, dtype=torch.bool).numpy()
    forget[:20] = True
    noise = torch.randn(2, 400, generator=rng).numpy()
    told = {"healed_margin": noise[0], "healed_loss": noise[0]}
    assert not set_apart(told, noise[0], labels, forget)
    assert not set_apart(told | {"learned_late": noise[1]}, noise[0], labels, forget)
    assert set_apart(told | {"learned_late": noise[1] + 3 * forget}, noise[0], labels, forget)
