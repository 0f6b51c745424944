"""What stands around the heatmap's cells: the models, the discovery rates, and above them places of the dial or kinds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from unlearn_core.corruption import kind_label, labels_right
from unlearn_core.views.heatmap.tasks import Cell
from unlearn_core.views.picture import GRID, layout
from unlearn_core.views.task_map import position_name

HEAD: Final = 62
"""Pixels above the cells."""
_SLANT: Final = 85
"""Pixels that slanted names take more."""


def axes(
    figure: go.Figure, names: list[str], columns: Sequence[Cell], height: int, flat: Collection[tuple[float, float, str]]
) -> None:
    """Label the rows and columns of a heatmap ``height`` pixels high; tasks in ``flat``, where nothing was memorised, are
    marked. Kinds need more height for their names."""
    heads = [(column.kind, column.regularity) for column in columns]
    ends = [k for k in range(1, len(columns)) if heads[k] != heads[k - 1]]
    above = "kind of the corruption" if any(kind for kind, _ in heads) else "regularity of the corruption"
    layout(
        figure,
        height,
        legend=False,
        xaxis={
            "title": {"text": f"discovered share of the corruption, in % (above: {above})"},
            "tickvals": list(range(len(columns))),
            "ticktext": [f"{100 * column[1]:.3g}{_mark(column, flat)}" for column in columns],
            "range": [-0.5, len(columns) - 0.5],
            "showgrid": False,
            "fixedrange": True,
            "tickangle": 0,
        },
        yaxis={
            "title": {"text": "model (◊ sees the truth)", "standoff": 22},
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    slant = _slant(columns)
    figure.update_layout(
        height=figure.layout.height + slant,
        margin={"t": HEAD - 20 + slant},
        bargap=0,
        clickmode="event+select",
        dragmode=False,
    )
    for k in ends:
        figure.add_vline(x=k - 0.5, line={"color": GRID, "width": 3})
    for head in dict.fromkeys(heads):
        spots = [k for k, other in enumerate(heads) if other == head]
        figure.add_annotation(x=sum(spots) / len(spots), y=1, yref="paper", yanchor="bottom", yshift=4, showarrow=False,
                              **_head(*head, len(spots)))  # fmt: skip


def _mark(column: Cell, flat: Collection[tuple[float, float, str]]) -> str:
    """Whether there is nothing to heal: the labels are right, or the model never took them up."""
    return " ‡" if labels_right(column.kind) else " †" if column in flat else ""


def _slant(columns: Sequence[Cell]) -> int:
    """Pixels that names of kinds need above what others take."""
    return _SLANT if any(column.kind for column in columns) else 0


def _head(kind: str, regularity: float, columns: int) -> dict[str, Any]:
    """What stands above the columns of one task; kinds have one column each, too narrow for their names."""
    if kind:
        return {"text": kind_label(kind), "font": {"size": 12}, "textangle": -35, "xanchor": "left", "xshift": -8}
    named = f"{regularity:g} · {position_name(regularity)}" if columns > 2 else f"{regularity:g}"
    return {"text": named, "font": {"size": 13}}
