"""What every picture is: a figure, a sentence that says what to look for, words for those who cannot see it, its data."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.least_width import least_width
from unlearn_core.views.palette import NEUTRAL

Figure = go.Figure
"""Plotly's, for annotations of those that draw nothing themselves."""
GRID = "rgba(138, 143, 152, 0.22)"
_TITLE = 46
"""Letters of a title in one line."""
_MARK = re.compile(r" \[[^\]]*\]$")


@dataclass(frozen=True)
class Picture:
    """``caption``: one sentence, what to look for. ``alt``: what is drawn. ``data``: everything shown, ready for a CSV."""

    figure: go.Figure
    caption: str
    alt: str
    data: pd.DataFrame

    @cached_property
    def least_width(self) -> int:
        """Pixels below which its texts run into one another; 0: it fits on a phone."""
        return least_width(self.figure)

    @property
    def is_table(self) -> bool:
        """Whether it has one plot whose rows have names of their own, as a table has."""
        axis = self.figure.layout.yaxis
        named = axis.ticktext or any(trace.type == "heatmap" and _is_text(trace.y) for trace in self.figure.data)
        return bool(named) and sum(1 for _ in self.figure.select_xaxes()) == 1


def _is_text(values: Any) -> bool:
    return values is not None and len(values) > 0 and isinstance(values[0], str)


def layout(figure: go.Figure, height: int, legend: bool = True, **axes: Mapping[str, Any]) -> go.Figure:
    """The common look: transparent, quiet grid, legend above. Colours are set so that light and dark both work."""
    wanted: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 34 if legend else 10, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": {"text": ""}},
        "hoverlabel": {"align": "left"},
        "font": {"size": 14},
    }
    there = figure.layout.to_plotly_json()
    every_axis = {"xaxis", "yaxis"} | {name for name in there if name[1:5] == "axis"}
    wanted |= {
        name: {"gridcolor": GRID, "zeroline": False, "linecolor": GRID, "automargin": True, "title": {"standoff": 8}}
        for name in sorted(every_axis)
    }
    # Merged here: Plotly looks up every property on the way to it, which takes three times as long as all the rest.
    wanted = {name: _merged(there.get(name), value) for name, value in _merged(wanted, axes).items()}
    for name in wanted:
        if name.startswith("xaxis"):
            wanted[name]["title"]["text"] = wrap_title(wanted[name]["title"].get("text") or "")
    return figure.update_layout(wanted, overwrite=True)


def _merged(old: Any, new: Any) -> Any:
    """``new`` over ``old``, dictionary by dictionary."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def wrap_title(title: str) -> str:
    """The title of an x axis in lines that a phone has room for."""
    return wrap_label(title, _TITLE)


def short(label: str) -> str:
    """The part of a label before its explanation: "Oracle: retrain without all corruption" → "Oracle". A mark at its end, such
    as " [paper]", stays."""
    head, colon, rest = label.partition(":")
    return head + (_MARK.search(rest) or [""])[0] if colon else head


def short_labels(labels: Iterable[str]) -> list[str]:
    """Every label shortened, unless two would then read the same."""
    labels = list(labels)
    counts = Counter(short(label) for label in labels)
    return [short(label) if counts[short(label)] == 1 else label for label in labels]


def wrap_label(label: str, width: int = 12) -> str:
    """A label over several lines of about ``width`` letters, broken between words."""
    lines: list[str] = [""]
    for word in label.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def escape_html(name: object) -> str:
    """A name that a user chose, to be drawn as it is written: plotly reads ``<b>``, ``<a>`` and ``&`` in texts as HTML."""
    return html.escape(str(name), quote=False)


def percent(value: float | None, digits: int = 0) -> str:
    """A share as text; a dash where there is none."""
    return "–" if value is None or pd.isna(value) else f"{100 * value:.{digits}f} %"


def reference_line(figure: go.Figure, x: float, text: str) -> None:
    """A dashed vertical line with a word at its top."""
    figure.add_vline(x=x, line={"color": NEUTRAL, "dash": "dash", "width": 1.5})
    figure.add_annotation(
        x=x, y=1, yref="paper", text=text, showarrow=False, yanchor="bottom", font={"size": 12, "color": NEUTRAL}
    )
