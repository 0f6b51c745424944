"""2-D data before and after corruption: group as colour and marker, class as lightness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.corruption import UNKNOWN
from unlearn_core.views.palette import GROUPS, NEUTRAL
from unlearn_core.views.picture import Picture, escape_html, layout


class Moved(Protocol):
    """An example with its training index and its position before corruption."""

    @property
    def index(self) -> int: ...

    @property
    def before(self) -> Any: ...


_GREYS = [[0, "#FAFAFA"], [1, "#2D2D2D"]]
_PANELS = (("x_before", "y_before", "clean"), ("x", "y", "given"))
"""Columns of both coordinates and of the label that fills a marker, before and after."""
_SIZES = {"clean": 7, "unknown": 7, "discovered": 11, "undiscovered": 11}


def points(frame: pd.DataFrame, legend: bool = True) -> Picture:
    """Two panels on shared axes; ``legend`` may be left out where the page shows the groups itself.

    ``frame``: columns x, y (as given), x_before, y_before, given, clean, group (clean, discovered, undiscovered), kind.
    """
    figure = make_subplots(
        rows=1, cols=2, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.03,
        subplot_titles=("before: true labels", "after: labels as given"),
    )  # fmt: skip
    names = sorted((set(frame["clean"]) | set(frame["given"])) - {UNKNOWN})
    codes = {name: k for k, name in enumerate(names)} | {UNKNOWN: 0}
    order = ("unknown", "discovered") if (frame["group"] == "unknown").any() else ("clean", "undiscovered", "discovered")
    traces = [
        _trace(frame[frame["group"] == group], panel, group, codes, len(names), legend=panel is _PANELS[0])
        for panel in _PANELS
        for group in order
    ]
    figure.add_traces(traces, rows=[1] * len(traces), cols=[column for column in (1, 2) for _ in order])
    layout(figure, 420 if legend else 390, legend)
    figure.update_xaxes(title={"text": "first coordinate (no unit)"})
    figure.update_yaxes(title={"text": "second coordinate (no unit)"}, row=1, col=1)
    figure.update_layout(margin={"t": 64 if legend else 30}, legend={"y": 1.1})
    figure.update_annotations(font={"size": 13, "color": NEUTRAL}, yshift=2)
    lightness = ", ".join(f"{shade} {name}" for shade, name in zip(_shades(len(names)), names, strict=True))
    corrupted = int((frame["group"] != "clean").sum())
    return Picture(
        figure,
        f"Compare the panels: a marker whose filling changes has a wrong label ({lightness}); one that moves has a trigger.",
        f"Scatter of {len(frame)} points before and after corruption, {corrupted} of them corrupted.",
        frame,
    )


def _trace(
    part: pd.DataFrame, panel: tuple[str, str, str], group: str, codes: Mapping[str, int], classes: int, legend: bool
) -> go.Scatter:
    """The points of one group in one panel."""
    (x, y, label), style = panel, GROUPS[group]
    return go.Scatter(
        x=part[x],
        y=part[y],
        mode="markers",
        name=f"{style.label} ({len(part)})",
        legendgroup=group,
        showlegend=legend,
        customdata=part[["given", "clean", "kind"]].map(escape_html).to_numpy(),
        marker={
            "symbol": style.symbol,
            "size": _SIZES[group],
            # Numbers on a scale: hundreds of colour names, each checked by plotly, take longer to draw.
            "color": part[label].map(codes).to_numpy(dtype=int),
            "colorscale": _GREYS,
            "cmin": 0,
            "cmax": max(1, classes - 1),
            "line": {"color": style.color, "width": 1.2 if group == "clean" else 2.2},
            "opacity": 0.75 if group == "clean" else 1,
        },
        hovertemplate="given %{customdata[0]}<br>truly %{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )


def with_positions_before(frame: pd.DataFrame, examples: Iterable[Moved]) -> pd.DataFrame:
    """``frame`` with columns x_before, y_before: where each point was; ``examples`` are the corrupted ones."""
    before = {example.index: example.before for example in examples}
    rows = zip(frame["index"], frame["x"], frame["y"], strict=True)
    places = [before.get(index, (x, y)) for index, x, y in rows]
    return frame.assign(x_before=[float(p[0]) for p in places], y_before=[float(p[1]) for p in places])


def with_total(counts: pd.DataFrame) -> pd.DataFrame:
    """A table of counts with a last row that adds them up."""
    total = pd.DataFrame([{"kind": "total", **counts.drop(columns="kind").sum().to_dict()}])
    return pd.concat([counts, total], ignore_index=True)


def _shades(n: int) -> list[str]:
    return ["light:", "grey:", "dark:"] if n == 3 else [f"shade {k + 1}:" for k in range(n)]
