"""Lines of equal healed × utility, and their numbers where nothing else is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from unlearn_core.views.labels import Box, Spot, meets, name_box, pixel

_QUIET = "rgba(138, 143, 152, 0.55)"
"""The palette's neutral grey, for lines that should not be taken for data."""
_PALE = 0.7
"""Of the text's own colour, which is then still read well."""
_PRODUCTS = [k / 10 for k in range(1, 10)]
_ALONG = np.linspace(0.06, 0.94, 23)
"""Where on a line its number may stand, as shares of the plot's width: as far left as it can."""
_NUMBER, _MARKER, _LINE = (13.0, 9.0), 12.0, 3.0  # pixels: half a number's width and height, half a marker's, half a line's
_ABOVE = 7.0
"""Pixels between a line and the middle of its number, which would be struck through by it."""
_GROWN = (1.0, 1.5, 2.5)
"""The plot in these multiples of its least size: names stay as large as they are, and what is between them grows."""


@dataclass(frozen=True)
class Written:
    """What stands in the plot: the names of points, their places in the data, and the corners of the Pareto front."""

    names: Sequence[str]
    x: Sequence[float]
    y: Sequence[float]
    spots: Sequence[Spot]
    front: Sequence[tuple[float, float]] = ()


def draw_products(figure: go.Figure, low: float) -> None:
    """The lines, from the utility ``low`` on."""
    x, y = np.linspace(max(low, 0), 1, 60), np.linspace(0, 1, 60)
    figure.add_contour(
        x=x,
        y=y,
        z=np.outer(y, x),
        contours={"coloring": "lines", "start": _PRODUCTS[0], "end": _PRODUCTS[-1], "size": 0.1},
        colorscale=[[0, _QUIET], [1, _QUIET]],
        line={"width": 1, "dash": "dot"},
        showscale=False,
        hoverinfo="skip",
    )


def number_products(
    figure: go.Figure,
    written: Written,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    rooms: Sequence[tuple[float, float]],
) -> None:
    """A number on each line that has room for it beside what is ``written``, in each of the plot's sizes (``rooms``, pixels).

    Plotly would put the numbers of contours under names and markers.
    """
    sizes = [(times * width, times * height) for times in _GROWN for width, height in rooms]
    taken = [_taken(written, x_range, y_range, size) for size in sizes]
    for product in _PRODUCTS:
        for x in x_range[0] + _ALONG * (x_range[1] - x_range[0]):
            y = product / max(float(x), 1e-9)
            boxes = [
                _around(pixel(float(x), x_range, width), pixel(y, y_range, height) + _ABOVE, *_NUMBER)
                for width, height in sizes
            ]
            if y <= 1 and not any(meets(box, other) for box, others in zip(boxes, taken, strict=True) for other in others):
                figure.add_annotation(
                    x=float(x), y=y, yshift=_ABOVE, text=f"{product:.1f}", showarrow=False, font={"size": 11}, opacity=_PALE
                )
                break


def _taken(
    written: Written, x_range: tuple[float, float], y_range: tuple[float, float], size: tuple[float, float]
) -> list[Box]:
    """What a number must not meet on a plot of this size."""
    points = [(pixel(x, x_range, size[0]), pixel(y, y_range, size[1])) for x, y in zip(written.x, written.y, strict=True)]
    found = [name_box(name, *at, spot) for name, at, spot in zip(written.names, points, written.spots, strict=True)]
    found += [_around(*at, _MARKER, _MARKER) for at in points]
    corners = [(pixel(x, x_range, size[0]), pixel(y, y_range, size[1])) for x, y in written.front]
    for (a, b), (c, d) in pairwise(corners):
        found.append((min(a, c) - _LINE, min(b, d) - _LINE, max(a, c) + _LINE, max(b, d) + _LINE))
    return found


def _around(x: float, y: float, across: float, up: float) -> Box:
    return x - across, y - up, x + across, y + up
