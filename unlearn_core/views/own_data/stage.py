"""The stage that times a few training steps, so that a page can say what its user's data will cost."""

from __future__ import annotations

import platform
from dataclasses import asdict

import torch

from unlearn_core.canonical import content_key
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import report_step, scenario_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store
from unlearn_core.views.own_data.data import cost as training_cost


def plan_cost(scenario: Scenario) -> Stage:
    """The stage that times a few training steps, on this machine."""
    key = content_key("cost", scenario.original_key, platform.node())
    return Stage("cost", key, "A few training steps", {"scenario": scenario.model_dump(mode="json")}, weight=0.2, lane="look")


@scenario_stage("cost")
def cost(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Time a few training steps."""
    report_step(reporter, 0, 1)
    store.put(stage.key, "cost", dict(stage.payload), asdict(training_cost(scenario)), {})
