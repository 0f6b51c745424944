"""Method × task in colour: the scale is the same whenever the metric is the same, what is missing is hatched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import get_colorscale, sample_colorscale

from unlearn_core.corruption import labels_right
from unlearn_core.results.memorised import TAKEN_UP
from unlearn_core.results.memorised import note as nothing_to_heal_note
from unlearn_core.views.heatmap.axes_figure import HEAD, axes
from unlearn_core.views.heatmap.scale import MetricScale
from unlearn_core.views.heatmap.sentences import task_name
from unlearn_core.views.heatmap.tasks import DIALS, Cell
from unlearn_core.views.palette import NEUTRAL, ink_on
from unlearn_core.views.picture import Picture, percent, short

SCALE: Final = "Cividis"
"""Even steps to the eye, with and without colour blindness, and in print."""
_ROW, _TALL_ROW, _BODY, _FOOT = 26, 46, 290, 52
"""Pixels: a row at least and at most, the rows together where there are few, and what is below them."""
_WIDE = 9
"""With more columns there is room for small print only."""
_SHORT = 6
_FRAME = "opened"
_EMPTY = "rgba(138,143,152,0.10)"
"""Behind the hatching of a cell without a run."""


def heatmap(
    table: pd.DataFrame,
    rows: pd.DataFrame,
    columns: Sequence[Cell],
    scale: MetricScale,
    height: int = 0,
    memorised: Mapping[tuple[float, float, str], float] | None = None,
) -> Picture:
    """``table``: from ``heatmap.data.cells``; ``rows``: method, label, oracle, variant; one bar per cell, so that a click
    on it is a selection with customdata [method, variant, regularity, discovery, kind]. ``memorised``: task → memorised share.
    :func:`frame` marks one cell."""
    shares = {task: share for task, share in (memorised or {}).items() if task in columns}
    cells = _complete(table, rows.assign(name=row_names(rows)), columns)
    cells["memorised"] = [shares.get(task, np.nan) for task in cells[DIALS].itertuples(index=False, name=None)]
    figure = go.Figure(_bars(cells, scale))
    names = row_names(rows)
    flat = {column for column, share in shares.items() if share < TAKEN_UP}
    axes(figure, names, columns, height or HEAD + _FOOT + _rows_height(len(names)), flat)
    _colorbar(figure, scale)
    figure.add_traces(_numbers(cells, scale))
    empty = int((cells["stored"] == 0).sum())
    bright = "bright cells are good" if scale.higher else "bright cells are low, which is good here"
    caption = f"Look for rows that stay bright from left to right: {bright}."
    caption += " Hatched cells have not been run." if empty else ""
    if note := nothing_to_heal_note(list(shares.values())):
        caption += f" † {note}"
    if any(labels_right(column.kind) for column in columns):
        caption += " ‡ These labels are right: what counts there is attack success and the worst group, not what healed."
    return Picture(
        figure,
        caption,
        f"Heatmap of {scale.label} for {len(names)} models and {len(columns)} tasks; {len(cells) - empty} cells have results. "
        f"{_best(cells, scale)}".strip(),
        cells.drop(columns=["row", "column", "name"]),
    )


def _rows_height(rows: int) -> int:
    return max(_ROW * rows, min(_TALL_ROW * rows, _BODY))


def row_names(rows: pd.DataFrame) -> list[str]:
    """The rows' labels: oracles are marked, variants named."""
    marks = [" ◊" if oracle else "" for oracle in rows["oracle"]]
    variants = [f" [{variant}]" if variant else "" for variant in rows["variant"]]
    names = _apart(list(rows["label"]), list(rows["method"]))
    return [name + mark + variant for name, mark, variant in zip(names, marks, variants, strict=True)]


def _apart(labels: list[str], methods: list[str]) -> list[str]:
    """Labels shortened to what stands before the colon; a later method that would read the same has what stands after it."""
    names: dict[str, str] = {}
    for method, label in zip(methods, labels, strict=True):
        rest = label.partition(": ")[2] or label
        names.setdefault(method, short(label) if short(label) not in names.values() else rest)
    return [names[method] for method in methods]


def _complete(table: pd.DataFrame, rows: pd.DataFrame, columns: Sequence[Cell]) -> pd.DataFrame:
    """Every cell of the picture, those without a run with n = 0."""
    places = rows.assign(row=range(len(rows))).merge(
        pd.DataFrame([(*column, k) for k, column in enumerate(columns)], columns=[*DIALS, "column"]),
        how="cross",
    )
    values = table[["method", "variant", *DIALS, "mean", "standard_error", "n", "stored", "gallery"]]
    cells = places.merge(values, on=["method", "variant", *DIALS], how="left")
    whole = {"n": 0, "stored": 0, "gallery": False}
    return cells.assign(**{name: cells[name].astype(object).fillna(empty).astype(type(empty)) for name, empty in whole.items()})


def _bars(cells: pd.DataFrame, scale: MetricScale) -> go.Bar:
    hatched = ["/" if stored == 0 else "" for stored in cells["stored"]]
    return go.Bar(
        orientation="h",
        base=cells["column"] - 0.48,
        x=[0.96] * len(cells),
        y=cells["row"],
        width=0.92,
        marker={
            "color": _colors(cells, scale),
            "line": {"width": 0},
            "pattern": {"shape": hatched, "fgcolor": "rgba(138,143,152,0.85)", "size": 7, "solidity": 0.2},
        },
        hovertext=[_hover(record, scale) for record in cells.to_dict("records")],
        hovertemplate="%{hovertext}<extra></extra>",
        customdata=cells[["method", "variant", *DIALS]].to_numpy(object),
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )


def _colors(cells: pd.DataFrame, scale: MetricScale) -> list[str]:
    shades = [scale.shade(value) if n else None for value, n in zip(cells["mean"], cells["n"], strict=True)]
    known = [shade for shade in shades if shade is not None]
    sampled = iter(sample_colorscale(get_colorscale(SCALE), known) if known else [])
    return [_EMPTY if shade is None else str(next(sampled)) for shade in shades]


def _numbers(cells: pd.DataFrame, scale: MetricScale) -> list[go.Scatter]:
    """What is written in the cells. Traces of their own: text that belongs to bars takes the browser twice as long.

    One trace for each ink, since a click on a cell fades the text of a trace unless that says which single colour it keeps.
    """
    narrow = cells["column"].nunique() > _WIDE
    colors = _colors(cells, scale)
    inks = np.array([NEUTRAL if color == _EMPTY else ink_on(color) for color in colors])
    words = np.array([_cell_text(record, scale, narrow) for record in cells.to_dict("records")], dtype=object)
    size = 13 if not narrow else 12 if max(map(len, words), default=0) <= _SHORT else 11
    return [
        go.Scatter(
            mode="text",
            x=cells["column"][inks == ink],
            y=cells["row"][inks == ink],
            text=words[inks == ink],
            textfont={"color": ink, "size": size},
            selected={"textfont": {"color": ink}},
            unselected={"textfont": {"color": ink}},
            hoverinfo="skip",
            showlegend=False,
        )
        for ink in dict.fromkeys(inks)
    ]


def frame(picture: Picture, rows: pd.DataFrame, columns: Sequence[Cell], opened: tuple[str, str, Cell] | None) -> None:
    """Draw a frame around the cell ``opened`` (method, variant, task) of a picture of these rows and columns, if it has it, in
    place of the one that was framed before: a click redraws two rectangles, not the picture."""
    picture.figure.layout.shapes = [shape for shape in picture.figure.layout.shapes if shape.name != _FRAME]
    if opened is None:
        return
    method, variant, task = opened
    marked = (rows["method"] == method) & (rows["variant"] == variant)
    for row in np.flatnonzero(marked):
        for column in (k for k, place in enumerate(columns) if _same(place, task)):
            for color, width in (("#FFFFFF", 4), ("#14181F", 2)):  # both, so that it stands out from any cell and either theme
                picture.figure.add_shape(
                    type="rect", x0=column - 0.48, x1=column + 0.48, y0=row - 0.46, y1=row + 0.46, name=_FRAME,
                    line={"color": color, "width": width}, layer="above",
                )  # fmt: skip


def _same(one: Cell, other: Cell) -> bool:
    apart = abs(one.regularity - other.regularity) + abs(one.discovery - other.discovery)
    return one.kind == other.kind and apart < 1e-9


def _cell_text(cell: Any, scale: MetricScale, narrow: bool) -> str:
    if cell["stored"] == 0:
        return ""
    if cell["n"] == 0:
        return "–"
    if np.isnan(cell["standard_error"]):
        return scale.text(cell["mean"])
    spread = scale.text(cell["standard_error"])
    return f"{scale.text(cell['mean'])} ±{spread.removeprefix('0') if narrow and '.' in spread else spread}"


def _hover(cell: Any, scale: MetricScale) -> str:
    head = f"<b>{cell['name']}</b><br>{task_name(Cell(*(cell[name] for name in DIALS)))}<br>"
    if not np.isnan(cell["memorised"]):
        nothing = ": nothing to heal" if cell["memorised"] < TAKEN_UP else ""
        head += f"the original memorised {percent(cell['memorised'])} of the wrong labels{nothing}<br>"
    if cell["stored"] == 0:
        return head + "not run yet"
    if cell["n"] == 0:
        return head + f"{cell['stored']} stored, but no value of this metric here"
    digits = 1 if scale.percent else scale.digits + 1
    unit = f" {scale.unit}" if scale.unit else ""
    spread = (
        " (one run: no spread)"
        if np.isnan(cell["standard_error"])
        else f" ± {scale.text(cell['standard_error'], digits)}{unit} (standard error)"
    )
    seeds = f"<br>{cell['n']} run{'s' if cell['n'] > 1 else ''}"
    return f"{head}{scale.text(cell['mean'], digits)}{unit}{spread}{seeds}{', from the gallery' if cell['gallery'] else ''}"


def _colorbar(figure: go.Figure, scale: MetricScale) -> None:
    """The scale itself, on points that are not drawn: bars with colours of their own have none."""
    low, high = np.log10([scale.low, scale.high]) if scale.log else (scale.low, scale.high)
    ticks = [low + (high - low) * k / 4 for k in range(5)]
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        hoverinfo="skip",
        showlegend=False,
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": SCALE,
            "reversescale": not scale.higher,
            "showscale": True,
            "colorbar": {
                "title": {"text": scale.title, "side": "right", "font": {"size": 13}},
                "thickness": 12,
                "outlinewidth": 0,
                "tickvals": ticks,
                "ticktext": [scale.text(10**tick if scale.log else tick) for tick in ticks],
            },
        },
    )


def _best(cells: pd.DataFrame, scale: MetricScale) -> str:
    """The method with the best mean over the cells that it has, oracles and the original apart, where there was anything to
    heal."""
    rivals = cells[(cells["n"] > 0) & ~cells["oracle"].astype(bool) & (cells["method"] != "original")]
    rivals = rivals[~(rivals["memorised"] < TAKEN_UP)]
    if rivals.empty:
        return ""
    means = rivals.groupby("name", sort=False)["mean"].mean()
    return f"Best on average over its cells: {means.idxmax() if scale.higher else means.idxmin()}."
