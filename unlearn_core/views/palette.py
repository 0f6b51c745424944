"""Colours and markers with one meaning everywhere: Okabe & Ito's colour-blind-safe set, never colour alone.

Every colour has at least 3:1 on the light and on the dark background; what that set has lighter than that is darkened.
"""

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
    "redirect": Style("redirect", "#C4699B", "square", "■"),
    "unknown": Style("not known", NEUTRAL, "circle-open", "○"),
}
"""The four groups of examples and channels, and examples whose corruption is unknown."""

ACCENT: Final = "#3E7CB1"

KINDS: Final = {"random label": ("#8A8F98", "."), "confusion": ("#797F89", "/"), "trigger": ("#666D78", "x")}
"""The three kinds of corruption as three greys with three patterns: colour is kept for the groups."""

# Methods avoid the three strong colours of the groups. REM redirects, so it has that group's colour.
_METHOD_COLORS: Final = ("#9A8400", "#A6761D", "#C07F00", "#7570B3", "#7E8B3C", "#C0504D", "#5E81AC", "#2E8FC8")
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
    "rem": Style("REM", "#C4699B", "star", "★"),
    "retrain": Style("Retrain", "#747B88", "square", "■"),
    "oracle_retrain": Style("Oracle", NEUTRAL, "square-open", "□"),
}


def method_style(name: str, oracle: bool = False) -> Style:
    """The style of a method, from its name alone, so that it is the same on every page and in every session."""
    if name in _FIXED:
        return _FIXED[name]
    digest = zlib.crc32(name.encode())
    number = digest % len(_METHOD_COLORS)
    return _numbered_style(name, number, oracle)


def method_styles(names: Iterable[str], oracles: Iterable[str] = ()) -> dict[str, Style]:
    """Styles for methods shown together; where two would look the same, the later one takes the next free one."""
    styles: dict[str, Style] = {}
    marked = set(oracles)
    for name in dict.fromkeys(names):
        style, number = method_style(name, name in marked), zlib.crc32(name.encode())
        taken = {(s.color, s.symbol) for s in styles.values()}
        for step in range(1, len(_METHOD_COLORS)):
            if (style.color, style.symbol) not in taken:
                break
            style = _numbered_style(name, (number + step) % len(_METHOD_COLORS), name in marked)
        styles[name] = style
    return styles


def _numbered_style(name: str, number: int, oracle: bool) -> Style:
    symbol = _METHOD_SYMBOLS[number] + ("-open" if oracle else "")
    return Style(name, _METHOD_COLORS[number], symbol, _METHOD_SIGNS[number])


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours, each "#RRGGBB" or "rgb(r, g, b)": 1 (alike) to 21."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def ink_on(color: str) -> str:
    """Black or white, whichever is read better on ``color``; of the two one always has at least 4.5:1."""
    return max(("#FFFFFF", "#000000"), key=lambda ink: contrast(ink, color))


def _luminance(color: str) -> float:
    if color.startswith("#"):
        parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    else:
        parts = [float(part) / 255 for part in color[color.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
