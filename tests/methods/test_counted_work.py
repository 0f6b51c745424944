"""Of methods made of several runs, the steps that are counted tell how much is left to do."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.models import RedirectNet
from unlearn_core.presets import preset_params
from unlearn_core.training import SilentReporter


class Meter(SilentReporter):
    """What was counted, beside the work done by then: passes through networks, counted by hand and not by a clock."""

    def __init__(self) -> None:
        self.work = 0.0
        self.seen: list[tuple[int, int, float]] = []

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.seen.append((done, total, self.work))

    def left(self) -> list[tuple[float, float]]:
        """(true, estimated) work that is left, as shares of all of it, after each step, estimated as the app does."""
        pairs = []
        for done, total, work in self.seen:
            first, _, begun = next(entry for entry in self.seen if entry[1] == total)
            if done > first:
                pairs.append((1 - work / self.work, (work - begun) / (done - first) * (total - done) / self.work))
        return pairs


@pytest.mark.parametrize("name", ["rem_discover", "retrain_discover", "rem_tuned"])
def test_what_is_left_can_be_told_from_the_steps(name: str, points: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    meter, forward = Meter(), RedirectNet.features

    def counted(self: RedirectNet, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        # A backward pass is about two forward ones; with redirect channels a network is twice as wide.
        meter.work += len(x) * (3 if torch.is_grad_enabled() else 1) * (1 if mask is None else 3)
        return forward(self, x, mask)

    monkeypatch.setattr(RedirectNet, "features", counted)
    method = registry.get(name)
    usual = {"rounds": 2, "folds": 2} if "rounds" in method.Params.model_fields else {"tries": 3}
    task = dataclasses.replace(points.task(), recipe=points.scenario.training)
    method(method.params(preset_params(name, "waves") | usual)).unlearn(task, meter)
    pairs = [(true, estimated) for true, estimated in meter.left() if 0.1 < true < 0.8]
    assert len(pairs) > 100
    for true, estimated in pairs:
        assert true / 2 < estimated < true * 2
