"""Regions of classes over one plane for several models side by side, with the examples on it; round by round if wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.views.boundary.regions import INK, LINE, MAX_COLORS, class_colors, codes, color_scale, fill, label_positions
from unlearn_core.views.palette import GROUPS, NEUTRAL
from unlearn_core.views.picture import GRID, Picture, escape_html, layout, percent
from unlearn_core.views.timeline import SLIDER, add_timeline

if TYPE_CHECKING:
    from unlearn_core.views.boundary.plane import InputPlane

_FADED = 0.13
_SIZES = {"clean": 6, "unknown": 6, "discovered": 10, "undiscovered": 10}


@dataclass(frozen=True)
class Panel:
    """One model. ``winners`` (F, R, R): class indices; ``confidence`` (F, R, R); ``notes``: F texts beside the title."""

    title: str
    winners: np.ndarray
    confidence: np.ndarray
    notes: Sequence[str]

    def entry(self, frame: int, last: int) -> int:
        """Which of the model's own rounds a common frame shows: the latest that its share of the work allows."""
        return frame * (len(self.winners) - 1) // last if last else 0


_PANEL, _BETWEEN = 270, 44
"""Pixels that a panel and what is between two have, where they are stacked."""


@dataclass(frozen=True)
class Look:
    """How a boundary is to be drawn. ``splits`` and ``groups``: what is drawn strongly; ``start``: the frame shown first;
    ``stacked``: panels one below the other, for a phone."""

    shading: str = "soft"
    splits: Sequence[str] = ("train",)
    groups: Sequence[str] = ("clean", "discovered", "undiscovered")
    start: int = 0
    height: int = 430
    stacked: bool = False


def boundaries(panels: Sequence[Panel], plane: InputPlane, points: pd.DataFrame, names: Sequence[str], look: Look) -> Picture:
    """``points``: columns split, index, x, y, group, given, clean. Panels share axes and colours; the first frame is common.

    With more than one frame in a panel the picture gets a timeline that plays in the browser.
    """
    last = max(len(panel.winners) for panel in panels) - 1
    start = min(look.start, last)
    rows, columns = (len(panels), 1) if look.stacked else _grid(len(panels), plane)
    height = _height(look, plane, rows, columns)
    places = [(k // columns + 1, k % columns + 1) for k in range(len(panels))]
    figure = make_subplots(
        rows, columns, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.025,
        vertical_spacing=_BETWEEN / (height - 130) if look.stacked else 0.13,
        subplot_titles=[_title(panel, panel.entry(start, last)) for panel in panels],
    )  # fmt: skip
    colors, drawn = class_colors([panel.winners for panel in panels], len(names)), [escape_html(name) for name in names]
    moving = []
    for panel, (row, column) in zip(panels, places, strict=True):
        entry = panel.entry(start, last)
        moving.append(len(figure.data))
        figure.add_trace(_ground(panel, entry, plane, colors, drawn, look, hover=last == 0), row, column)
        for trace in (*_examples(points, names, look, legend=panel is panels[0]), *_marks(plane)):
            figure.add_trace(trace, row, column)
        moving.append(len(figure.data))
        figure.add_trace(_labels(panel, entry, plane, drawn), row, column)
    figure.update_layout(coloraxis={"colorscale": color_scale(colors), "cmin": -0.5, "cmax": 255.5, "showscale": False})
    for trace in _swatches(panels, drawn):
        figure.add_trace(trace, 1, 1)
    _axes(figure, plane, rows, columns, height, beneath=(70 + SLIDER * look.stacked) * (last > 0))
    if last:
        frames = [_frame(k, panels, plane, colors, drawn, look, last) for k in range(last + 1)]
        titles = [[_title(panel, panel.entry(k, last)) for panel in panels] for k in range(last + 1)]
        add_timeline(figure, frames, moving, titles, start, below=look.stacked)
    told = ". ".join(f"{panel.title}: {_shares(panel.winners[panel.entry(start, last)], names)}" for panel in panels)
    what = "the plane through three images" if plane.is_image else "the plane"
    return Picture(
        figure,
        _caption(plane, look, timeline=last > 0),
        f"Predicted class over {what}, {len(panels)} models. {told}.",
        _data(panels, plane, names, last),
    )


def _ground(
    panel: Panel, entry: int, plane: InputPlane, colors: np.ndarray, names: Sequence[str], look: Look, hover: bool
) -> go.Heatmap:
    winners, confidence = panel.winners[entry], panel.confidence[entry]
    x, y = plane.cells(len(winners))
    told: dict[str, Any] = {"hoverinfo": "skip"}
    if hover:  # the frames of a timeline would need a name for every cell of every round
        told = {
            "text": np.array(names, dtype=object)[winners],
            "customdata": confidence,
            "hovertemplate": "predicted %{text}<br>probability %{customdata:.0%}<extra></extra>",
        }
    return go.Heatmap(
        x=x, y=y, z=codes(winners, confidence, colors, look.shading), coloraxis="coloraxis", **told,
    )  # fmt: skip


def _labels(panel: Panel, entry: int, plane: InputPlane, names: Sequence[str]) -> go.Scatter:
    x, y = plane.cells(panel.winners.shape[1])
    steps = (plane.x[1] - plane.x[0]) / len(x), (plane.y[1] - plane.y[0]) / len(y)
    taken = [(int((a.place[1] - plane.y[0]) / steps[1]), int((a.place[0] - plane.x[0]) / steps[0])) for a in plane.anchors]
    found = label_positions(panel.winners[entry], taken)
    return go.Scatter(
        x=[x[column] for _, _, column in found],
        y=[y[row] for _, row, _ in found],
        text=[f"<b>{names[label]}</b>" for label, _, _ in found],
        mode="text",
        textfont={"size": 17 if plane.is_image else 14, "color": INK, "shadow": "0 0 4px #FFF, 0 0 4px #FFF"},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=True,
    )


def _examples(points: pd.DataFrame, names: Sequence[str], look: Look, legend: bool) -> list[go.Scatter]:
    """Filled with the colour of the true class, outlined in the colour of the group."""
    fills, traces = {name: fill(k) for k, name in enumerate(names)}, []
    everyone = [("train", group) for group in ("unknown", "clean", "undiscovered", "discovered")]
    for split, group in [("test", "clean"), *everyone]:
        part, style = points[(points["split"] == split) & (points["group"] == group)], GROUPS[group]
        if part.empty:
            continue
        strong = split in look.splits and ("clean" if group == "unknown" else group) in look.groups
        held = split == "test"
        traces.append(
            go.Scatter(
                x=part["x"],
                y=part["y"],
                mode="markers",
                name=f"{'test, ' if held else ''}{style.label} ({len(part)})",
                legendgroup=f"{split} {group}",
                showlegend=legend,
                opacity=1 if strong else _FADED,
                hoverinfo=None if strong else "skip",
                marker={
                    "symbol": "circle-dot" if held else style.symbol,
                    "size": _SIZES[group],
                    "color": part["clean"].map(fills).fillna(NEUTRAL),
                    "line": {"color": style.color, "width": 1.2 if group == "clean" else 2},
                },
                customdata=part[["index", "given", "clean"]].map(escape_html),
                hovertemplate=None
                if not strong
                else f"{split} example %{{customdata[0]}}, {style.label}<br>"
                + "given %{customdata[1]}, truly %{customdata[2]}<extra></extra>",
            )
        )
    return traces


def _marks(plane: InputPlane) -> list[go.Scatter]:
    """The three images of the plane, by their letters."""
    if not plane.anchors:
        return []
    return [
        go.Scatter(
            x=[anchor.place[0] for anchor in plane.anchors],
            y=[anchor.place[1] for anchor in plane.anchors],
            text=[f"<b>{anchor.letter}</b>" for anchor in plane.anchors],
            mode="markers+text",
            textfont={"size": 13, "color": "#FFFFFF"},
            marker={"size": 22, "color": INK, "line": {"color": "#FFFFFF", "width": 1.5}},
            hoverinfo="skip",
            showlegend=False,
        )
    ]


def _swatches(panels: Sequence[Panel], names: Sequence[str]) -> list[go.Scatter]:
    """One entry of the legend for every class that appears."""
    counts = np.bincount(np.concatenate([panel.winners.ravel() for panel in panels]), minlength=len(names))
    seen = [k for k in np.argsort(-counts, kind="stable").tolist() if counts[k]][:MAX_COLORS]
    square = {"symbol": "square", "size": 12, "line": {"width": 1, "color": LINE}}
    return [
        go.Scatter(
            x=[None], y=[None], mode="markers", name=f"predicted {names[k]}" if n == 0 else names[k],
            marker=square | {"color": fill(k)}, hoverinfo="skip", legendrank=1001 + n,
        )
        for n, k in enumerate(sorted(seen))
    ]  # fmt: skip


def _frame(
    k: int, panels: Sequence[Panel], plane: InputPlane, colors: np.ndarray, names: Sequence[str], look: Look, last: int
) -> list[dict[str, Any]]:
    """What changes in frame ``k``: for every panel the ground and the names on it."""
    changes: list[dict[str, Any]] = []
    for panel in panels:
        entry = panel.entry(k, last)
        label = _labels(panel, entry, plane, names)
        ground = codes(panel.winners[entry], panel.confidence[entry], colors, look.shading)
        changes += [
            {"type": "heatmap", "z": ground},
            {"type": "scatter", "x": list(label.x), "y": list(label.y), "text": list(label.text)},
        ]
    return changes


def _grid(count: int, plane: InputPlane) -> tuple[int, int]:
    """Rows and columns of panels: wide planes are easier to compare above one another."""
    wide = (plane.x[1] - plane.x[0]) > 1.5 * (plane.y[1] - plane.y[0])
    return (2, 2) if wide and count == 4 else (1, count)


def _height(look: Look, plane: InputPlane, rows: int, columns: int) -> int:
    """Pixels without the timeline: nearly square panels on the width that a page has; a second row adds to that."""
    if look.stacked:
        return 130 + rows * _PANEL + (rows - 1) * _BETWEEN
    return min(look.height, 1060 // columns + 130) if plane.is_image else look.height + 90 * (rows - 1)


def _title(panel: Panel, entry: int) -> str:
    return f"<b>{panel.title}</b> · {panel.notes[entry]}" if panel.notes[entry] else f"<b>{panel.title}</b>"


def _axes(figure: go.Figure, plane: InputPlane, rows: int, columns: int, height: int, beneath: int) -> None:
    """``beneath``: pixels of the timeline below the panels."""
    layout(figure, height + beneath)
    figure.update_layout(
        margin={"t": 70, "b": 26 + beneath if beneath else 8, "pad": 0},
        legend={"y": 1 + 28 / (height - 130), "itemclick": False, "itemdoubleclick": False, "font": {"size": 13}},
        dragmode="pan",
    )
    figure.update_annotations(font={"size": 14}, yshift=2)
    # Without a margin beyond the ground; a picture of a plane has no use for lines of a grid.
    common = {"showgrid": False, "showline": True, "linecolor": GRID, "mirror": True}
    figure.update_xaxes(range=list(plane.x), **common)
    figure.update_yaxes(range=list(plane.y), **common)
    words = ("first coordinate (no unit)", "second coordinate (no unit)")
    if plane.is_image:
        words = ("along A → B (pixel ranges)", "across it, towards C (pixel ranges)")
    for column in range(1, columns + 1):
        figure.update_xaxes(title={"text": words[0], "font": {"size": 13}}, row=rows, col=column)
    for row in range(1, rows + 1):
        figure.update_yaxes(title={"text": words[1], "font": {"size": 13}}, row=row, col=1)


def _caption(plane: InputPlane, look: Look, timeline: bool) -> str:
    sure = " Pale ground: the model is unsure." if look.shading == "soft" else ""
    play = " Play the rounds, step back and forth, or drag the slider." if timeline else ""
    if plane.is_image:
        return (
            "Look at A, B and C: a model that has healed puts each on the ground of its true class; other points are the "
            f"examples nearest to the plane, projected onto it.{sure}{play}"
        )
    return "Look for corrupted points whose filling, their true class, differs from the ground they stand on." + sure + play


def _shares(winners: np.ndarray, names: Sequence[str]) -> str:
    counts = np.bincount(winners.ravel(), minlength=len(names)) / winners.size
    order = [k for k in np.argsort(-counts, kind="stable").tolist() if counts[k] >= 0.005][:5]
    return ", ".join(f"{names[k]} {percent(counts[k])}" for k in order)


def _data(panels: Sequence[Panel], plane: InputPlane, names: Sequence[str], last: int) -> pd.DataFrame:
    """Every cell of every model and frame as a row: model, frame, x, y, predicted, probability."""
    parts = []
    for panel in panels:
        x, y = (grid.ravel() for grid in np.meshgrid(*plane.cells(panel.winners.shape[1])))
        for k in range(last + 1):
            entry = panel.entry(k, last)
            predicted = pd.Categorical.from_codes(panel.winners[entry].ravel(), categories=pd.Index(names))
            part = {"model": panel.title, "frame": k, "x": x, "y": y, "predicted": predicted}
            parts.append(pd.DataFrame(part | {"probability": panel.confidence[entry].ravel()}))
    return pd.concat(parts, ignore_index=True).drop(columns=[] if last else ["frame"])
