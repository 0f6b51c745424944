"""The plane that a person draws on: fillings are the labels that points are given, shapes what is known of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.boundary.regions import LINE, fill
from unlearn_core.views.palette import GROUPS
from unlearn_core.views.picture import Picture, escape_html, layout

_SIZES = {"clean": 8, "undiscovered": 12, "discovered": 12}


def canvas(points: pd.DataFrame, names: Sequence[str], height: int = 430) -> Picture:
    """``points``: of ``craft.canvas.canvas_points``. The index of a point is its custom data's first entry.

    Classes have the colours of the ground on the page Decision boundary.
    """
    figure, fills = go.Figure(), {name: fill(k) for k, name in enumerate(names)}
    for group, size in _SIZES.items():
        part, style = points[points["group"] == group], GROUPS[group]
        figure.add_trace(
            go.Scatter(
                x=part["x"],
                y=part["y"],
                mode="markers",
                name=f"{style.label} ({len(part):,})",
                customdata=part[["index", "given", "clean"]].map(escape_html).to_numpy(),
                hovertemplate="point %{customdata[0]}<br>given %{customdata[1]}, truly %{customdata[2]}<extra></extra>",
                marker={
                    "symbol": style.symbol,
                    "size": size,
                    "color": part["given"].map(fills),
                    "line": {"color": style.color, "width": 1.2 if group == "clean" else 2},
                },
                unselected={"marker": {"opacity": 0.5}},
            )
        )
    for name in names:
        square = {"symbol": "square", "size": 12, "color": fills[name], "line": {"width": 1, "color": LINE}}
        figure.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", name=escape_html(name), marker=square, hoverinfo="skip")
        )
    layout(figure, height)
    legend = {"y": 1.03, "itemclick": False, "itemdoubleclick": False, "font": {"size": 13}}
    figure.update_layout(dragmode="lasso", clickmode="event+select", margin={"t": 62}, legend=legend)
    figure.update_xaxes(title={"text": "first coordinate (no unit)"}, showgrid=False)
    figure.update_yaxes(title={"text": "second coordinate (no unit)"}, showgrid=False)
    counts = points["group"].value_counts()
    known, unknown = (int(counts.get(group, 0)) for group in ("discovered", "undiscovered"))
    return Picture(
        figure,
        "Look where you drew: a filling that differs from its neighbours is a wrong label; a cross is known, a diamond is not.",
        f"Scatter of {len(points):,} training points, {known + unknown:,} with a drawn label, {known:,} of these known.",
        points,
    )
