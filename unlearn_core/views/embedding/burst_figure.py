"""The star-burst: where a group of examples was in the original and where each method has taken it, as arrows that play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.views.embedding.burst import AT_HOME, MAX_ARROWS, movements
from unlearn_core.views.embedding.data import LISTED
from unlearn_core.views.embedding.figure import AXES, CLASS_COLORS, MANY, Cloud, add_legend, color_codes
from unlearn_core.views.palette import GROUPS, NEUTRAL
from unlearn_core.views.picture import Picture, escape_html, layout

STEPS = 20
MILLISECONDS = 80
"""Frames between before and after, and how long each of them stays."""
_ORIGINAL = 0
"""The original is the first panel of a cloud; it is drawn as where arrows begin."""


@dataclass(frozen=True)
class Burst:
    """A group on its way through ``cloud``, whose first panel is the original.

    ``group``: its name. ``rows``: int64, the rows of the cloud that belong to it; ``arrows``: those of them that are drawn.
    ``home``: bool (m, n), which examples lie among clean ones of their right class (:func:`.burst.at_home`), or None.
    """

    cloud: Cloud
    group: str
    rows: np.ndarray
    arrows: np.ndarray
    home: np.ndarray | None

    def counts(self) -> list[int]:
        """For every panel how many of the group lie with their right class, or where that is unknown, how many are predicted
        as another class than by the original."""
        if self.home is not None:
            return [int(panel[self.rows].sum()) for panel in self.home]
        before = self.cloud.predictions[_ORIGINAL][self.rows]
        return [int((panel[self.rows] != before).sum()) for panel in self.cloud.predictions]


_PANEL, _TITLES, _AROUND, _LEGEND = 270, 56, 132, 39
"""Pixels that a panel and what is between two have, where they are stacked, those above and below all, and of the legend."""


def starburst(burst: Burst, height: int = 390, stacked: bool = False) -> Picture:
    """One panel for every method on shared axes, all other examples faded where that method has them; ``stacked``: one below
    the other, for a phone.

    It opens at the end, arrows and all, so that it can be read as a still picture; Play starts before.
    """
    cloud, methods = burst.cloud, range(1, len(burst.cloud.titles))
    down = len(methods) if stacked else 1
    between = _TITLES / (height + (down - 1) * (_PANEL + _TITLES) - _AROUND)
    height += (down - 1) * (_PANEL + _TITLES)
    places = {panel: (panel, 1) if stacked else (1, panel) for panel in methods}
    figure = make_subplots(
        rows=down, cols=len(methods) // down, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.02,
        vertical_spacing=between, subplot_titles=[_title(burst, panel) for panel in methods],
    )  # fmt: skip
    moving = []
    for panel in methods:
        for trace in (_others(burst, panel), *_arrows(burst, panel), _starts(burst)):
            figure.add_trace(trace, *places[panel])
        moving.append(len(figure.data))
        figure.add_trace(_travellers(burst, panel), *places[panel])
    add_legend(figure, cloud, "class")
    _axes(figure, cloud.way, height, down)
    _play(figure, burst, moving)
    return Picture(
        figure,
        f"{summary(burst)} Arrows lead from before, an empty circle, to after; between them Play interpolates.",
        f"{len(methods)} scatter plot{'s' if len(methods) > 1 else ''} with {len(burst.arrows):,} arrows each, coloured by "
        f"true class, over {len(cloud.frame) - len(burst.rows):,} faded examples. {summary(burst)}",
        _data(burst),
    )


def summary(burst: Burst) -> str:
    """How many of the group arrived under each method, in one sentence."""
    counts, cloud = burst.counts(), burst.cloud
    whole = f"Of {len(burst.rows):,} {burst.group} example{'s' if len(burst.rows) != 1 else ''}"
    under = [f"{count:,} under {title}" for count, title in zip(counts[1:], cloud.titles[1:], strict=True)]
    if burst.home is None:
        return f"{whole}, {_listed(under)} are predicted as another class than by the original."
    return f"{whole}, {counts[0]:,} lay among clean ones of their right class before; {_listed(under)} do after."


def meaning(burst: Burst) -> str:
    """What the movement in this picture means, and how the examples were counted, in a few sentences."""
    far, clean = movements(burst.cloud.places), (burst.cloud.frame["group"] == "clean").to_numpy()
    way = {
        "umap": "One UMAP of all models with an example's copies tied: small movements are pulled in.",
        "pca": "One PCA of all models, each rotated onto the original: networks that were trained anew move as a whole.",
    }[burst.cloud.way]
    parts = [way]
    if clean.any():
        medians = [
            f"{100 * np.median(moved[burst.rows]):.1f} % under {title} (clean ones {100 * np.median(moved[clean]):.1f} %)"
            for moved, title in zip(far, burst.cloud.titles[1:], strict=True)
        ]
        parts.append(f"Median way in widths of the picture: {_listed(medians)}.")
    if burst.home is not None:
        parts.append(
            f"An example arrives where at least {AT_HOME} of the {LISTED} nearest neighbours in the model's own features are "
            "clean examples of its right class, which is stricter than a right prediction."
        )
    if len(burst.arrows) < len(burst.rows):
        parts.append(f"{MAX_ARROWS} of {len(burst.rows):,} are drawn, taken at random with a fixed seed; all are counted.")
    return " ".join(parts)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _title(burst: Burst, panel: int) -> str:
    count, whole = burst.counts()[panel], len(burst.rows)
    said = "arrive" if burst.home is not None else "predicted otherwise"
    return f"<b>{escape_html(burst.cloud.titles[panel])}</b><br>{count:,} of {whole:,} {said}"


def _others(burst: Burst, panel: int) -> go.Scattergl:
    """All examples that are not of the group, faded: the ground on which the group moves."""
    cloud, rest = burst.cloud, np.setdiff1d(np.arange(len(burst.cloud.frame)), burst.rows)
    codes = color_codes(cloud.frame["class"].to_numpy()[rest], cloud.classes)
    place = cloud.places[panel, rest].astype(np.float32)
    scale = [
        [(k + side) / (len(CLASS_COLORS) + 1), color] for k, color in enumerate((NEUTRAL, *CLASS_COLORS)) for side in (0, 1)
    ]
    return go.Scattergl(
        x=place[:, 0],
        y=place[:, 1],
        mode="markers",
        hoverinfo="skip",
        showlegend=False,
        marker={
            "size": 3 if len(cloud.frame) > MANY else 5,
            "opacity": 0.28,
            "color": codes,
            "colorscale": scale,
            "cmin": -1.5,
            "cmax": len(CLASS_COLORS) - 0.5,
        },
    )


def _colors(burst: Burst) -> np.ndarray:
    """The colour of each arrow: that of its example's true class."""
    codes = color_codes(burst.cloud.frame["class"].to_numpy()[burst.arrows], burst.cloud.classes)
    return np.asarray(np.array([*CLASS_COLORS, NEUTRAL])[codes])


def _arrows(burst: Burst, panel: int) -> list[go.Scatter]:
    """Thin lines with a head, one trace for each colour."""
    colors, traces = _colors(burst), []
    starts, ends = (burst.cloud.places[k, burst.arrows].astype(np.float32) for k in (_ORIGINAL, panel))
    for color in dict.fromkeys(colors.tolist()):
        mine = colors == color
        gaps = np.full_like(starts[mine], np.nan)
        path = np.stack([starts[mine], ends[mine], gaps], axis=1).reshape(-1, 2)
        traces.append(
            go.Scatter(
                x=path[:, 0],
                y=path[:, 1],
                mode="lines+markers",
                line={"color": color, "width": 1.2},
                marker={"symbol": "arrow", "angleref": "previous", "size": np.tile([0, 9, 0], int(mine.sum())), "color": color},
                opacity=0.7,
                hoverinfo="skip",
                showlegend=False,
            )
        )
    return traces


def _starts(burst: Burst) -> go.Scatter:
    """Where the group was: empty circles that stay."""
    place = burst.cloud.places[_ORIGINAL, burst.arrows]
    marker = {"symbol": "circle-open", "size": 5, "color": NEUTRAL}
    return go.Scatter(
        x=place[:, 0], y=place[:, 1], mode="markers", marker=marker, opacity=0.6, hoverinfo="skip", showlegend=False
    )


def _travellers(burst: Burst, panel: int) -> go.Scatter:
    """The examples themselves in the shape of their groups, at the end of their way."""
    cloud, rows = burst.cloud, burst.arrows
    frame, place = cloud.frame.iloc[rows], cloud.places[panel, rows].astype(np.float32)
    before, after = cloud.predictions[_ORIGINAL][rows], cloud.predictions[panel][rows]
    words = [
        f"example {index}, {GROUPS[group].label}<br>given {escape_html(given)}, truly {escape_html(clean)}<br>"
        f"predicted {escape_html(one)} → {escape_html(other)}"
        for index, group, given, clean, one, other in zip(
            frame["index"], frame["group"], frame["given"], frame["class"], before, after, strict=True
        )
    ]
    return go.Scatter(
        x=place[:, 0],
        y=place[:, 1],
        mode="markers",
        text=words,
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
        marker={"symbol": [GROUPS[name].symbol for name in frame["group"]], "size": 8, "color": _colors(burst)},
    )


def _play(figure: go.Figure, burst: Burst, moving: Sequence[int]) -> None:
    """Frames in which the examples go their way, slow at both ends, and the buttons that play them."""
    places = burst.cloud.places[:, burst.arrows].astype(np.float32)
    shares = np.linspace(0, 1, STEPS + 1) ** 2 * (3 - 2 * np.linspace(0, 1, STEPS + 1))
    figure.frames = [
        go.Frame(
            name=f"{k}",
            traces=list(moving),
            data=[
                {"type": "scatter", "x": at[:, 0].tolist(), "y": at[:, 1].tolist()}
                for at in (np.float32(1 - share) * places[_ORIGINAL] + np.float32(share) * after for after in places[1:])
            ],
        )
        for k, share in enumerate(shares)
    ]
    # Without a redraw plotly leaves marks where they are beside traces that WebGL draws.
    play = {"mode": "immediate", "frame": {"duration": MILLISECONDS, "redraw": True}, "transition": {"duration": 0}}
    jump = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    buttons: list[dict[str, Any]] = [
        {"label": "Before", "method": "animate", "args": [["0"], jump]},
        {"label": "▶ Play", "method": "animate", "args": [[str(k) for k in range(STEPS + 1)], play]},
        {"label": "After", "method": "animate", "args": [[str(STEPS)], jump]},
    ]
    # Plotly paints a button that is pointed at in a light colour of its own, so the others are light as well.
    look = {"bgcolor": "#E8EBEF", "bordercolor": "#C5CBD3", "font": {"color": "#1F2730", "size": 13}}
    place = {"x": 0, "xanchor": "left", "y": 0, "yanchor": "top", "pad": {"t": 28}}
    row = {"type": "buttons", "direction": "left", "showactive": False, "buttons": buttons}
    figure.update_layout(updatemenus=[row | look | place])


def _axes(figure: go.Figure, way: str, height: int, down: int) -> None:
    layout(figure, height)
    first, second = AXES[way]
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_xaxes(title={"text": first}, row=down)
    figure.update_yaxes(title={"text": second}, col=1)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    above = 1 + _LEGEND / (height - _AROUND)
    legend = {"y": above, "itemclick": False, "itemdoubleclick": False, "font": {"size": 13}}
    figure.update_layout(margin={"t": 72, "b": 60}, dragmode="pan", legend=legend)
    figure.update_annotations(font={"size": 14}, yshift=-2)


def _data(burst: Burst) -> pd.DataFrame:
    """One row for every example of the group: who it is, and in every model where, as what it is predicted, and if it is with
    its right class."""
    cloud, rows = burst.cloud, burst.rows
    columns: dict[str, Any] = {"drawn": np.isin(rows, burst.arrows)}
    for panel, title in enumerate(cloud.titles):
        columns |= {
            f"{title}: x": cloud.places[panel, rows, 0],
            f"{title}: y": cloud.places[panel, rows, 1],
            f"{title}: prediction": cloud.predictions[panel][rows],
        }
        if burst.home is not None:
            columns[f"{title}: arrives"] = burst.home[panel, rows]
    return pd.concat([cloud.frame.iloc[rows].reset_index(drop=True), pd.DataFrame(columns)], axis=1)
