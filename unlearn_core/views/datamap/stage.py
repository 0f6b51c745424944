"""The stage of a data map: a short training run from scratch that is only watched, where no stored result kept one."""

from __future__ import annotations

import torch

from unlearn_core.errors import UserError
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.methods.shared.early_learning import watch_learning
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.inputs import as_arrays, make_task, shared_spec
from unlearn_core.stages.original import TRAINING_WEIGHT, plan_original
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.validate import check_task
from unlearn_core.store import Store
from unlearn_core.views.datamap.data import map_key


def plan_map(scenario: Scenario) -> list[Stage]:
    """The original, and half a training beside it. Raises :class:`UserError` for what cannot be computed."""
    scenario = scenario.at_rate(0.0)
    check_task(scenario)
    original = plan_original(scenario)
    payload = {"scenario": scenario.model_dump(mode="json")}
    half = TRAINING_WEIGHT / 2
    return [
        original,
        Stage("data_map", map_key(scenario), "A watched training run", payload, (original.key,), half, original.lane),
    ]


@scenario_stage("data_map")
def watch(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Train, watch, and store the moments of the given labels' probabilities."""
    seen = watch_learning(make_task(store, scenario, load_scenario_data(scenario, device)), reporter)
    if not all(values.isfinite().all() for values in seen.values()):
        raise UserError("The watched training run diverged, so there is no data map; a lower learning rate may help.")
    arrays = {"map": as_arrays({name: seen[name] for name in ("confidence", "variability")})}
    store.put(stage.key, "data_map", shared_spec(scenario), {}, environment(device), arrays)
