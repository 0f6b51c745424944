"""Healed against utility as a drawing without a script: for notebooks, where it is there offline and after saving."""

from __future__ import annotations

import math

import pandas as pd

from unlearn_core.views.compare.figure import styles_of
from unlearn_core.views.labels import place
from unlearn_core.views.palette import NEUTRAL
from unlearn_core.views.picture import escape_html, percent, short_labels

_WIDTH, _HEIGHT = 560, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 68, 96, 14, 44
_FONT = "font-family='system-ui, sans-serif'"


def healed_utility_sketch(frame: pd.DataFrame) -> str:
    """An SVG, "" where it is unknown what healed; ``frame``: a row a model, as for :mod:`unlearn_core.views.compare.figure`."""
    shown = frame.dropna(subset=["healed", "utility"])
    if shown.empty:
        return ""
    low = math.floor(20 * max(0.0, min(0.85, float(shown["utility"].min()) - 0.04))) / 20
    names = short_labels(shown["label"])
    spots = place(names, list(shown["utility"]), list(shown["healed"]), (low, 1.005), (0.0, 1.05), _room())
    styles = styles_of(shown)
    marks = []
    for (_, row), name, spot in zip(shown.iterrows(), names, spots, strict=True):
        x, y, style = _across(row["utility"], low), _up(row["healed"]), styles[row["method"]]
        anchor = {"left": "start", "right": "end"}.get(spot.anchor, "middle")
        marks.append(
            f"<g><title>{escape_html(row['label'])}: healed {percent(row['healed'], 1)}, utility {percent(row['utility'], 1)}"
            f"</title><text x='{x:.1f}' y='{y + 6:.1f}' font-size='18' text-anchor='middle' fill='{style.color}'>{style.sign}"
            f"</text><text x='{x + spot.dx:.1f}' y='{y - spot.dy + 4:.1f}' font-size='13' text-anchor='{anchor}' "
            f"fill='currentColor'>{escape_html(name)}</text></g>"
        )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{_HEIGHT}' viewBox='0 0 {_WIDTH} {_HEIGHT}' {_FONT} "
        f"role='img' aria-label='Healed against utility'>{_axes(low)}{''.join(marks)}</svg>"
    )


def _axes(low: float) -> str:
    step = 0.05 if low > 0.7 else 0.1 if low > 0.4 else 0.25
    steps = [1 - step * k for k in range(int((1 - low) / step + 1.001))]
    lines = [
        f"<line x1='{_across(x, low):.1f}' x2='{_across(x, low):.1f}' y1='{_TOP}' y2='{_HEIGHT - _BOTTOM}' {_grid()}/>"
        f"<text x='{_across(x, low):.1f}' y='{_HEIGHT - _BOTTOM + 16}' {_word('middle')}>{percent(x)}</text>"
        for x in steps
    ]
    lines += [
        f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{_up(y):.1f}' y2='{_up(y):.1f}' {_grid()}/>"
        f"<text x='{_LEFT - 6}' y='{_up(y) + 4:.1f}' {_word('end')}>{percent(y)}</text>"
        for y in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return "".join(lines) + (
        f"<text x='{middle}' y='{_HEIGHT - 8}' {_word('middle')}>utility (% of clean test data)</text>"
        f"<text x='12' y='{_HEIGHT / 2}' transform='rotate(-90 12 {_HEIGHT / 2})' {_word('middle')}>"
        "healed (% of corrupted data)</text>"
    )


def _grid() -> str:
    return f"stroke='{NEUTRAL}' stroke-opacity='.3'"


def _word(anchor: str) -> str:
    return f"font-size='12' text-anchor='{anchor}' fill='currentColor'"


def _room() -> tuple[float, float]:
    return float(_WIDTH - _LEFT - _RIGHT), float(_HEIGHT - _TOP - _BOTTOM)


def _across(utility: float, low: float) -> float:
    return _LEFT + (utility - low) / (1 - low) * (_WIDTH - _LEFT - _RIGHT)


def _up(healed: float) -> float:
    return _TOP + (1 - healed) * (_HEIGHT - _TOP - _BOTTOM)
