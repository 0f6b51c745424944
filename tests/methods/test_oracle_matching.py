"""Oracle matching: whose outputs are matched, and on what."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import OracleTask, registry
from unlearn_core.methods.distillation import matching
from unlearn_core.methods.distillation.matching import towards
from unlearn_core.methods.distillation.oracle_matching import OracleMatching
from unlearn_core.training import SilentReporter, Trainer, predict


def test_the_loss_is_the_mean_squared_difference_of_logits() -> None:
    targets = torch.tensor([[0.0, 0.0], [1.0, -1.0], [2.0, 3.0]])
    loss = towards(targets)(nn.Identity(), torch.tensor([[2.0, 5.0], [1.0, 1.0]]), torch.tensor([0, 0]), torch.tensor([2, 1]))
    assert loss.item() == pytest.approx((0 + 4 + 0 + 4) / 4)


def test_oracles_see_no_corruption_and_their_mean_is_the_target(points: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[tuple[nn.Module, torch.Tensor]] = []
    fit = Trainer.fit

    def watched(self: Trainer, ids: torch.Tensor) -> nn.Module:
        trained.append((self.model, ids))
        return fit(self, ids)

    seen: list[torch.Tensor] = []
    monkeypatch.setattr(Trainer, "fit", watched)
    monkeypatch.setattr(matching, "towards", lambda targets: seen.append(targets) or towards(targets))
    task = points.task(discovery=0.5, oracle=True)
    assert isinstance(task, OracleTask)
    task = replace(task, recipe=task.recipe.model_copy(update={"epochs": 1}))
    OracleMatching(OracleMatching.params({"oracles": 2, "epochs": 1, "retained": 3.0})).unlearn(task, SilentReporter())
    assert len(trained) == 2
    assert not torch.equal(*(next(model.parameters()) for model, _ in trained))
    for _, ids in trained:
        assert len(ids) == len(task.data) - len(task.truth.corrupted)
        assert not torch.isin(ids, task.truth.corrupted).any()
    [targets] = seen
    chosen = (targets != 0).any(1).nonzero()[:, 0]
    assert torch.isin(task.forget, chosen).all()
    assert len(chosen) == 4 * len(task.forget)
    both = torch.stack([predict(model, task.data, chosen) for model, _ in trained])
    torch.testing.assert_close(targets[chosen], both.mean(0))


def test_it_says_that_it_costs_a_training_for_each_oracle(points: Trained) -> None:
    method = registry.get("oracle_matching")
    assert method.oracle
    assert method.expected_work(method.params({"oracles": 10}), None) > 10
