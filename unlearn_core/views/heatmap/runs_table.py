"""The runs behind one cell of the heatmap, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.io.formats.style import Styler

from unlearn_core.views.heatmap.scale import MetricScale, scale_of

if TYPE_CHECKING:
    from unlearn_core.evaluation import Metric


def runs_table(runs: pd.DataFrame, metrics: Mapping[str, type[Metric]], links: Sequence[str]) -> Styler:
    """One row per run: seed, the metrics that it has, where it was computed, and its link."""
    shown = {name: metric for name, metric in metrics.items() if runs[name].notna().any()}
    table = pd.DataFrame({"Seed": runs["seed"]})
    for name, metric in shown.items():
        table[metric.label] = runs[name].astype(float)
    table["Device"] = runs["device"].fillna("–")
    table["Source"] = runs["source"].map({"store": "this store", "gallery": "gallery"})
    styler = table.assign(Compare=list(links)).style
    for metric in shown.values():
        styler.format(_formatter(scale_of(metric)), subset=(slice(None), metric.label), na_rep="–")
    return styler


def _formatter(scale: MetricScale) -> Callable[[Any], str]:
    return lambda value: f"{scale.text(value, 1 if scale.percent else 3)} {scale.unit}".strip()
