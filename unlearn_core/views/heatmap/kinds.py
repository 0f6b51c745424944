"""The same heatmap over kinds of corruption: what fits none of the dial's places has columns of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from unlearn_core.evaluation import registry as metrics
from unlearn_core.results import late_metrics
from unlearn_core.results.reader import Results
from unlearn_core.results.run_table import stored_runs
from unlearn_core.specs import Scenario
from unlearn_core.views.heatmap.data import HeatmapData, in_setting, in_words, stored_rows
from unlearn_core.views.heatmap.later import complete, places_at
from unlearn_core.views.heatmap.tasks import Cell


def kinds_data(
    store: Results, kinds: Mapping[str, Scenario], metric: str, gallery: pd.DataFrame | None = None
) -> tuple[HeatmapData, list[Cell]]:
    """What is stored of each kind (name → the scenario of this view in it), and the tasks: each kind, in this order, at the
    view's discovery rate."""
    name, base = metrics.get(metric).name, next(iter(kinds.values()))
    rows = stored_rows(store, base, name, gallery)
    parts, pending, tasks = [], list[late_metrics.MissingMetric](), list[Cell]()
    settings, rates = set[str](), Counter[float]()
    for kind, scenario in kinds.items():
        setting = places_at(scenario).setting
        there = rows.here if setting == places_at(base).setting else rows.elsewhere[in_setting(rows.elsewhere, setting, name)]
        there = there[there["regularity"] == scenario.corruption.regularity]
        runs, more = complete(store, scenario, name, there[there["discovery"] == scenario.discovery], kind)
        parts.append(runs)
        pending += more
        tasks.append(Cell(scenario.corruption.regularity, scenario.discovery, kind))
        settings.add(setting)
        rates.update(set(there["discovery"]) - {scenario.discovery})
    runs = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    other = rows.elsewhere[~rows.elsewhere["setting"].isin(settings)].reset_index(drop=True)
    words = in_words(stored_runs(store, base.dataset.name), other, "")
    return HeatmapData(name, runs, tuple(pending), other, words, dict(sorted(rates.items()))), tasks
