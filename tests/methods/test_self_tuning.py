"""Self-tuned REM: a last run that breaks what its trials kept is not the result."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import UnlearningTask, _tuning, registry
from unlearn_core.training import Reporter, SilentReporter


@pytest.mark.parametrize(("broken", "set_aside"), [(0, 0), (1, 1), (2, 2), (99, 2)])
def test_a_last_run_that_breaks_the_rest_gives_way_to_the_next_best(
    broken: int, set_aside: int, points: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = points.task()
    last: list[dict[str, Any]] = []

    def run(params: dict[str, Any], told: UnlearningTask, reporter: Reporter) -> nn.Module:
        model = told.original
        if len(told.forget) == len(task.forget):
            last.append(params)
            if len(last) <= broken:
                with torch.no_grad():
                    for parameter in model.parameters():
                        parameter.mul_(0.01 * len(last) if broken > 2 else 0)
        return model.eval()

    registry.get("rem_discover")  # methods are imported when asked for, and this one takes run_rem along: not the patched one
    monkeypatch.setattr(_tuning, "run_rem", run)
    method = registry.get("rem_tuned")
    model = method(method.params({"tries": 3})).unlearn(task, SilentReporter())
    report = model.report["tuning"]  # type: ignore[index]
    assert report["set_aside"] == set_aside
    assert len(last) == set_aside + 1
    assert all(a != b for k, a in enumerate(last) for b in last[:k])
    kept = _tuning.accuracy_on(model, task, task.retain)
    assert report["retain"] == kept
    assert (kept > 0.8) == (broken < 3)
