"""Colours and markers with one meaning everywhere: Okabe & Ito's colour-blind-safe set, never colour alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Style:
    """How one thing is drawn wherever it appears. ``symbol`` is plotly's name, ``sign`` the same shape as text."""

    label: str
    color: str
    symbol: str
    sign: str


NEUTRAL: Final = "#8A8F98"
"""A grey that can be read on white and on near-black: references, axes, what is not in focus."""

GROUPS: Final = {
    "clean": Style("clean", "#009E73", "circle", "●"),
    "discovered": Style("discovered", "#0072B2", "x", "✖"),
    "undiscovered": Style("undiscovered", "#D55E00", "diamond", "◆"),
    "redirect": Style("redirect", "#CC79A7", "square", "■"),
    "unknown": Style("not known", NEUTRAL, "circle-open", "○"),
}
"""The four groups of examples and channels (design §5), and examples of which nobody knows whether they are corrupted."""

ACCENT: Final = "#3E7CB1"

KINDS: Final = {"random label": ("#B9BEC7", "."), "confusion": ("#8A8F98", "/"), "trigger": ("#5B626E", "x")}
"""The three kinds of corruption as three greys with three patterns: colour is kept for the groups."""

# Methods avoid the three strong colours of the groups. REM redirects, so it has that group's colour.
_METHOD_COLORS: Final = ("#B59B00", "#A6761D", "#E69F00", "#7570B3", "#94A34A", "#C0504D", "#5E81AC", "#56B4E9")
_METHOD_SYMBOLS: Final = (
    "triangle-up",
    "diamond-tall",
    "pentagon",
    "star-triangle-down",
    "hexagon2",
    "cross",
    "triangle-down",
    "bowtie",
)
_METHOD_SIGNS: Final = ("▲", "◆", "⬟", "▼", "⬢", "✚", "▽", "⧓")
_FIXED: Final = {
    "original": Style("Original", NEUTRAL, "circle-open", "○"),
    "rem": Style("REM", "#CC79A7", "star", "★"),
    "retrain": Style("Retrain", "#6B7280", "square", "■"),
    "oracle_retrain": Style("Oracle", NEUTRAL, "square-open", "□"),
}


def method_style(name: str, oracle: bool = False) -> Style:
    """The style of a method, from its name alone, so that it is the same on every page and in every session."""
    if name in _FIXED:
        return _FIXED[name]
    digest = zlib.crc32(name.encode())
    slot = digest % len(_METHOD_COLORS)
    return _slot_style(name, slot, oracle)


def method_styles(names: Iterable[str], oracles: Iterable[str] = ()) -> dict[str, Style]:
    """Styles for methods shown together; where two would look the same, the later one takes the next free slot."""
    styles: dict[str, Style] = {}
    marked = set(oracles)
    for name in dict.fromkeys(names):
        style, slot = method_style(name, name in marked), zlib.crc32(name.encode())
        taken = {(s.color, s.symbol) for s in styles.values()}
        for step in range(1, len(_METHOD_COLORS)):
            if (style.color, style.symbol) not in taken:
                break
            style = _slot_style(name, (slot + step) % len(_METHOD_COLORS), name in marked)
        styles[name] = style
    return styles


def _slot_style(name: str, slot: int, oracle: bool) -> Style:
    symbol = _METHOD_SYMBOLS[slot] + ("-open" if oracle else "")
    return Style(name, _METHOD_COLORS[slot], symbol, _METHOD_SIGNS[slot])
