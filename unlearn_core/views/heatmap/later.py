"""What belongs to the stored runs of a setting and is not in them: their originals, and values that were measured later."""

from __future__ import annotations

import pandas as pd

from unlearn_core.evaluation import registry as metrics
from unlearn_core.results import late_metrics, tables
from unlearn_core.results.late_metrics import MissingMetric, Place, Places
from unlearn_core.results.measured import defined
from unlearn_core.results.reader import Results
from unlearn_core.results.run_table import StoredRuns, stored_runs
from unlearn_core.specs import Scenario

STORED = "store"
"""Where a row comes from: this computer's store, or else the gallery."""


def complete(
    store: Results, scenario: Scenario, name: str, runs: pd.DataFrame, kind: str = ""
) -> tuple[pd.DataFrame, tuple[MissingMetric, ...]]:
    """The runs of one setting, under this kind, with the originals that belong to them and the values that were measured later;
    and what is not measured yet."""
    places = places_at(scenario)
    originals = _originals(store, scenario, places, runs)
    runs = pd.concat([f for f in (originals, runs) if len(f)] or [runs], ignore_index=True).assign(kind=kind)
    pending, found = _late_values(store, stored_runs(store, scenario.dataset.name), places, name, runs)
    if found:
        keys = zip(runs["key"], runs["discovery"], strict=True)
        measured = pd.Series([found.get(key) for key in keys], index=runs.index, dtype=float)
        runs = runs.assign(value=runs["value"].fillna(measured))
    return runs, pending


def places_at(scenario: Scenario) -> Places:
    """The places of this scenario's setting."""
    return late_metrics.places_of(scenario.at_rate(1.0))


def _originals(store: Results, scenario: Scenario, places: Places, runs: pd.DataFrame) -> pd.DataFrame:
    """A row without a value for the stored original of every task and seed that has runs, unless the gallery has one."""
    place = [*Place._fields]
    spots = runs[place].drop_duplicates()
    known = runs.loc[runs["method"] == tables.ORIGINAL, place].itertuples(index=False, name=None)
    there = {Place(r, d, int(s)) for r, d, s in known}
    wanted = sorted({Place(r, d, int(s)) for r, d, s in spots.itertuples(index=False, name=None)} - there)
    keys = [places.original_key(place) for place in wanted]
    stored = store.has(sorted(set(keys)))
    rows = [(*place, key) for place, key in zip(wanted, keys, strict=True) if key in stored]
    frame = pd.DataFrame(rows, columns=[*place, "key"]).assign(
        dataset=scenario.dataset.name,
        model=scenario.model.name,
        amount=scenario.corruption.amount if not scenario.corruption.found else None,
        setting=places.setting,
        method=tables.ORIGINAL,
        spec=tables.ORIGINAL,
        label="Original",
        oracle=False,
        variant="",
        source=STORED,
    )
    return frame.reindex(columns=list(runs.columns)).astype({"value": float, "oracle": bool})


def _late_values(
    store: Results, stored: StoredRuns, places: Places, metric: str, runs: pd.DataFrame
) -> tuple[tuple[MissingMetric, ...], dict[tuple[str, float], float | None]]:
    """What has no value although its model, and whatever the metric compares it with, are stored; and what is known of it."""
    rows = runs[runs["value"].isna() & (runs["source"] == STORED)]
    # A run was measured when it was computed, unless the metric had another definition then; the original was not.
    if not metrics.get(metric).compares_with and not defined([metric]):
        rows = rows[rows["method"] == tables.ORIGINAL]
    if rows.empty:
        return (), {}
    parts = late_metrics.pending_in(store, places, rows, metric, frozenset(stored.frame["key"]))
    known = stored.values_of(part.key for part in parts)
    values = {
        (key, part.scenario.discovery): value for part in parts if part.key in known for key, value in known[part.key].items()
    }
    return tuple(part for part in parts if part.key not in known), values
