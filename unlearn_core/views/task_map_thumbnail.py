"""A thumbnail of the plane: the region one method aims at and the point of this view, small enough to stand beside words."""

from __future__ import annotations

import base64

from unlearn_core.views.palette import ACCENT, NEUTRAL

Interval = tuple[float, float]

_SIDE, _EDGE = 112, 8


def aim_image(regularity: Interval, discovery: Interval, at: tuple[float, float], color: str) -> str:
    """An SVG as a data URI: regularity to the right, discovery upwards, both 0 to 1; ``at``: (regularity, discovery)."""
    (x0, x1), (y0, y1) = regularity, discovery
    left, right, top, bottom = _across(x0), _across(x1), _up(y1), _up(y0)
    whole = _SIDE - 2 * _EDGE
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}">'
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{whole}" height="{whole}" fill="none" stroke="{NEUTRAL}" stroke-opacity=".5"/>'
        f'<rect x="{left}" y="{top}" width="{right - left:.1f}" height="{bottom - top:.1f}" fill="{color}" '
        f'fill-opacity=".22" stroke="{color}" stroke-width="2"/>'
        f'<circle cx="{_across(at[0])}" cy="{_up(at[1])}" r="5" fill="{ACCENT}" stroke="#FFFFFF" stroke-width="1.500"/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()


def _across(value: float) -> float:
    return round(_EDGE + value * (_SIDE - 2 * _EDGE), 1)


def _up(value: float) -> float:
    return round(_SIDE - _EDGE - value * (_SIDE - 2 * _EDGE), 1)
