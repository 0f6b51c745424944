"""The stage that measures a brought network on its training labels, before anything else runs."""

from __future__ import annotations

import torch

from unlearn_core.evaluation import fit_key, load_scenario_data, measure_fit
from unlearn_core.models import registry as models
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.inputs import shared_spec
from unlearn_core.stages.recorder import Recorder, now
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.validate import check_task
from unlearn_core.store import Store


def plan_fit(scenario: Scenario) -> list[Stage]:
    """The one stage, or none where the network is trained here. Raises :class:`UserError` for a file that does not fit."""
    source = models.get(scenario.model.name)
    if not source.brought(source.params(scenario.model.params)):
        return []
    check_task(scenario.at_rate(0.0))  # nothing here depends on what is known
    payload = {"scenario": scenario.model_dump(mode="json")}
    return [Stage("fit", fit_key(scenario), "The checkpoint on your training labels", payload, weight=0.3)]


@scenario_stage("fit")
def measure_checkpoint(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Measure how well the checkpoint fits the labels, and store the numbers."""
    start = now(device)
    found = measure_fit(scenario, load_scenario_data(scenario, device), reporter)
    store.put(stage.key, "fit", shared_spec(scenario), found | {"seconds": now(device) - start}, environment(device), {})
