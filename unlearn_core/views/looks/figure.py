"""A card of 2-D points: where they lie among all others."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.palette import ACCENT, NEUTRAL
from unlearn_core.views.picture import Picture, escape_html, layout

_GREYS = [[0, "#FAFAFA"], [1, "#2D2D2D"]]


def card_points(frame: pd.DataFrame, names: tuple[str, ...], height: int = 360) -> Picture:
    """2-D data with the points of a card. ``frame``: of ``cards.card_frame``: index, x, y, given, shown."""
    figure, codes = go.Figure(), {name: k for k, name in enumerate(names)}
    for on_card, part in frame.groupby("shown"):
        # Lightness is the given label, as on all pages.
        fill = {"color": part["given"].map(codes), "colorscale": _GREYS, "cmin": 0, "cmax": max(1, len(names) - 1)}
        line = {"color": ACCENT if on_card else NEUTRAL, "width": 3 if on_card else 1}
        figure.add_scatter(
            x=part["x"],
            y=part["y"],
            mode="markers",
            name=f"on this card ({len(part)})" if on_card else f"other ({len(part)})",
            marker=fill | {"size": 13 if on_card else 6, "symbol": "diamond" if on_card else "circle", "line": line},
            opacity=1 if on_card else 0.6,
            customdata=part[["index", "given"]].map(escape_html),
            hovertemplate="%{customdata[0]}, given %{customdata[1]}<extra></extra>",
        )
    layout(
        figure,
        height,
        xaxis={"title": {"text": "first coordinate (no unit)"}},
        yaxis={"title": {"text": "second coordinate (no unit)"}},
    )
    caption = "Lightness is the given label: do the diamonds have the lightness of the points around them?"
    words = f"{int(frame['shown'].sum())} of {len(frame)} training points are on this card."
    return Picture(figure, caption, words, frame)
