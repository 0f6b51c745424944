"""A data map (Swayamdipta et al. 2020, arXiv:2009.10795): every example by how sure a watched run is of its given label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.datamap.data import HELD, OTHER, SUSPECTED
from unlearn_core.views.embedding.figure import MANY, ORDER
from unlearn_core.views.palette import GROUPS, NEUTRAL
from unlearn_core.views.picture import Picture, escape_html, layout
from unlearn_core.views.suspects.figure import AMBER


@dataclass(frozen=True)
class _Look:
    label: str
    color: str
    symbol: str
    quiet: bool = False


_ROLES = {
    OTHER: _Look("other", NEUTRAL, "circle", True),
    SUSPECTED: _Look("suspected, above the threshold", AMBER, "diamond"),
    HELD: _Look("in your set", GROUPS["discovered"].color, GROUPS["discovered"].symbol),
}
REGIONS = ((0.02, 0.02, "hard to learn", "left"), (0.49, 0.5, "ambiguous", "right"), (0.02, 1.07, "easy to learn", "left"))
"""What the paper calls parts of the map: variability, confidence, name, and which way the word goes."""


def data_map(frame: pd.DataFrame, height: int = 460) -> Picture:
    """Variability against confidence; the index of an example is its point's custom data.

    ``frame``: from ``datamap.data.map_frame``, coloured by its role. Where that is the truth, suspected ones have a ring.
    """
    figure = go.Figure()
    truth = not frame["role"].isin(_ROLES).all()
    looks = {name: _Look(GROUPS[name].label, GROUPS[name].color, GROUPS[name].symbol, name == "clean") for name in ORDER}
    for role, look in (looks if truth else _ROLES).items():
        part = frame[frame["role"] == role]
        if len(part):
            figure.add_trace(_points(part, look, len(frame) > MANY))
    ringed = frame[frame["suspected"]] if truth else frame.iloc[:0]
    if len(ringed):
        figure.add_trace(_rings(ringed))
    layout(
        figure,
        height,
        xaxis={
            "title": {"text": "its standard deviation over the epochs (variability)"},
            "range": [-0.01, 0.51],
        },
        yaxis={"title": {"text": "mean probability of the given label (%)"}, "range": [-0.03, 1.12], "tickformat": ".0%"},
    )
    for x, y, word, side in REGIONS:
        figure.add_annotation(x=x, y=y, text=word, showarrow=False, xanchor=side, font={"size": 13, "color": NEUTRAL})
    figure.update_layout(dragmode="lasso", clickmode="event+select", legend={"itemclick": False, "itemdoubleclick": False})
    corner = frame[(frame["confidence"] < 0.25) & (frame["variability"] < 0.25)]
    counts = ", ".join(f"{len(part):,} {role}" for role, part in frame.groupby("role", sort=False))
    return Picture(
        figure,
        "Look at what lies low: labels that a run believed late or never, though it saw them in every epoch, are often wrong. "
        "A trigger is learned like any rule, and lies at the top. Lasso points to see them below.",
        f"Data map of {len(frame):,} training examples ({counts}); {len(corner):,} of them are hard to learn.",
        frame,
    )


def _points(part: pd.DataFrame, look: _Look, many: bool) -> go.Scattergl:
    small, large = (3, 5) if many else (5, 8)
    marker: dict[str, Any] = {"symbol": look.symbol, "color": look.color, "size": small if look.quiet else large}
    return go.Scattergl(
        x=part["variability"].to_numpy(np.float32),
        y=part["confidence"].to_numpy(np.float32),
        mode="markers",
        name=f"{look.label} ({len(part):,})",
        customdata=part["index"].to_numpy(np.int32)[:, None],
        text=None if many else [f"given {escape_html(given)}" for given in part["given"]],
        hovertemplate="example %{customdata[0]}<br>" + ("" if many else "%{text}<br>") + "mean %{y:.0%}<extra></extra>",
        marker=marker | {"opacity": 0.55 if look.quiet else 0.9},
    )


def _rings(part: pd.DataFrame) -> go.Scattergl:
    return go.Scattergl(
        x=part["variability"].to_numpy(np.float32),
        y=part["confidence"].to_numpy(np.float32),
        mode="markers",
        name=f"suspected, above the threshold ({len(part):,})",
        customdata=part["index"].to_numpy(np.int32)[:, None],
        hoverinfo="skip",
        marker={"symbol": "circle-open", "color": AMBER, "size": 12, "line": {"width": 1.6}},
    )
