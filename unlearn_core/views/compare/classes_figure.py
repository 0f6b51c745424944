"""Healing class by class, for every model: one row per model, one column per clean class, one fixed scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.picture import Picture, escape_html, layout, percent, short, short_labels

_WORDS = {
    "healed": ("healed", "corrupted examples", "n", "healed (% of the corrupted examples that truly belong to the class)"),
    "utility": ("utility", "test examples", "test_n", "utility (% of the clean test examples of the class)"),
}


def classes(frame: pd.DataFrame, metric: str = "healed", ranked: bool = True) -> Picture:
    """``frame``: from ``compare.classes.by_class``; ``metric``: "healed" or "utility". Cells without examples stay empty.

    ``ranked``: whether the caption names the best method, which it must not where there was nothing to heal.
    """
    word, things, count, title = _WORDS[metric]
    table = frame.pivot(index="method", columns="class", values=metric)
    table = table.loc[frame["method"].unique(), frame["class"].unique()]
    counts = frame.drop_duplicates("class").set_index("class")[count]
    rows = short_labels(frame.drop_duplicates("method")["label"])
    columns = [f"{escape_html(name)}<br>{counts[name]}" for name in table.columns]
    notes = [f"{escape_html(name)}, {counts[name]} {things}" for name in table.columns]
    values = table.to_numpy(float)
    figure = go.Figure(_cells(values, columns, rows, notes, word))
    _write(figure, values, columns, rows)
    layout(
        figure,
        120 + 36 * len(rows),
        legend=False,
        xaxis={
            "title": {"text": f"clean class, with its number of {things} ({int(counts.sum())} in all)"},
            "showgrid": False,
            "type": "category",
            "tickangle": 0,
        },
        yaxis={"autorange": "reversed", "showgrid": False, "title": {"text": ""}},
    )
    weakest = _weakest(frame, metric) if ranked else ""
    return Picture(
        figure,
        f"Look for pale cells in a dark row: {title}." + (f" {weakest}" if weakest else ""),
        f"Table of {word} for {len(rows)} models and {len(columns)} classes. {weakest}".strip(),
        frame,
    )


def _cells(values: np.ndarray, columns: list[str], rows: list[str], notes: list[str], word: str) -> go.Heatmap:
    """``notes``: what the pointer says of each column."""
    return go.Heatmap(
        z=values,
        x=columns,
        y=rows,
        customdata=np.tile(np.array(notes), (len(rows), 1)),
        zmin=0,
        zmax=1,
        # Opaque, so that every number keeps a contrast of 4 on light and dark pages alike.
        colorscale=[[0, "#C3D0DC"], [1, "#164472"]],
        xgap=3,
        ygap=3,
        showscale=False,
        hoverongaps=False,
        hovertemplate=f"%{{y}}, class %{{customdata}}<br>{word} %{{z:.1%}}<extra></extra>",
    )


def _weakest(frame: pd.DataFrame, metric: str) -> str:
    """The class that the method which is best on average does worst on, if it is any worse there."""
    rivals = (
        frame[(frame["method"] != "original") & ~frame["oracle"].astype(bool)].dropna(subset=[metric]).reset_index(drop=True)
    )
    if rivals.empty:
        return ""
    best = rivals.groupby("method", sort=False)[metric].mean().idxmax()
    rows = rivals[rivals["method"] == best]
    low = rows.iloc[int(rows[metric].to_numpy().argmin())]
    if low[metric] == rows[metric].max():
        return ""
    return (
        f"{short(low['label'])}, best on average over the classes, is weakest on class {low['class']}: {percent(low[metric])}."
    )


def _write(figure: go.Figure, values: np.ndarray, columns: list[str], rows: list[str]) -> None:
    strong, missing = np.nan_to_num(values) >= 0.6, np.isnan(values)
    fonts: list[dict[str, object]] = [{"size": 14, "color": "#FFFFFF"}, {"size": 14, "color": "#14181F"}, {"size": 14}]
    for chosen, font in zip((strong, ~strong & ~missing, missing), fonts, strict=True):
        places = np.argwhere(chosen)
        figure.add_scatter(
            x=[columns[c] for _, c in places],
            y=[rows[r] for r, _ in places],
            text=["–" if np.isnan(values[r, c]) else f"{100 * values[r, c]:.0f}" for r, c in places],
            mode="text",
            textfont=font,
            hoverinfo="skip",
        )
