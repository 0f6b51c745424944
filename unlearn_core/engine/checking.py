"""The stage that measures a network that was brought on the labels it is given, before anything else runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unlearn_core.engine.recorder import Recorder, now
from unlearn_core.evaluation import fit_key, measure_fit
from unlearn_core.models import registry as models
from unlearn_core.specs import Scenario
from unlearn_core.store import Store

if TYPE_CHECKING:
    from unlearn_core.engine.stages import Stage


def plan_fit(scenario: Scenario) -> list[Stage]:
    """The one stage, or none where the network is trained here. Raises :class:`UserError` for a file that does not fit."""
    from unlearn_core.engine.stages import Stage, check_task

    source = models.get(scenario.model.name)
    if not source.brought(source.params(scenario.model.params)):
        return []
    check_task(scenario.at_rate(0.0))  # nothing here depends on what is known
    payload = {"scenario": scenario.model_dump(mode="json")}
    return [Stage("fit", fit_key(scenario), "The checkpoint on your training labels", payload, weight=0.3)]


def fit(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Measure it and store the numbers."""
    from unlearn_core.engine.stages import arena_of, environment

    start = now(device)
    found = measure_fit(scenario, arena_of(scenario, device), reporter)
    spec = {"scenario": scenario.model_dump(mode="json", exclude={"discovery", "forget", "relabelled"})}
    store.put(stage.key, "fit", spec, found | {"seconds": now(device) - start}, environment(device), {})
