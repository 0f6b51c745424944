"""Where to write the name of each point so that names meet neither each other nor other points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]

_LETTER, _LINE, _GAP, _MARKER = 8.2, 20.0, 13.0, 9.0  # pixels: width of a letter of size 14, line height, distances
_ROWS = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7)
_COLUMNS = (0.0, 75.0, 150.0)


@dataclass(frozen=True)
class Spot:
    """Where a name goes, in pixels from its point (up is positive): its anchor is the side that faces the point."""

    dx: float
    dy: float
    anchor: str

    @property
    def far(self) -> bool:
        """Whether the name needs a line to its point."""
        return abs(self.dy) > _LINE or abs(self.dx) > 2 * _GAP


def place(
    names: Sequence[str],
    x: Sequence[float],
    y: Sequence[float],
    x_range: Sequence[float],
    y_range: Sequence[float],
    size: tuple[float, float] = (300.0, 240.0),
    narrow: tuple[float, float] | None = None,
) -> list[Spot]:
    """A spot for every name, greedily in the order given, on a plot of at least ``size`` pixels (width, height); ``narrow``:
    the size that it has as well, on a phone."""
    planes = [_Plane(each, x, y, x_range, y_range) for each in (size, narrow) if each]
    spots: list[Spot] = []
    choices = [
        Spot(side * (_GAP + away), row * _LINE, "left" if side > 0 else "right")
        for away in _COLUMNS
        for row in _ROWS
        for side in (1, -1)
        if row or not away  # a line along the row would cross the names beside the points
    ]
    for k, name in enumerate(names):
        costs = [sum(plane.cost(k, name, spot) for plane in planes) for spot in choices]
        best = choices[costs.index(min(costs))]
        spots.append(best)
        for plane in planes:
            plane.boxes.append(name_box(name, *plane.points[k], best))
    return spots


class _Plane:
    """The plot in one of its sizes, with the names that have their spots."""

    def __init__(
        self,
        size: tuple[float, float],
        x: Sequence[float],
        y: Sequence[float],
        x_range: Sequence[float],
        y_range: Sequence[float],
    ) -> None:
        self.size, self.boxes = size, list[Box]()
        self.points = [(pixel(a, x_range, size[0]), pixel(b, y_range, size[1])) for a, b in zip(x, y, strict=True)]

    def cost(self, k: int, name: str, spot: Spot) -> float:
        """How bad a spot is for the name of point ``k``."""
        others = [point for j, point in enumerate(self.points) if j != k]
        return _cost(spot, name_box(name, *self.points[k], spot), self.boxes, others, self.size)


def pixel(value: float, bounds: Sequence[float], size: float) -> float:
    """Where a value lies on an axis that is ``size`` pixels long."""
    return size * (value - bounds[0]) / (bounds[1] - bounds[0])


def name_box(name: str, a: float, b: float, spot: Spot) -> Box:
    """The pixels that a name takes beside its point (a, b): left, bottom, right, top."""
    width = _LETTER * len(name)
    left = a + spot.dx if spot.anchor == "left" else a + spot.dx - width
    return left, b + spot.dy - _LINE / 2, left + width, b + spot.dy + _LINE / 2


def meets(one: Box, other: Box) -> bool:
    """Whether two boxes have a pixel in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _cost(
    spot: Spot, box: Box, boxes: Sequence[Box], points: Sequence[tuple[float, float]], size: tuple[float, float]
) -> float:
    left, bottom, right, top = box
    met = sum(meets(box, other) for other in boxes)
    covered = sum(left - _MARKER < a < right + _MARKER and bottom - _MARKER < b < top + _MARKER for a, b in points)
    outside = left < 0 or right > size[0] or bottom < 0 or top > size[1]
    return 100 * outside + 20 * met + 10 * covered + abs(spot.dy) / _LINE + abs(spot.dx) / 25
