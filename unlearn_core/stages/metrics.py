"""The stage that measures stored models after their runs: values that depend on references, and those of the originals."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import torch

from unlearn_core.errors import Cancelled
from unlearn_core.evaluation import registry as metrics
from unlearn_core.results.late_metrics import MissingMetric
from unlearn_core.results.tables import original_metrics, run_metrics
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.components import ADDED, list_added
from unlearn_core.stages.execution import scenario_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store


def plan_measures(pending: Sequence[MissingMetric]) -> list[Stage]:
    """One stage for each scenario with values to measure; their records hold run key → value."""
    return [
        Stage(
            "measures",
            part.key,
            f"Measure {part.metric} (regularity {part.scenario.corruption.regularity:g}, seed {part.scenario.seed})",
            {
                "scenario": part.scenario.model_dump(mode="json"),
                "metric": part.metric,
                "keys": list(part.keys),
                ADDED: list_added(metrics, [part.metric]),
            },
            weight=0.1 * len(part.keys),
        )
        for part in pending
    ]


@scenario_stage("measures")
def measure_stored(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Measure one metric of stored models; what is not stored any more has no value."""
    metric, keys = stage.payload["metric"], stage.payload["keys"]
    values: dict[str, float | None] = {}
    for done, key in enumerate(keys):
        if reporter.cancelled():
            raise Cancelled
        reporter.step(done, len(keys))
        with contextlib.suppress(LookupError):
            values[key] = _measure_one(store, scenario, key, metric)
    store.put(stage.key, "measured", {"metric": metric}, {"values": values}, {})


def _measure_one(store: Store, scenario: Scenario, key: str, metric: str) -> float | None:
    if key == scenario.original_key:
        return original_metrics(store, scenario, metric)[metric]
    record = store.get(key)
    if record is None:
        return None
    return run_metrics(store, scenario, MethodSpec.parse(record.spec["method"]), record.payload, metric)[metric]
