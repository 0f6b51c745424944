"""What stages are expected to cost, from what the store has measured: the same method, data and network of the same size."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from unlearn_core.canonical import content_key

if TYPE_CHECKING:
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Store

RECENT = 2000
"""So many of the newest runs on a dataset are looked at, however many there are."""
EACH = 5
"""Of so many of them the median is taken."""


def with_expected(stages: Sequence[Stage], store: Store, device: str) -> list[Stage]:
    """The stages with seconds as their weight where any of them was measured (on ``device``, unless that is "auto").

    What was not keeps its rough weight, times the seconds that a unit of it took for those that were. Raises ``UserError``
    when the store refuses.
    """
    known = _measured(stages, store, device)
    seconds = {stage.key: known[name] for stage in stages if (name := _like(stage)) in known}
    weight = sum(stage.weight for stage in stages if stage.key in seconds)
    if not seconds or not weight:
        return list(stages)
    rate = sum(seconds.values()) / weight
    return [dataclasses.replace(stage, weight=seconds.get(stage.key, stage.weight * rate)) for stage in stages]


def _like(stage: Stage) -> str:
    """Equal for stages that cost about the same; "" for one that the store does not measure, or that only measures."""
    if stage.kind not in ("run", "original") or "scenario" not in stage.payload or "same_model_as" in stage.payload:
        return ""
    return _size(stage.kind, stage.payload["scenario"], stage.payload.get("method"))


def _size(kind: str, scenario: dict[str, Any], method: dict[str, Any] | None) -> str:
    return content_key(kind, *(scenario.get(part) for part in ("dataset", "model", "training")), method)


def _measured(stages: Iterable[Stage], store: Store, device: str) -> dict[str, float]:
    """What :func:`_like` gives → median seconds."""
    from unlearn_core.specs import MethodSpec, Scenario

    runs = [stage for stage in stages if stage.kind == "run" and _like(stage)]
    wanted = {(stage.payload["scenario"]["dataset"]["name"], MethodSpec.parse(stage.payload["method"]).key) for stage in runs}
    keys = [key for name in {name for name, _ in wanted} for key in store.runs.recent(name, wanted, device, RECENT, EACH)]
    specs, payloads = store.runs.specs(keys), store.runs.payloads(keys)
    found: dict[str, list[float]] = {}
    trained: dict[str, str] = {}  # key of an original → what it is like
    for key, spec in specs.items():
        if (seconds := payloads.get(key, {}).get("seconds")) is not None:
            found.setdefault(_size("run", spec["scenario"], spec["method"]), []).append(float(seconds))
            trained[Scenario.parse(spec["scenario"]).original_key] = _size("original", spec["scenario"], None)
    for key, payload in store.runs.payloads(trained).items():
        if payload.get("seconds") is not None:
            found.setdefault(trained[key], []).append(float(payload["seconds"]))
    return {like: statistics.median(values) for like, values in found.items()}
