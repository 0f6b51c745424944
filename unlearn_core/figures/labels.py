"""Where to write the name of each point so that names neither meet each other nor other points."""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[float, float, float, float]

_SPOTS = ("middle right", "middle left", "top center", "bottom center", "top right", "top left", "bottom right", "bottom left")
_WIDTH, _HEIGHT, _GAP = 0.15, 0.055, 0.02  # of the plot's width and height: about twelve letters of 14 pixels


def place(x: Sequence[float], y: Sequence[float], x_range: Sequence[float], y_range: Sequence[float]) -> list[str]:
    """A plotly ``textposition`` for every point, chosen greedily in the order given."""
    spots: list[str] = []
    boxes: list[Box] = []
    units = [(_unit(a, x_range), _unit(b, y_range)) for a, b in zip(x, y, strict=True)]
    for k, (a, b) in enumerate(units):
        others = [p for j, p in enumerate(units) if j != k]
        best = min(_SPOTS, key=lambda spot: _clashes(_box(a, b, spot), boxes, others))
        spots.append(best)
        boxes.append(_box(a, b, best))
    return spots


def _unit(value: float, bounds: Sequence[float]) -> float:
    return (value - bounds[0]) / (bounds[1] - bounds[0])


def _box(a: float, b: float, spot: str) -> Box:
    vertical, horizontal = spot.split()
    left = {"right": a + _GAP, "left": a - _GAP - _WIDTH, "center": a - _WIDTH / 2}[horizontal]
    bottom = {"top": b + _GAP, "bottom": b - _GAP - _HEIGHT, "middle": b - _HEIGHT / 2}[vertical]
    return left, bottom, left + _WIDTH, bottom + _HEIGHT


def _clashes(box: Box, boxes: Sequence[Box], points: Sequence[tuple[float, float]]) -> float:
    left, bottom, right, top = box
    count = 2.0 * sum(left < r and l < right and bottom < t and b < top for l, b, r, t in boxes)  # noqa: E741
    count += sum(left - _GAP < a < right + _GAP and bottom - _GAP < b < top + _GAP for a, b in points)
    # Leaving the picture is worst of all.
    return count + 10 * (left < 0 or right > 1 or bottom < 0 or top > 1)
