"""Stored results as DataFrames: comparisons, all runs, means over seeds, trajectories."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.evaluation import registry as metrics
from unlearn_core.methods import registry as methods
from unlearn_core.presets import brought
from unlearn_core.results.late_metrics import late_values
from unlearn_core.results.measured import original_metrics, recorded, run_metrics
from unlearn_core.results.reader import Results
from unlearn_core.results.run_table import TOLD, StoredRuns, described, options, stored_runs
from unlearn_core.results.settings import PAPER, options_of, set_of, variant_of
from unlearn_core.specs import MethodSpec, Scenario

__all__ = ["comparison", "original_metrics", "recorded", "results", "run_metrics", "summary", "trajectories"]

ORIGINAL = "original"
TASK = ["dataset", "model", "amount", "regularity", "discovery", "options"]
"""A task in words. What makes it one is the key of its setting, with its two dials."""
WHO = ["method", "label", "oracle", "variant"]
IDENTITY = ["setting", "spec"]
"""Keys: ``Scenario.setting_key`` and ``MethodSpec.key``. Runs that agree in these and in the dials differ by seed alone."""


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
            rows.append(named(spec, scenario) | values | {"device": record.payload.get("device"), "key": record.key})
    return _frame(rows, ["method", "label", "oracle", *metrics.names(), "device", "key"])


def results(store: Results, metric: str | None = None, dataset: str | None = None) -> pd.DataFrame:
    """All stored runs of their methods as they are today, one row each.

    Columns: dataset, model, amount, regularity, discovery, options (what differs from the dataset's preset), seed, method,
    label, oracle, variant (what differs from the method's preset), every metric (or ``metric`` alone), device, key, setting
    and spec: keys of everything but dials and seed, and of the method with its parameters. What is one cell is decided by
    these, and told by options and variant. Labels as they come have no regularity and no amount, an edited forget set has
    no discovery rate: NaN.
    Raises :class:`UserError` for an unknown metric.
    """
    names = metrics.names() if metric is None else [metrics.get(metric).name]
    runs = stored_runs(store, dataset, None if metric is None else names)
    frame = described(runs, runs.frame)
    words = options(runs, frame["setting"].unique())
    frame = frame.assign(options=frame["setting"].map(words), amount=_whole(frame["amount"]))
    if metric is not None:
        frame = with_late_values(store, runs, frame, names[0])
    return _frame(frame, [*TASK, "seed", *WHO, *names, "device", "key", *IDENTITY])


def _whole(amounts: pd.Series) -> pd.Series:
    """Counts as whole numbers where all of them are counts."""
    return amounts.astype(int) if amounts.ge(1).all() else amounts


def with_late_values(store: Results, runs: StoredRuns, frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """``frame`` with ``metric`` also where it can be known only now; :func:`run_metrics` says the same of one run."""
    chosen, index = metrics.get(metric), frame.index
    values = frame[metric] if metric in frame and not chosen.as_found else pd.Series(np.nan, index, dtype=float)
    wanted = values.isna() & (~frame[TOLD].isin(runs.telling(metric)) | bool(chosen.compares_with))
    if chosen.as_found:
        wanted &= frame["regularity"].isna()
    if wanted.any():
        late = late_values(store, runs, frame[wanted], metric)
        values = values.fillna(frame["key"].map(late).astype(float))
    return frame.assign(**{metric: values})


def summary(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Mean, standard error and n of ``metric`` over seeds: one row per method (and variant) and task, with its setting's key.

    ``frame``: from :func:`results`. Runs where the metric has no meaning don't count; the standard error of one run is NaN.
    Seconds of different kinds of devices are no repetitions of one another: they have rows of their own.
    """
    if metric not in frame:
        raise UserError(f"There is no metric called {metric!r} in these results.")
    known = frame.dropna(subset=[metric])
    cell = ["setting", "spec", "method", "regularity", "discovery"]
    if metric in metrics and metrics.get(metric).unit == "s" and known["device"].nunique() > 1:
        timed = ("device=" + known["device"].fillna("unknown").astype(str)).astype(object)
        known = known.assign(options=[", ".join(filter(None, pair)) for pair in zip(known["options"], timed, strict=True)])
        cell = [*cell, "options"]
    words = {name: (name, "first") for name in [*TASK, *WHO] if name not in cell}
    groups = known.groupby(cell, sort=False, dropna=False)
    table = groups.agg(**words, mean=(metric, "mean"), standard_error=(metric, "sem"), n=(metric, "count")).reset_index()
    order = {name: position for position, name in enumerate(methods.names())}
    rank = table["method"].map(order).rename("rank")
    return (
        table.assign(rank=rank)
        .sort_values(["dataset", "model", "options", "regularity", "discovery", "rank", "variant"], kind="stable")
        .reset_index(drop=True)[[*TASK, *WHO, "mean", "standard_error", "n", "setting"]]
    )


def trajectories(
    store: Results,
    scenario: Scenario,
    specs: Sequence[MethodSpec],
    precomputed: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> pd.DataFrame:
    """The metrics of every recorded round: columns method, label, round, then one per metric that was recorded.

    ``precomputed``: rounds by the key of their run, for runs that the store does not have."""
    rows = []
    for spec in specs:
        key = scenario.run_key(spec)
        record = store.get(key)
        told = (precomputed or {}).get(key, ()) if record is None else record.payload.get("trajectory") or ()
        for point in told:
            rows.append({"method": spec.name, "label": named(spec, scenario)["label"], **point})
    present = {name for row in rows for name in row}
    return _frame(rows, ["method", "label", "round", *(name for name in metrics.names() if name in present)])


def _frame(rows: Sequence[dict[str, Any]] | pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    frame = rows.reindex(columns=columns) if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows, columns=columns)
    numbers = [name for name in columns if name in metrics]
    return frame.astype(dict.fromkeys(numbers, float) | ({"oracle": bool} if "oracle" in columns else {}))


def method_columns(name: str) -> dict[str, Any]:
    """Columns method, label and oracle of a method, registered or not."""
    if name not in methods:
        return {"method": name, "label": name, "oracle": False}
    method = methods.get(name)
    return {"method": name, "label": method.label, "oracle": method.oracle}


def task_of(scenario: Scenario) -> dict[str, Any]:
    """The columns of :data:`TASK` for a corruption that was made, with the key of its setting."""
    return {
        "dataset": scenario.dataset.name,
        "model": scenario.model.name,
        "amount": scenario.corruption.amount,
        "regularity": scenario.corruption.regularity,
        "discovery": scenario.discovery,
        "options": options_of(scenario),
        "setting": scenario.setting_key,
    }


def variant(spec: MethodSpec, scenario: Scenario) -> str:
    """What a method's parameters change against its tuned values on this data, such as "epochs=5", or against the published
    ones, such as "paper"."""
    return variant_of(spec, scenario.dataset.name, scenario.training.augment, brought(scenario.model))


def named(spec: MethodSpec, scenario: Scenario) -> dict[str, Any]:
    """Columns method, label and oracle; the label says where the values are the publication's: "REM [paper]"."""
    columns = method_columns(spec.name)
    return columns | {"label": f"{columns['label']} [{PAPER}]"} if set_of(variant(spec, scenario)) == PAPER else columns
