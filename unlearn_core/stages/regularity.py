"""The stage that measures how much the corrupted examples share."""

from __future__ import annotations

import torch

from unlearn_core.canonical import content_key
from unlearn_core.evaluation import load_scenario_data, measured_regularity
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.inputs import shared_spec
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store


def plan_regularity(scenario: Scenario) -> list[Stage]:
    """The stage that measures how much the corrupted examples share; its key doesn't depend on the discovery rate."""
    payload = {"scenario": scenario.model_dump(mode="json")}
    return [Stage("regularity", regularity_key(scenario), "Measured regularity", payload, weight=8.0)]


def regularity_key(scenario: Scenario) -> str:
    """Key of the measured regularity of a scenario's corruption."""
    return content_key("regularity", scenario.original_key)


@scenario_stage("regularity")
def measure_regularity(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Measure it out of fold and store the number."""
    result = measured_regularity(scenario, load_scenario_data(scenario, device), reporter)
    store.put(stage.key, "regularity", shared_spec(scenario), result, environment(device), {})
