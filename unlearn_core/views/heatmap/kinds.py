"""The same heatmap over kinds of corruption: what fits none of the dial's places has columns of its own."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from unlearn_core.evaluation import registry as metrics
from unlearn_core.results import late_metrics
from unlearn_core.results.reader import Results
from unlearn_core.specs import Scenario
from unlearn_core.views.heatmap.data import HeatmapData, Rows, in_setting, stored_rows
from unlearn_core.views.heatmap.later import complete, places_at
from unlearn_core.views.heatmap.tasks import Cell


def kinds_data(
    store: Results, kinds: Mapping[str, Scenario], metric: str, gallery: pd.DataFrame | None = None
) -> tuple[HeatmapData, list[Cell]]:
    """What is stored of each kind (name → the scenario of this view in it), and the tasks: each kind, in this order, at the
    view's discovery rate."""
    name = metrics.get(metric).name
    rows = stored_rows(store, next(iter(kinds.values())), name, gallery)
    parts, pending, tasks = [], list[late_metrics.MissingMetric](), list[Cell]()
    for kind, scenario in kinds.items():
        runs, more = complete(store, scenario, name, _of_kind(rows, scenario, name), kind)
        parts.append(runs)
        pending += more
        tasks.append(Cell(scenario.corruption.regularity, scenario.discovery, kind))
    runs = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    elsewhere = rows.elsewhere[~rows.elsewhere["key"].isin(set(runs["key"]))]
    return HeatmapData(name, runs, tuple(pending), elsewhere), tasks


def _of_kind(rows: Rows, scenario: Scenario, name: str) -> pd.DataFrame:
    """The stored runs of this scenario's setting that are at its places on the dials."""
    setting, found = places_at(scenario).setting, rows.here
    if not (found["setting"] == setting).all() or found.empty:
        found = rows.elsewhere[in_setting(rows.elsewhere, setting, name)]
    spot = (found["regularity"] == scenario.corruption.regularity) & (found["discovery"] == scenario.discovery)
    return found[spot].reset_index(drop=True)
