"""The ten faces: layers of shape and colour, the lowest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unlearn_core.datasets.road_signs.shapes import Field, Point, box, disc, oval, polygon, strokes

Colour = tuple[float, float, float]
Layer = tuple[Field, Colour]
Face = Callable[[Field, Field], Sequence[Layer]]

RED: Colour = (196.0, 24.0, 32.0)
BLUE: Colour = (24.0, 76.0, 168.0)
YELLOW: Colour = (244.0, 186.0, 20.0)
WHITE: Colour = (240.0, 240.0, 236.0)
BLACK: Colour = (24.0, 24.0, 26.0)

_H = 0.4142135623730951  # tan(22.5°): half of an octagon's side where its apothem is 1


def _octagon(size: float) -> list[Point]:
    a, b = size, size * _H
    return [(-b, -a), (b, -a), (a, -b), (a, b), (b, a), (-b, a), (-a, b), (-a, -b)]


def _triangle(size: float, up: bool) -> list[Point]:
    """Equal sides, centred; ``size`` is the distance of a corner from the middle."""
    half, low = size * 0.8660254037844386, size * 0.5
    return [(0.0, -size), (half, low), (-half, low)] if up else [(half, -low), (0.0, size), (-half, -low)]


def _three(x: Field, y: Field, middle: float, stroke: float) -> Field:
    m = middle
    upper = oval(x, y, (m, -0.21), (0.16, 0.19), stroke)
    lower = oval(x, y, (m, 0.19), (0.19, 0.22), stroke)
    both = np.minimum(upper, lower)
    open_side = box(x, y, (0.16, 0.26), middle=(m - 0.21, 0.0))  # the left of both rings is open
    ends = strokes(x, y, [[(m - 0.12, -0.33), (m - 0.06, -0.38)], [(m - 0.16, 0.33), (m - 0.08, 0.39)]], stroke)
    return np.minimum(np.maximum(both, -open_side), ends)


def _eight(x: Field, y: Field, middle: float, stroke: float) -> Field:
    upper = oval(x, y, (middle, -0.21), (0.16, 0.18), stroke)
    return np.minimum(upper, oval(x, y, (middle, 0.2), (0.2, 0.21), stroke))


def _zero(x: Field, y: Field, middle: float, stroke: float) -> Field:
    return oval(x, y, (middle, 0.0), (0.19, 0.38), stroke)


def _stop(x: Field, y: Field) -> list[Layer]:
    s, t, p = (-0.57, -0.27, 0.35)
    letters = [
        [(s + 0.1, -0.2), (s - 0.08, -0.24), (s - 0.09, -0.04), (s + 0.1, 0.06), (s + 0.08, 0.25), (s - 0.11, 0.22)],
        [(t - 0.13, -0.23), (t + 0.13, -0.23)],
        [(t, -0.23), (t, 0.25)],
        [(p + 0.1, 0.25), (p + 0.1, -0.23), (p + 0.29, -0.2), (p + 0.29, 0.0), (p + 0.1, 0.03)],
    ]
    word = np.minimum(strokes(x, y, letters, 0.11), oval(x, y, (0.14, 0.01), (0.13, 0.24), 0.11))
    return [(polygon(x, y, _octagon(1.0)), WHITE), (polygon(x, y, _octagon(0.9)), RED), (word, WHITE)]


def _yield(x: Field, y: Field) -> list[Layer]:
    y = y + np.float32(0.22)
    return [(polygon(x, y, _triangle(1.2, up=False)), RED), (polygon(x, y, _triangle(0.72, up=False)), WHITE)]


def _limit(x: Field, y: Field, first: Callable[[Field, Field, float, float], Field]) -> list[Layer]:
    number = np.minimum(first(x, y, -0.25, 0.13), _zero(x, y, 0.27, 0.13))
    return [(disc(x, y, 1.0), RED), (disc(x, y, 0.76), WHITE), (number, BLACK)]


def _thirty(x: Field, y: Field) -> list[Layer]:
    return _limit(x, y, _three)


def _eighty(x: Field, y: Field) -> list[Layer]:
    return _limit(x, y, _eight)


def _no_entry(x: Field, y: Field) -> list[Layer]:
    return [(disc(x, y, 1.0), WHITE), (disc(x, y, 0.94), RED), (box(x, y, (0.64, 0.17)), WHITE)]


def _priority(x: Field, y: Field) -> list[Layer]:
    def diamond(size: float) -> Field:
        return polygon(x, y, [(0.0, -size), (size, 0.0), (0.0, size), (-size, 0.0)])

    return [(diamond(1.12), BLACK), (diamond(1.06), WHITE), (diamond(0.78), YELLOW)]


def _blue(x: Field, y: Field, arrow: Field) -> list[Layer]:
    return [(disc(x, y, 1.0), WHITE), (disc(x, y, 0.94), BLUE), (arrow, WHITE)]


def _ahead(x: Field, y: Field) -> list[Layer]:
    shaft = strokes(x, y, [[(0.0, 0.58), (0.0, -0.3)]], 0.22)
    return _blue(x, y, np.minimum(shaft, polygon(x, y, [(0.0, -0.72), (0.4, -0.22), (-0.4, -0.22)])))


def _left(x: Field, y: Field) -> list[Layer]:
    shaft = strokes(x, y, [[(0.34, 0.56), (0.34, -0.12), (-0.3, -0.12)]], 0.22)
    return _blue(x, y, np.minimum(shaft, polygon(x, y, [(-0.7, -0.12), (-0.22, -0.5), (-0.22, 0.26)])))


def _danger(x: Field, y: Field) -> list[Layer]:
    y = y - np.float32(0.22)
    mark = np.minimum(strokes(x, y, [[(0.0, -0.4), (0.0, 0.02)]], 0.19), disc(x, y, 0.11, (0.0, 0.28)))
    return [(polygon(x, y, _triangle(1.2, up=True)), RED), (polygon(x, y, _triangle(0.76, up=True)), WHITE), (mark, BLACK)]


def _parking(x: Field, y: Field) -> list[Layer]:
    letter = np.minimum(strokes(x, y, [[(-0.24, 0.52), (-0.24, -0.46)]], 0.24), oval(x, y, (0.02, -0.2), (0.26, 0.26), 0.22))
    return [(box(x, y, (0.94, 0.94), 0.2), WHITE), (box(x, y, (0.86, 0.86), 0.14), BLUE), (letter, WHITE)]


FACES: dict[str, Face] = {
    "stop": _stop,
    "yield": _yield,
    "30": _thirty,
    "80": _eighty,
    "no entry": _no_entry,
    "priority": _priority,
    "ahead": _ahead,
    "left": _left,
    "danger": _danger,
    "parking": _parking,
}
NAMES = tuple(FACES)
"""Class ``k`` is the k-th of these."""
