"""How narrow a picture may become before its texts run into one another: a page that is narrower scrolls it sideways."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

PHONE = 324
"""Pixels that a picture in a frame has on the narrowest window that pages are made for (390); what fits there needs nothing."""
_PANEL = 190
"""Pixels that one of several panels side by side has at least."""
_LETTER = 0.52
"""Width of a letter over the size of its font, on average over the texts of pictures."""
_GAP = 8
_NUMBER = ("100%",)
"""What Plotly writes beside a y axis by itself, about."""
_WHOLE = 0.7
"""Share of the width from which on an axis is the only one; its title is broken into lines."""
_SIDE = 46
"""Pixels beside the cells or panels that are not ticks: the title of the axis and the margins."""
_STEP = 20
_MOST = 1080
"""Pixels that a page on a screen has: no picture asks for more, whatever it holds."""
_TURNED = 6
"""Pixels between names that Plotly turns upright where they would meet, beside :data:`_GAP`."""
_MARKUP = re.compile(r"<(?!br)[^>]*>")


def least_width(figure: Any) -> int:
    """Pixels of a Plotly figure, or 0 where the narrowest window is wide enough. Counted are what is written below and above
    every x axis and in the columns over it; ticks that Plotly chooses itself give way and are not."""
    layout = figure.layout
    axes = {name.replace("axis", ""): axis for name, axis in _axes(layout, "x")}
    written = _columns(figure)
    need = 0.0
    for name, axis in axes.items():
        low, high = axis.domain or (0, 1)
        need = max(need, _beneath(axis, written.get(name, {}), high - low) / (high - low))
        for words in layout.annotations:
            if low <= (words.x or 0) <= high and high - low < _WHOLE and (words.xref, words.yref) == ("paper", "paper"):
                need = max(need, (_pixels(words.text, words.font.size or 14) + _GAP) / (high - low))
    beside = max((_pixels(text, 12) for _, axis in _axes(layout, "y") for text in axis.ticktext or _NUMBER), default=0)
    whole = need + _SIDE + beside
    return 0 if whole <= PHONE else min(_MOST, -int(-whole // _STEP) * _STEP)


def _beneath(axis: Any, columns: dict[Any, float], share: float) -> float:
    """Pixels of an axis's ticks, of its columns, and of its title where it is one of several, whichever are more."""
    names = axis.ticktext or [key for key in columns if isinstance(key, str)]
    ticks = [_pixels(text, axis.tickfont.size or 12) for text in names] if axis.showticklabels is not False else []
    # Two neighbours meet where half of each is more than what is between their middles.
    apart = max([(one + other) / 2 for one, other in pairwise(ticks)], default=0.0)
    if axis.tickangle is None:
        apart = min(apart, _TURNED)
    each = max(apart, *columns.values()) if columns else apart
    several = max(_PANEL, _pixels(axis.title.text, axis.title.font.size or 14) + _GAP) if share < _WHOLE else 0
    return max(several, len(names) * (each + _GAP) if each else 0.0)


def _columns(figure: Any) -> dict[str, dict[Any, float]]:
    """For every x axis its columns, each with the pixels of the widest text that traces write there."""
    found: dict[str, dict[Any, float]] = {}
    for trace in figure.data:
        places = getattr(trace, "x", None)
        if places is None or not len(places) or trace.type not in ("bar", "scatter", "heatmap"):
            continue
        texts = _written(trace)
        if texts is None and not isinstance(places[0], str):
            continue
        columns = found.setdefault(trace.xaxis or "x", {})
        size = (trace.textfont.size if texts is not None else None) or 12
        words = texts if texts is not None else [""] * len(places)
        for place, text in zip(places, words, strict=False):
            columns[place] = max(columns.get(place, 0.0), _pixels(text, size))
    return found


def _written(trace: Any) -> Iterable[str] | None:
    """The texts of a trace that stand in columns of their own: those of cells, not those beside single points."""
    if trace.type != "scatter" or trace.mode != "text" or trace.text is None or isinstance(trace.text, str):
        return None
    return trace.text  # type: ignore[no-any-return]


def _pixels(text: str | None, size: float) -> float:
    """About how wide the longest line of ``text`` is."""
    lines = html.unescape(_MARKUP.sub("", text or "")).split("<br>")
    return max(map(len, lines)) * _LETTER * size


def _axes(layout: Any, letter: str) -> list[tuple[str, Any]]:
    return [(name, layout[name]) for name in layout if re.fullmatch(rf"{letter}axis\d*", name)]
