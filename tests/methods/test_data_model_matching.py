"""Data-model matching: an effect by hand, who is trained on what, and what is matched."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.distillation import matching
from unlearn_core.methods.distillation.data_model_matching import DataModelMatching, effect_of, split
from unlearn_core.training import FreshTrainer, SilentReporter, predict


def test_the_effect_of_an_example_by_hand() -> None:
    """Four models on one of two examples each: 3 and 5 with the first, 1 and 1 with the other. Its effect is 3, and an output
    of 4 is predicted to be 1 without it."""
    outputs, inside = torch.tensor([3.0, 5.0, 1.0, 1.0])[:, None, None], torch.tensor([True, True, False, False])
    effect = effect_of(outputs, inside)
    assert effect.item() == 3.0
    assert 4.0 - effect.item() == 1.0


def test_the_forget_set_is_all_that_the_two_kinds_of_models_differ_in(points: Trained) -> None:
    task = points.task()
    parts = split(task, 0)
    for told in (True, False):
        counts = torch.bincount(torch.cat([ids for ids, kind in parts if kind == told]), minlength=len(task.data))
        assert (counts[task.retain] == 1).all()
        assert (counts[task.forget] == (2 if told else 0)).all()
    assert not torch.equal(parts[2][0], split(task, 1)[2][0])


def test_what_is_matched_is_the_original_less_the_effect(points: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    models: list[torch.nn.Module] = []
    fit, towards, seen = FreshTrainer.fit, matching.towards, list[torch.Tensor]()
    monkeypatch.setattr(FreshTrainer, "fit", lambda self, ids: models.append(self.model) or fit(self, ids))
    monkeypatch.setattr(matching, "towards", lambda targets: seen.append(targets) or towards(targets))
    task = replace(points.task(), recipe=points.scenario.training.model_copy(update={"epochs": 1}))
    before = predict(task.original, task.data)
    DataModelMatching(DataModelMatching.params({"epochs": 1, "retained": 2.0})).unlearn(task, SilentReporter())
    assert len(models) == 4
    with_f, without = (torch.stack([predict(model, task.data) for model in part]).mean(0) for part in (models[:2], models[2:]))
    [targets] = seen
    chosen = (targets != 0).any(1).nonzero()[:, 0]
    assert torch.isin(task.forget, chosen).all()
    assert len(chosen) == 3 * len(task.forget)
    torch.testing.assert_close(targets[chosen], (before - with_f + without)[chosen])


def test_it_says_that_it_costs_more_than_retraining() -> None:
    method = registry.get("data_model_matching")
    assert not method.oracle
    assert method.expected_work(method.params({}), None) > 2
    assert method.expected_work(method.params({"splits": 5}), None) > 10
