"""Retraining after early cutting: what a round keeps, what it cuts, what that costs, and that no forget set is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from pocket import Pocket
from trained import Trained

from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.methods.redirection.work import STEP, Setting
from unlearn_core.methods.retraining.early_cut_retrain import EarlyCutRetrain, learned_soon
from unlearn_core.models import RedirectNet
from unlearn_core.training import SilentReporter


def run(task: UnlearningTask, **params: Any) -> RedirectNet:
    model = EarlyCutRetrain(EarlyCutRetrain.params(params)).unlearn(task, SilentReporter())
    assert isinstance(model, RedirectNet)
    return model


def test_what_is_learned_by_the_epoch_after_which_enough_is() -> None:
    # Learned for good in epochs 1, 2, 2, 4, and never.
    right = torch.tensor([[1, 0, 0, 0, 1], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 0]]).bool()
    assert learned_soon(right, 0.2, 2).tolist() == [0]
    assert learned_soon(right, 0.4, 2).tolist() == [0, 1, 2]  # whole epochs: two were not to be told apart
    assert learned_soon(right, 0.7, 2).tolist() == [0, 1, 2, 3]
    assert learned_soon(right, 1.0, 2).tolist() == [0, 1, 2, 3]  # so many never are
    assert learned_soon(right, 1.0, 4).tolist() == [0, 1, 2]


def test_wrong_labels_that_were_believed_first_are_cut() -> None:
    pocket = Pocket()
    everyone = torch.arange(len(pocket.data))
    start = pocket.fresh_model(0)
    task = UnlearningTask(start, pocket.data, everyone[:1], everyone[1:], pocket.fresh_model, pocket.recipe, pocket.seed)
    method = EarlyCutRetrain(EarlyCutRetrain.params({"keep": 1.0}))
    kept, cut = method.look(task, everyone, pocket.seed, SilentReporter())
    assert len(cut)
    assert set(cut.tolist()) <= set(pocket.wrong.tolist())
    assert set(pocket.wrong.tolist()) <= set(kept.tolist())
    again, _ = method.look(task, everyone[:200], pocket.seed, SilentReporter())
    assert int(again.max()) < 200


def test_the_work_is_known_before(points: Trained) -> None:
    recipe = points.scenario.training.model_copy(update={"epochs": 20})
    setting = Setting(recipe, len(points.arena.train), 1.0)

    def expected(**params: Any) -> float:
        return EarlyCutRetrain.expected_work(EarlyCutRetrain.params(params), setting)

    assert expected(keep=1.0) == pytest.approx(3 * (10 * 4 + 3) / 60 + 1)
    assert expected(keep=0.5, rounds=2) == pytest.approx(1.5 * 43 / 60 + 0.25)
    assert expected() > 1


def test_it_takes_as_many_passes_as_it_says(points: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    forward, passes = RedirectNet.features, 0.0

    def counted(self: RedirectNet, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        nonlocal passes
        passes += len(x) * (STEP if torch.is_grad_enabled() else 1)
        return forward(self, x, mask)

    task = replace(points.task(), recipe=points.scenario.training.model_copy(update={"epochs": 12}))
    expected = EarlyCutRetrain.expected_work(EarlyCutRetrain.params(), Setting(task.recipe, len(task.data), 1.0))
    monkeypatch.setattr(RedirectNet, "features", counted)
    run(task)
    assert passes / (STEP * 12 * len(task.data)) == pytest.approx(expected, rel=0.15)


def test_which_examples_are_known_changes_nothing_and_it_says_what_was_left_out(points: Trained) -> None:
    one, other = run(points.task(0.2)), run(points.task(0.8))
    states = one.state_dict(), other.state_dict()
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    said = one.report["early_cutting"]
    count = len(points.arena.train)
    assert len(said["rounds"]) <= 3
    assert said["rounds"][0]["examples"] == count
    assert said["kept"] == said["rounds"][-1]["learned"] - said["rounds"][-1]["cut"] < count
    assert not registry.get("early_cut_retrain").knows()
