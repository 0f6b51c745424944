"""Stored results as DataFrames: comparisons, all runs, means over seeds, trajectories."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from typing import Any

import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.evaluation import registry as metrics
from unlearn_core.insight._measures import original_metrics, recorded, run_metrics
from unlearn_core.insight.stored import Results
from unlearn_core.methods import registry as methods
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import MethodSpec, Scenario, canonical_json

__all__ = ["comparison", "original_metrics", "recorded", "results", "run_metrics", "summary", "trajectories"]

ORIGINAL = "original"
TASK = ["dataset", "model", "amount", "regularity", "discovery", "options"]
"""What makes a task; runs that agree in these differ by seed alone."""
WHO = ["method", "label", "oracle", "variant"]


def comparison(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> pd.DataFrame:
    """One row for the original model and one for each of ``specs`` that has a record, in the order given.

    Columns: method, label, oracle, every registered metric (NaN where it has no meaning), device, key.
    """
    rows = []
    original = store.get(scenario.original_key)
    if original is not None:
        with contextlib.suppress(LookupError):  # its arrays were damaged: the store has dropped it, so it has no row
            rows.append(
                {"method": ORIGINAL, "label": "Original", "oracle": False}
                | original_metrics(store, scenario)
                | {"device": original.payload.get("device"), "key": original.key}
            )
    for spec in specs:
        record = store.get(scenario.run_key(spec))
        if record is not None:
            values = run_metrics(store, scenario, spec, record.payload)
            rows.append(_who(spec.name) | values | {"device": record.payload.get("device"), "key": record.key})
    return _frame(rows, ["method", "label", "oracle", *metrics.names(), "device", "key"])


def results(store: Results, metric: str | None = None, dataset: str | None = None) -> pd.DataFrame:
    """All stored runs of their methods as they are today, one row each, but for those of an edited forget set and those
    on data as found: these belong to no discovery rate or to no place on the dial, and so to no task.

    Columns: dataset, model, amount, regularity, discovery, options (what differs from the dataset's preset), seed, method,
    label, oracle, variant (what differs from the method's preset), every metric (or ``metric`` alone), device, key.
    Raises :class:`UserError` for an unknown metric.
    """
    names = metrics.names() if metric is None else [metrics.get(metric).name]
    rows = []
    for record in store.find("run"):
        try:
            scenario, spec = Scenario.parse(record.spec["scenario"]), MethodSpec.parse(record.spec["method"])
            current = spec.name in methods and _of_today(spec)
        except (UserError, KeyError):
            continue  # written by another version: it stays in the store but is not compared with today's runs
        placed = not (scenario.edited or scenario.corruption.found)
        if not current or not placed or (dataset is not None and scenario.dataset.name != dataset):
            continue
        payload = record.payload
        measured = run_metrics(store, scenario, spec, payload, metric) if metric is not None else recorded(payload)
        rows.append(
            _task(scenario)
            | {"seed": scenario.seed}
            | _who(spec.name)
            | {"variant": _variant(spec, scenario)}
            | {name: measured.get(name) for name in names}
            | {"device": record.payload.get("device"), "key": record.key}
        )
    return _frame(rows, [*TASK, "seed", *WHO, *names, "device", "key"])


def summary(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Mean, standard error and n of ``metric`` over seeds: one row per method (and variant) and task.

    ``frame``: from :func:`results`. Runs where the metric has no meaning don't count; the standard error of one run is NaN.
    """
    if metric not in frame:
        raise UserError(f"There is no metric called {metric!r} in these results.")
    groups = frame.dropna(subset=[metric]).groupby([*TASK, *WHO], sort=False)[metric]
    table = groups.agg(mean="mean", standard_error="sem", n="count").reset_index()
    order = {name: position for position, name in enumerate(methods.names())}
    rank = table["method"].map(order).rename("rank")
    return (
        table.assign(rank=rank)
        .sort_values(["dataset", "model", "options", "regularity", "discovery", "rank", "variant"], kind="stable")
        .drop(columns="rank")
        .reset_index(drop=True)
    )


def trajectories(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> pd.DataFrame:
    """The metrics of every recorded round: columns method, label, round, then one per metric that was recorded."""
    rows = []
    for spec in specs:
        record = store.get(scenario.run_key(spec))
        for point in (record.payload.get("trajectory") or []) if record is not None else []:
            rows.append({"method": spec.name, "label": _who(spec.name)["label"], **point})
    present = {name for row in rows for name in row}
    return _frame(rows, ["method", "label", "round", *(name for name in metrics.names() if name in present)])


def _frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns)
    numbers = [name for name in columns if name in metrics]
    return frame.astype(dict.fromkeys(numbers, float) | ({"oracle": bool} if "oracle" in columns else {}))


def _who(name: str) -> dict[str, Any]:
    if name not in methods:
        return {"method": name, "label": name, "oracle": False}
    method = methods.get(name)
    return {"method": name, "label": method.label, "oracle": method.oracle}


def _task(scenario: Scenario) -> dict[str, Any]:
    return {
        "dataset": scenario.dataset.name,
        "model": scenario.model.name,
        "amount": scenario.corruption.amount,
        "regularity": scenario.corruption.regularity,
        "discovery": scenario.discovery,
        "options": _options(canonical_json(scenario.at_rate(1.0).model_copy(update={"seed": 0}))),
    }


@functools.lru_cache(maxsize=4096)
def _options(scenario_json: str) -> str:
    """What a scenario sets beyond the named columns, such as "trigger.size=5, training.epochs=40"."""
    scenario = Scenario.model_validate_json(scenario_json)
    try:
        usual = make_scenario(
            scenario.dataset.name,
            regularity=scenario.corruption.regularity,
            amount=scenario.corruption.amount,
            discovery=scenario.discovery,
            model=scenario.model.name,
            seed=scenario.seed,
        )
    except UserError:
        return ""
    ours, theirs = _flat(scenario), _flat(usual)
    return ", ".join(f"{name}={value}" for name, value in ours.items() if theirs.get(name) != value)


def _flat(scenario: Scenario) -> dict[str, Any]:
    corruption = scenario.corruption.model_dump(mode="json")
    sections = {
        "dataset": scenario.dataset.params,
        "trigger": corruption.pop("trigger"),
        "corruption": corruption,
        "model": scenario.model.params,
        "training": scenario.training.model_dump(mode="json"),
    }
    return {f"{section}.{name}": value for section, values in sections.items() for name, value in values.items()}


def _of_today(spec: MethodSpec) -> bool:
    """Whether the method is still in this revision and has these parameters. One from before a knob was added may have done the
    same as today's run of the preset, and would count twice beside it."""
    method = methods.get(spec.name)
    return method.revision == spec.revision and spec.params.keys() == method.Params.model_fields.keys()


def _variant(spec: MethodSpec, scenario: Scenario) -> str:
    """What a method's parameters change against its preset on this data, such as "epochs=5"."""
    try:
        usual = make_method(spec.name, scenario).params
    except UserError:
        return ""
    return ", ".join(f"{name}={value}" for name, value in spec.params.items() if usual.get(name) != value)
