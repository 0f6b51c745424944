"""Signed distances to simple shapes, negative inside, in the sign's own coordinates (its rim is about 1 from the middle).

Only +, −, ×, ÷, square root, minimum and maximum of single numbers are used: IEEE 754 fixes their results to the last bit,
which it does not for sines or for sums over arrays.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
"""One number per image and pixel, (n, side, side)."""
Point = tuple[float, float]


def disc(x: Field, y: Field, radius: float, middle: Point = (0.0, 0.0)) -> Field:
    """A filled circle."""
    dx, dy = x - np.float32(middle[0]), y - np.float32(middle[1])
    found: Field = np.sqrt(dx * dx + dy * dy) - np.float32(radius)
    return found


def oval(x: Field, y: Field, middle: Point, half: Point, stroke: float) -> Field:
    """The outline of an ellipse with half axes ``half``, ``stroke`` thick (the distance is approximate, exact on the line)."""
    dx, dy = (x - np.float32(middle[0])) / np.float32(half[0]), (y - np.float32(middle[1])) / np.float32(half[1])
    off = (np.sqrt(dx * dx + dy * dy) - np.float32(1)) * np.float32(min(half))
    found: Field = np.abs(off) - np.float32(stroke / 2)
    return found


def polygon(x: Field, y: Field, corners: Sequence[Point]) -> Field:
    """A filled convex polygon, corners in clockwise order on the screen (y downwards)."""
    found: Field | None = None
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = math.sqrt((bx - ax) ** 2 + (by - ay) ** 2)
        nx, ny = (by - ay) / length, -(bx - ax) / length
        side = np.float32(nx) * (x - np.float32(ax)) + np.float32(ny) * (y - np.float32(ay))
        found = side if found is None else np.maximum(found, side)
    assert found is not None
    return found


def strokes(x: Field, y: Field, lines: Sequence[Sequence[Point]], thickness: float) -> Field:
    """Lines through the points of each sequence, with round ends."""
    found: Field | None = None
    for line in lines:
        for (ax, ay), (bx, by) in itertools.pairwise(line):
            vx, vy = bx - ax, by - ay
            px, py = x - np.float32(ax), y - np.float32(ay)
            along = (px * np.float32(vx) + py * np.float32(vy)) / np.float32(vx * vx + vy * vy)
            along = np.minimum(np.maximum(along, np.float32(0)), np.float32(1))
            dx, dy = px - along * np.float32(vx), py - along * np.float32(vy)
            off = np.sqrt(dx * dx + dy * dy)
            found = off if found is None else np.minimum(found, off)
    assert found is not None
    return found - np.float32(thickness / 2)


def box(x: Field, y: Field, half: Point, corner: float = 0.0, middle: Point = (0.0, 0.0)) -> Field:
    """A filled rectangle with rounded corners."""
    dx = np.abs(x - np.float32(middle[0])) - np.float32(half[0] - corner)
    dy = np.abs(y - np.float32(middle[1])) - np.float32(half[1] - corner)
    ox, oy = np.maximum(dx, np.float32(0)), np.maximum(dy, np.float32(0))
    inside = np.minimum(np.maximum(dx, dy), np.float32(0))
    found: Field = np.sqrt(ox * ox + oy * oy) + inside - np.float32(corner)
    return found
