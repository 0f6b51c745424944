"""Clouds of examples: the same ones for several models side by side, coloured and highlighted; and what a selection holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.views.palette import GROUPS, NEUTRAL, method_style
from unlearn_core.views.picture import Picture, escape_html, layout

ORDER = ("clean", "undiscovered", "discovered")
_QUIET = ("unknown", "clean")
"""Drawn in this order: what matters most lies on top."""

CLASS_COLORS = (
    "#4477AA", "#EE6677", "#228833", "#B8A52E", "#3FA9C9", "#AA3377", "#8A8F98", "#E69F00", "#7E57C2", "#8C6D31",
)  # fmt: skip
"""Colours of classes by position (Paul Tol's bright set, extended), each readable on light and dark; more classes repeat."""

_STEPS = [[(k + side) / len(CLASS_COLORS), color] for k, color in enumerate(CLASS_COLORS) for side in (0, 1)]
LOSS_TICKS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
MANY = 10_000
"""From so many points on, markers are smaller and the pointer tells less."""
TRAILS = 150
"""At most so many movements are drawn as lines."""
FADED = 0.07

AXES = {
    "umap": ("UMAP 1 (no unit)", "UMAP 2 (no unit)"),
    "pca": ("first component (no unit)", "second component (no unit)"),
    "data": ("first coordinate (no unit)", "second coordinate (no unit)"),
}
_LOOK = {
    "group": "Look for corrupted examples that leave the cluster of their given label and join the clean ones of their class",
    "class": "Look for a colour in the wrong cluster: examples that the model takes for another class than they truly are",
    "given": "Look for a colour that splits into two clusters: one holds the examples that were given that label wrongly",
    "prediction": "Look for examples whose colour changes from the first panel to the next: the model has changed its mind",
    "loss": "Look for gold: examples whose given label the model does not believe (loss in nats, logarithmic scale)",
    "suspicion": "Look for gold that nobody discovered: what the search on the page Forget set takes for corrupted",
}


@dataclass(frozen=True)
class Cloud:
    """The same n examples at a place in each of m panels.

    ``way``: "umap", "pca" or "data". ``titles``: one per panel. ``places``: (m, n, 2). ``frame``: n rows with columns index,
    group, class and given. ``predictions`` and ``losses``: for each panel (n,) names of classes, and nats.
    ``suspicion``: (n,) from 0 to 1, where a search for suspects is stored; ``suspicion_means``: of what, in a word.
    """

    way: str
    titles: tuple[str, ...]
    places: np.ndarray
    frame: pd.DataFrame
    predictions: Sequence[np.ndarray]
    losses: Sequence[np.ndarray]
    classes: tuple[str, ...]
    suspicion: np.ndarray | None = None
    suspicion_means: str = ""


_PANEL, _BETWEEN = 300, 34
"""Pixels that a panel and what is between two have, where they are stacked."""


def clouds(
    cloud: Cloud, colour: str = "group", focus: np.ndarray | None = None, height: int = 400, stacked: bool = False,
    lasso: bool = True,
) -> Picture:  # fmt: skip
    """Panels on shared axes. ``focus``: bool (n,), which examples stay strong while all others fade; None for all;
    ``stacked``: panels one below the other, for a phone; ``lasso``: whether dragging draws one.

    The index of an example is its point's custom data. Where at most :data:`TRAILS` examples are in focus, a line in every
    panel but the first leads from where each of them was in the first.
    """
    count = len(cloud.titles)
    down = count if stacked else 1
    height += (down - 1) * (_PANEL + _BETWEEN)
    places = [(panel + 1, 1) if stacked else (1, panel + 1) for panel in range(count)]
    figure = make_subplots(
        rows=down, cols=count // down, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.02,
        vertical_spacing=_BETWEEN / (height - 90) if down > 1 else None, subplot_titles=cloud.titles,
    )  # fmt: skip
    if focus is not None and 0 < focus.sum() <= TRAILS:
        for panel in range(1, count):
            figure.add_trace(_trails(cloud, panel, focus), *places[panel])
    for panel in range(count):
        for group in _order(cloud):
            figure.add_trace(_points(cloud, panel, group, colour, focus), *places[panel])
    add_legend(figure, cloud, colour)
    _lay_out(figure, cloud, height, down)
    drag = "lasso" if lasso else "pan"
    figure.update_layout(dragmode=drag, clickmode="event+select", coloraxis=_axis(cloud, colour))
    corrupted = int((~cloud.frame["group"].isin(_QUIET)).sum())
    strong = "" if focus is None else f", {int(focus.sum())} of them in focus and the others faded"
    return Picture(
        figure,
        f"{_LOOK[colour]}. Shapes are groups, in every colouring." if cloud.way != "data" else _PLANE,
        f"{count} scatter plot{'s' if count > 1 else ''} of the same {len(cloud.frame):,} examples, {corrupted} corrupted, "
        f"coloured by {colour}{strong}: {', '.join(cloud.titles)}.",
        _data(cloud),
    )


def _lay_out(figure: go.Figure, cloud: Cloud, height: int, down: int) -> None:
    """Axes without numbers, whose names stand at the edge; the legend above the first panel's title."""
    layout(figure, height)
    first, second = AXES[cloud.way]
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_xaxes(title={"text": first}, row=down)
    figure.update_yaxes(title={"text": second}, col=1)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    legend = {"y": 1 + 25 / (height - 90), "itemclick": False, "itemdoubleclick": False, "font": {"size": 13}}
    figure.update_layout(margin={"t": 62}, legend=legend)
    figure.update_annotations(font={"size": 14}, yshift=-2)


_PLANE = "Where the same examples lie in the data itself: look whether what was selected together also lies together here."


def _order(cloud: Cloud) -> tuple[str, ...]:
    """The groups that are drawn: where it is unknown what is corrupted there is the forget set, and all others."""
    return ("unknown", "discovered") if (cloud.frame["group"] == "unknown").any() else ORDER


def _points(cloud: Cloud, panel: int, group: str, colour: str, focus: np.ndarray | None) -> go.Scattergl:
    rows = np.flatnonzero((cloud.frame["group"] == group).to_numpy())
    style, many = GROUPS[group], len(cloud.frame) > MANY
    sizes = (3, 5) if many else (5, 8)
    marker: dict[str, Any] = {"symbol": style.symbol, "size": sizes[0] if group in _QUIET else sizes[1]}
    # Opacity goes with the selection below: a marker's own would be multiplied with it.
    marker |= _color(cloud, panel, rows, colour, style.color)
    place = cloud.places[panel, rows].astype(np.float32)
    strong = 0.9 if group not in _QUIET or focus is not None else 0.55
    return go.Scattergl(
        x=place[:, 0],
        y=place[:, 1],
        mode="markers",
        name=f"{style.label} ({len(rows):,})",
        showlegend=colour == "group" and panel == 0,
        customdata=cloud.frame["index"].to_numpy()[rows].astype(np.int32)[:, None],
        text=None if many else _words(cloud, panel, rows),
        hovertemplate="example %{customdata[0]}<br>" + ("" if many else "%{text}<br>") + f"{style.label}<extra></extra>",
        marker=marker | {"opacity": strong},
        selectedpoints=None if focus is None else np.flatnonzero(focus[rows]),
        selected={"marker": {"opacity": strong}},
        unselected={"marker": {"opacity": FADED}},
    )


def _color(cloud: Cloud, panel: int, rows: np.ndarray, colour: str, group: str) -> dict[str, Any]:
    if colour == "group":
        return {"color": group}
    if colour == "suspicion":
        if cloud.suspicion is None:
            raise ValueError("there is no suspicion to colour by")
        return {"color": cloud.suspicion[rows], "coloraxis": "coloraxis"}
    if colour == "loss":
        return {"color": np.log10(np.clip(cloud.losses[panel][rows], LOSS_TICKS[0], LOSS_TICKS[-1])), "coloraxis": "coloraxis"}
    names = cloud.predictions[panel][rows] if colour == "prediction" else cloud.frame[colour].to_numpy()[rows]
    # Numbers on a scale of steps: fifty thousand names of colours would take seconds to check and to send.
    steps = {"colorscale": _STEPS, "cmin": -0.5, "cmax": len(CLASS_COLORS) - 0.5}
    return {"color": color_codes(names, cloud.classes)} | steps


def color_codes(names: Sequence[str] | np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Positions in :data:`CLASS_COLORS` of class names, int8 (n,); -1 for a name that is none of ``classes``."""
    code = {name: k % len(CLASS_COLORS) for k, name in enumerate(classes)}
    return np.asarray(pd.Series(names).map(code).fillna(-1).to_numpy(np.int8))


def _words(cloud: Cloud, panel: int, rows: np.ndarray) -> list[str]:
    given, clean = (cloud.frame[name].to_numpy()[rows] for name in ("given", "class"))
    found, loss = cloud.predictions[panel][rows], cloud.losses[panel][rows]
    return [
        f"given {escape_html(g)}, truly {escape_html(c)}<br>predicted {escape_html(p)}, loss {x:.2g}"
        for g, c, p, x in zip(given, clean, found, loss, strict=True)
    ]


def _trails(cloud: Cloud, panel: int, focus: np.ndarray) -> go.Scattergl:
    starts, ends = cloud.places[0, focus], cloud.places[panel, focus]
    gaps = np.full_like(starts, np.nan)
    path = np.stack([starts, ends, gaps], axis=1).reshape(-1, 2)
    line = {"color": NEUTRAL, "width": 1}
    return go.Scattergl(x=path[:, 0], y=path[:, 1], mode="lines", line=line, opacity=0.55, hoverinfo="skip", showlegend=False)


def add_legend(figure: go.Figure, cloud: Cloud, colour: str) -> None:
    """Add entries that no point is behind to ``figure``: shapes in grey, and for classes their colours."""
    if colour == "group":
        return
    for group in _order(cloud):
        style = GROUPS[group]
        count = int((cloud.frame["group"] == group).sum())
        figure.add_trace(_entry(f"{style.label} ({count:,})", {"symbol": style.symbol, "color": NEUTRAL, "size": 8}))
    if colour not in ("loss", "suspicion"):
        for k, name in enumerate(cloud.classes):
            marker = {"symbol": "square", "color": CLASS_COLORS[k % len(CLASS_COLORS)], "size": 10}
            figure.add_trace(_entry(name, marker))


def _entry(name: str, marker: dict[str, Any]) -> go.Scatter:
    return go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, hoverinfo="skip", showlegend=True)


def _axis(cloud: Cloud, colour: str) -> dict[str, Any] | None:
    """The colour axis of the two colourings by a number."""
    bar = {"thickness": 12, "outlinewidth": 0}
    scale = [[0, "#6F8FAF"], [0.6, "#A99A5A"], [1, "#F0A202"]]
    if colour == "loss":
        ticks = {"tickvals": np.log10(LOSS_TICKS), "ticktext": [f"{tick:g}" for tick in LOSS_TICKS]}
        low, high = np.log10(LOSS_TICKS[0]), np.log10(LOSS_TICKS[-1])
        return {"colorscale": scale, "cmin": low, "cmax": high, "colorbar": bar | ticks | {"title": {"text": "loss (nats)"}}}
    if colour == "suspicion":
        return {"colorscale": scale, "cmin": 0, "cmax": 1, "colorbar": bar | {"title": {"text": cloud.suspicion_means}}}
    return None


def _data(cloud: Cloud) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for panel, title in enumerate(cloud.titles):
        columns |= {
            f"{title}: x": cloud.places[panel, :, 0],
            f"{title}: y": cloud.places[panel, :, 1],
            f"{title}: prediction": cloud.predictions[panel],
            f"{title}: loss": cloud.losses[panel],
        }
    if cloud.suspicion is not None:
        columns[cloud.suspicion_means] = cloud.suspicion
    return pd.concat([cloud.frame.reset_index(drop=True), pd.DataFrame(columns)], axis=1)


def distributions(frame: pd.DataFrame, classes: Sequence[str], method: str | None, label: str = "") -> Picture:
    """What the original and a method make of some examples: predicted classes as bars, losses as histograms.

    ``frame``: rows of ``embedding.examples.table``; ``method``: whose the columns after and loss after are, ``label`` its name.
    """
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.09)
    bins = np.linspace(np.log10(LOSS_TICKS[0]), np.log10(LOSS_TICKS[-1]), 21)
    middles, rows = (bins[:-1] + bins[1:]) / 2, []
    models = [("original", "Original", "before", "loss before")]
    models += [(method, label, "after", "loss after")] if method is not None else []
    for name, words, prediction, loss in models:
        counts = frame[prediction].value_counts().reindex(list(classes), fill_value=0)
        heights, _ = np.histogram(np.log10(np.clip(frame[loss].astype(float), LOSS_TICKS[0], LOSS_TICKS[-1])), bins)
        color = method_style(name).color
        about = {"name": words, "legendgroup": name, "marker": {"color": color}}
        hover = "%{y} examples<extra>" + words + "</extra>"
        named = [escape_html(name) for name in classes]
        figure.add_trace(go.Bar(x=named, y=counts, hovertemplate="class %{x}: " + hover, **about), row=1, col=1)
        figure.add_trace(go.Bar(x=middles, y=heights, showlegend=False, hovertemplate=hover, **about), row=1, col=2)
        rows += [{"model": words, "of": "prediction", "value": c, "examples": int(n)} for c, n in counts.items()]
        rows += [
            {"model": words, "of": "log10 loss", "value": f"{m:.3f}", "examples": int(n)}
            for m, n in zip(middles, heights, strict=True)
        ]
    layout(figure, 300)
    figure.update_layout(barmode="group", bargap=0.15)
    figure.update_xaxes(title={"text": "predicted class"}, type="category", showgrid=False, row=1, col=1)
    ticks = {"tickvals": np.log10(LOSS_TICKS), "ticktext": [f"{tick:g}" for tick in LOSS_TICKS]}
    figure.update_xaxes(title={"text": "loss against the given label (nats, logarithmic)"}, **ticks, row=1, col=2)
    figure.update_yaxes(title={"text": "examples"}, rangemode="tozero")
    return Picture(
        figure,
        "Look for bars that move between the models: left which class they see, right how little they believe the given label.",
        f"Two bar charts of {len(frame):,} examples: predicted classes, and losses, for {' and '.join(m[1] for m in models)}.",
        pd.DataFrame(rows),
    )
