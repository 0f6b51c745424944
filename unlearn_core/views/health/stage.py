"""The stages of data health: what the data alone tell, and outliers once there is a network."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from unlearn_core.discovery.health.examine import examine
from unlearn_core.discovery.health.findings import Health
from unlearn_core.discovery.health.remote import find_remote, neighbour_distances
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.specs import DatasetSpec, Scenario
from unlearn_core.stages.execution import environment, report_step, scenario_stage
from unlearn_core.stages.inputs import load_original, shared_spec
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage, register_stage
from unlearn_core.store import Store
from unlearn_core.training import DeviceData
from unlearn_core.views.health.data import health_key, remote_key, to_arrays, to_payload

if TYPE_CHECKING:
    from unlearn_core.models import RedirectNet
    from unlearn_core.stages.recorder import Progress


def plan_health(spec: DatasetSpec, seed: int) -> Stage:
    """The stage that looks at the data as they come."""
    payload = {"dataset": spec.model_dump(mode="json"), "seed": seed}
    return Stage("health", health_key(spec, seed), "Data health", payload, lane="look")


def plan_remote(scenario: Scenario) -> Stage:
    """The stage that looks for outliers in the features of the stored original."""
    payload = {"scenario": scenario.model_dump(mode="json")}
    key = remote_key(scenario)
    return Stage("health_outliers", key, "Outliers", payload, (scenario.original_key,), lane="look")


@register_stage("health")
def look_at_data(stage: Stage, store: Store, device: str, reporter: Progress) -> None:
    """Examine the data, and store what was found."""
    spec = DatasetSpec.model_validate(stage.payload["dataset"])
    found = examine(spec, int(stage.payload["seed"]), functools.partial(report_step, reporter))
    store.put(stage.key, "health", dict(stage.payload), to_payload(found), {}, {"health": to_arrays(found)})


@scenario_stage("health_outliers")
def look_for_remote(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Find outliers, and store them."""
    data = load_scenario_data(scenario, device)
    found = remote_health(load_original(store, scenario, data).to(device), data.train, reporter)
    spec = shared_spec(scenario)
    store.put(stage.key, "health_outliers", spec, to_payload(found), environment(device), {"health": to_arrays(found)})


def remote_health(model: RedirectNet, train: DeviceData, reporter: Progress) -> Health:
    """Outliers in the penultimate features of a network."""
    count, done, pieces = len(train), 0, []
    with torch.no_grad():
        for ids in train.eval_batches(torch.arange(count, device=train.device)):
            report_step(reporter, done, 2 * count)
            pieces.append(model.features(train.batch(ids)).float().flatten(1).cpu())
            done += len(ids)

    def step(compared: int, _: int) -> None:
        report_step(reporter, count + compared, 2 * count)

    found = find_remote(neighbour_distances(torch.cat(pieces).numpy(), step))
    return Health((found,) if found else (), ("outliers",), ())
