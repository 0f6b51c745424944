"""Metrics of stored models that depend on other stored results: measured when asked for, then kept in the store.

A run is measured when it is computed, but its gap to retraining can only be known once retraining has been computed too,
and the original's split into discovered and undiscovered differs with every discovery rate.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.errors import UserError
from unlearn_core.evaluation import measured_for, of_today, revisions
from unlearn_core.evaluation import registry as metrics
from unlearn_core.methods import registry as methods
from unlearn_core.presets import make_method
from unlearn_core.results.reader import Results, scenario_data
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    import torch

    from unlearn_core.evaluation import Logits, OutsideView

REFERENCES = ("retrain", "oracle_retrain")
"""Methods, with their presets, that other models are compared with."""

REFERENCE_MODELS = "reference_models"

Values = dict[str, float | None]


def original_metrics(store: Results, scenario: Scenario, only: str | None = None) -> Values:
    """Every metric (or ``only`` one) of the stored original at this discovery rate.

    Raises ``LookupError`` (the store's ``MissingArtifact``) if the original is not stored.
    """
    names = measured_for(scenario) if only is None else [only]
    record = store.get(scenario.original_key)
    seconds = None if record is None else record.payload.get("seconds")
    unchanged = {"seconds": seconds, "parameters_changed": 0.0, "weight_distance": 0.0, "relearn_steps": 0}
    return _measured(store, scenario, scenario.original_key, names, unchanged)


def recorded(payload: Mapping[str, Any]) -> Values:
    """What a run's record says of its metrics, without those that had another definition when it was measured; for
    :func:`run_metrics`, and for tables of many runs at once."""
    return of_today(payload.get("metrics") or {}, payload.get("metric_revisions") or {})


def run_metrics(
    store: Results, scenario: Scenario, spec: MethodSpec, payload: Mapping[str, Any], only: str | None = None
) -> Values:
    """Every metric (or ``only`` one) of a stored run, from its record's ``payload``: as measured then, and anew what its
    references make possible now or what has another definition now."""
    names = measured_for(scenario) if only is None else [only]
    stored = recorded(payload)
    # What rests on right labels that the user gave is measured anew: they are no part of the run's key.
    values: Values = {name: None if metrics.get(name).as_found else stored.get(name) for name in names}
    known = reference_keys(store, scenario)
    unknown = [name for name in names if values[name] is None and (name not in stored or _comparable(name, known))]
    if unknown:
        with contextlib.suppress(LookupError):  # damaged arrays: what was measured before still holds
            values |= _measured(store, scenario, scenario.run_key(spec), unknown, {})
    return values


def _comparable(name: str, known: Mapping[str, str]) -> bool:
    """Whether a metric that compares with other models has what it needs now."""
    needs = metrics.get(name).compares_with
    return bool(needs) and all(need in known for need in needs)


def _measured(store: Results, scenario: Scenario, key: str, names: Sequence[str], known: Mapping[str, Any]) -> Values:
    from unlearn_core.evaluation import Evidence, measure

    references = reference_keys(store, scenario)
    outside = references.get(REFERENCE_MODELS)
    known_by = scenario.discovery if scenario.forget is None else scenario.forget
    # A part of its own, so that older entries keep their keys; where corruption is made here, what was typed measures nothing.
    told = [scenario.relabelled] if scenario.relabelled and scenario.corruption.found else []
    memo = content_key("measures", key, known_by, references, sorted(names), *told, *defined(names))
    kept = store.get(memo)
    if kept is None:
        logits = _logits(store, key)  # first: where there are none, the data need not be read
        arena = scenario_data(scenario)
        evidence = Evidence(
            scenario,
            arena.corrupted,
            arena.corrupted.truth.forget_of(scenario),
            logits,
            references={name: _logits(store, ref) for name, ref in references.items() if name != REFERENCE_MODELS},
            outside=None if outside is None else _outside(store, outside),
            canaries=_canaries(store, key),
            **known,
        )
        found = measure(evidence, names)
        with contextlib.suppress(UserError):  # where nothing can be written it is measured again next time
            store.put(memo, "measures", {"of": key, "references": references}, found, {})
        return {name: found.get(name) for name in names}
    return {name: kept.payload.get(name) for name in names}


def defined(names: Sequence[str]) -> list[dict[str, int]]:
    """The revisions of these metrics, as the last part of a key; nothing where all are in their first: older keys stay."""
    raised = {name: revision for name, revision in revisions().items() if name in names}
    return [raised] if raised else []


def reference_keys(store: Results, scenario: Scenario) -> dict[str, str]:
    """Name → key of what is stored of the original, the methods in :data:`REFERENCES` and the attack's reference models."""
    from unlearn_core.evaluation.rmia import reference_models_key

    keys = {name: scenario.run_key(make_method(name, scenario)) for name in REFERENCES if name in methods}
    keys = {"original": scenario.original_key} | keys | {REFERENCE_MODELS: reference_models_key(scenario)}
    stored = store.has(list(keys.values()))
    return {name: key for name, key in keys.items() if key in stored}


def _outside(store: Results, key: str) -> OutsideView:
    import torch

    from unlearn_core.evaluation import OutsideView

    arrays = dict(store.arrays(key, "outside"))
    with contextlib.suppress(LookupError):  # trained before log-odds were kept
        arrays |= store.arrays(key, "odds")
    return OutsideView(**{name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})


def _canaries(store: Results, key: str) -> torch.Tensor | None:
    import torch

    with contextlib.suppress(LookupError):  # stored with models of noise canaries alone
        return torch.from_numpy(np.array(store.arrays(key, "canaries")["scores"]))
    return None


def _logits(store: Results, key: str) -> Logits:
    import torch

    from unlearn_core.evaluation import Logits

    return Logits(**{name: torch.from_numpy(np.array(value)) for name, value in store.arrays(key, "logits").items()})
