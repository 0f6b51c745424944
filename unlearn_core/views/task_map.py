"""The plane of regularity × discovery, with the region each method was designed for, and the dial's mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.palette import ACCENT, KINDS, NEUTRAL, method_styles
from unlearn_core.views.picture import Picture, layout, percent, short

Interval = tuple[float, float]


@dataclass(frozen=True)
class MethodRegion:
    """Where on the plane a method's paper aims."""

    name: str
    label: str
    regularity: Interval
    discovery: Interval


def position_name(regularity: float) -> str:
    """The position of the dial in words."""
    named = {0.0: "random labels", 0.5: "interclass confusion", 1.0: "trigger"}
    if regularity in named:
        return named[regularity]
    return "random labels → confusion" if regularity < 0.5 else "confusion → trigger"


def task_map(
    regularity: float, discovery: float, regions: Sequence[MethodRegion], measured: float | None = None, height: int = 330
) -> Picture:
    """The current point among the regions; methods that aim at the same region share one outline."""
    figure = go.Figure()
    _draw_regions(figure, regions)
    _points(figure, regularity, discovery, measured)
    layout(
        figure,
        height,
        legend=measured is not None,
        xaxis={
            "title": {"text": "regularity (share, 0 to 1)"},
            "range": [-0.04, 1.04],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "ticktext": ["0<br>random<br>labels", "0.25", "0.5<br>confusion", "0.75", "1<br>trigger"],
        },
        yaxis={"title": {"text": "discovery rate (% of C)"}, "range": [-0.06, 1.06], "tickformat": ".0%"},
    )
    rows = [{"name": r.label, "kind": "designed for", **_bounds(r)} for r in regions]
    rows.append({"name": "this view", "kind": "point", "regularity_from": regularity, "regularity_to": regularity,
                 "discovery_from": discovery, "discovery_to": discovery})  # fmt: skip
    inside = [short(r.label) for r in regions if _holds(r, regularity, discovery)]
    aims = f"{' and '.join(inside)} {'aims' if len(inside) == 1 else 'aim'} at it" if inside else "no chosen method aims at it"
    return Picture(
        figure,
        f"The star is this view: {aims}. Outside its outline a method leaves the ground it was made for.",
        f"Plane with regularity {regularity:g} on the horizontal and discovery {percent(discovery)} on the vertical axis, "
        f"with the regions of {len(regions)} methods.",
        pd.DataFrame(rows),
    )


def _draw_regions(figure: go.Figure, regions: Sequence[MethodRegion]) -> None:
    styles = method_styles(region.name for region in regions)
    shared: dict[tuple[Interval, Interval], list[MethodRegion]] = {}
    for region in regions:
        shared.setdefault((region.regularity, region.discovery), []).append(region)
    # Large regions first, so that small ones lie on top; each next outline is a little further inside.
    order = sorted(shared.items(), key=lambda item: -_area(*item[0]))
    for depth, (((x0, x1), (y0, y1)), group) in enumerate(order):
        color, inset = styles[group[0].name].color, 0.006 * depth
        x0, x1, y0, y1 = x0 + inset, x1 - inset, y0 + inset, y1 - inset
        names = " · ".join(short(region.label) for region in group)
        figure.add_shape(
            type="rect", x0=x0, x1=x1, y0=y0, y1=y1, line={"color": color, "width": 2}, fillcolor=_faded(color), layer="below"
        )
        # A name inside its region, or under it where the region is too thin for letters.
        tall = y1 - y0 > 0.3
        figure.add_annotation(
            x=x0,
            y=y0,
            text=names,
            showarrow=False,
            xanchor="left",
            yanchor="bottom" if tall else "top",
            font={"size": 12},
            xshift=4,
            yshift=2 if tall else -1,
        )


def mixture(weights: Mapping[str, float], counts: Mapping[str, int] | None = None) -> Picture:
    """One stacked bar: which share of the corrupted examples is of which kind at this position of the dial."""
    figure = go.Figure()
    for kind, share in weights.items():
        color, pattern = KINDS[kind]
        text = f"{kind} {percent(share)}" if share >= 0.12 else ""
        figure.add_bar(
            x=[share],
            y=[""],
            orientation="h",
            name=kind,
            text=text,
            textposition="inside",
            insidetextanchor="middle",
            textfont={"color": "#111418" if kind == "random label" else "#FFFFFF", "size": 13},
            marker={"color": color, "line": {"width": 0}, "pattern": _pattern(pattern, color)},
            hovertemplate=f"{kind}: %{{x:.0%}}<extra></extra>",
        )
    layout(
        figure,
        118,
        legend=False,
        xaxis={"title": {"text": "share of the corrupted examples (%)"}, "range": [0, 1], "tickformat": ".0%"},
        yaxis={"visible": False},
    )
    figure.update_layout(barmode="stack", bargap=0)
    largest = max(weights, key=lambda kind: weights[kind])
    data = pd.DataFrame({"kind": list(weights), "share": list(weights.values())})
    if counts is not None:
        data["examples"] = [counts[kind] for kind in weights]
    return Picture(
        figure,
        f"At this position of the dial {percent(weights[largest])} of the corrupted examples are of the kind “{largest}”.",
        "Bar split into " + ", ".join(f"{kind} {percent(share)}" for kind, share in weights.items()) + ".",
        data,
    )


def _pattern(shape: str, color: str) -> dict[str, object]:
    return {"shape": shape, "bgcolor": color, "fgcolor": "rgba(255,255,255,0.35)", "solidity": 0.12, "size": 9}


def _points(figure: go.Figure, regularity: float, discovery: float, measured: float | None) -> None:
    star = {"size": 20, "symbol": "star", "color": ACCENT, "line": {"color": "#FFFFFF", "width": 1.5}}
    hover = "regularity %{x:.2f}<br>discovery %{y:.0%}<extra></extra>"
    figure.add_scatter(x=[regularity], y=[discovery], mode="markers", marker=star, name="this view", hovertemplate=hover)
    if measured is None:
        return
    ring = {"size": 14, "symbol": "circle-open", "color": ACCENT, "line": {"width": 2.5}}
    line = {"color": NEUTRAL, "width": 1.5, "dash": "dot"}
    figure.add_scatter(x=[regularity, measured], y=[discovery] * 2, mode="lines", line=line, hoverinfo="skip", showlegend=False)
    figure.add_scatter(
        x=[measured], y=[discovery], mode="markers", marker=ring, name="measured regularity",
        hovertemplate="measured regularity %{x:.2f}<extra></extra>",
    )  # fmt: skip


def _bounds(region: MethodRegion) -> dict[str, float]:
    (x0, x1), (y0, y1) = region.regularity, region.discovery
    return {"regularity_from": x0, "regularity_to": x1, "discovery_from": y0, "discovery_to": y1}


def _holds(region: MethodRegion, regularity: float, discovery: float) -> bool:
    (x0, x1), (y0, y1) = region.regularity, region.discovery
    return x0 <= regularity <= x1 and y0 <= discovery <= y1


def _area(x: Interval, y: Interval) -> float:
    return (x[1] - x[0]) * (y[1] - y[0])


def _faded(color: str) -> str:
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.1)"
