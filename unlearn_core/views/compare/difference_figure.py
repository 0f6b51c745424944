"""How far every model is from retraining, metric by metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.picture import Picture, layout, short_labels, wrap_label


def difference(frame: pd.DataFrame, metrics: Mapping[str, Any], reference: str = "retrain") -> Picture | None:
    """Every share minus that of ``reference``, in percentage points; None where the reference did not run.

    ``metrics``: name → something with a label and a direction; the direction decides the colour.
    """
    base = frame[frame["method"] == reference]
    if base.empty:
        return None
    others = frame[frame["method"] != reference]
    names = [name for name in metrics if name in frame and frame[name].notna().any()]
    values = 100 * (others[names].astype(float) - base[names].astype(float).iloc[0])
    signs = [{"higher": 1, "lower": -1}.get(metrics[name].direction, 0) for name in names]
    labels = short_labels(others["label"])
    columns = [wrap_label(metrics[name].label) for name in names]
    figure = go.Figure(_difference_cells(values.to_numpy(), values.to_numpy() * signs, columns, labels))
    _write_cells(figure, values.to_numpy(), values.to_numpy() * signs, columns, labels)
    title = {"text": "difference to retraining (percentage points)"}
    layout(
        figure,
        130 + 34 * len(labels),
        legend=False,
        xaxis={"title": title, "showgrid": False, "tickangle": 0, "tickfont": {"size": 11}},
        yaxis={"autorange": "reversed", "showgrid": False, "title": {"text": ""}},
    )
    return Picture(
        figure,
        "Blue is better than retraining, orange worse, grey neither; retraining is the yardstick of exact unlearning.",
        f"Table of differences to retraining for {len(labels)} models and {len(names)} metrics.",
        others[["method", "label"]].join(values.add_suffix(" (percentage points)")),
    )


def _difference_cells(values: np.ndarray, shades: np.ndarray, columns: list[str], rows: list[str]) -> go.Heatmap:
    """``values``: differences in percentage points; ``shades``: the same, positive where they are an improvement."""
    return go.Heatmap(
        z=shades,
        customdata=values,
        x=columns,
        y=rows,
        zmin=-100,
        zmax=100,
        # Orange to blue through a see-through middle: colour-blind safe, and quiet on light and dark alike.
        colorscale=[[0, "rgba(213,94,0,0.8)"], [0.5, "rgba(138,143,152,0.06)"], [1, "rgba(0,114,178,0.8)"]],
        xgap=3,
        ygap=3,
        showscale=False,
        hovertemplate="%{y}, %{x}: %{customdata:+.1f} percentage points<extra></extra>",
    )


def _write_cells(figure: go.Figure, values: np.ndarray, shades: np.ndarray, columns: list[str], rows: list[str]) -> None:
    """The numbers on a heatmap: white on strong colours, elsewhere in the page's own text colour, light or dark."""
    strong = np.abs(np.nan_to_num(shades)) >= 55
    for chosen, font in ((strong, {"size": 14, "color": "#FFFFFF"}), (~strong, {"size": 14})):
        places = np.argwhere(chosen)
        figure.add_scatter(
            x=[columns[c] for _, c in places],
            y=[rows[r] for r, _ in places],
            text=[_signed(values[r, c]) for r, c in places],
            mode="text",
            textfont=font,
            hoverinfo="skip",
        )


def _signed(value: float) -> str:
    return "–" if np.isnan(value) else "0" if abs(value) < 0.5 else f"{value:+.0f}"
