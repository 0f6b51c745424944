"""Suspects: what a threshold is expected to give and truly gives, why one example is suspected, what an edit changed."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.palette import ACCENT, GROUPS, NEUTRAL, method_styles
from unlearn_core.views.picture import Picture, escape_html, layout, percent, short_labels

AMBER = "#C98A1B"
"""Recall, and examples that are only suspected: none of the groups' colours, because their group is unknown."""
_MEASURES = {"precision": ACCENT, "recall": AMBER}
_FEW = 8
"""Scores shown for one example; the others are trusted least."""
_POINTS = 900
_SAYS_SOMETHING = 0.005
_GREYS = [[0, "#FAFAFA"], [1, "#2D2D2D"]]
ROLES = {
    "other": ("other", "circle", NEUTRAL, 6),
    "below": ("next below", "circle-open", AMBER, 10),
    "above": ("above the threshold", "diamond", AMBER, 11),
    "forget": ("in the forget set", GROUPS["discovered"].symbol, GROUPS["discovered"].color, 10),
}
"""What a training example is to the threshold: label, symbol, colour, size."""


def expectation(curve: pd.DataFrame, truth: pd.DataFrame | None, count: int, height: int = 320) -> Picture:
    """Precision and recall over the number of suspects taken. ``curve`` and ``truth``: of ``suspects.data.Suspects``;
    the curve may be empty, and ``truth`` None where it is not to be shown."""
    figure = go.Figure()
    length = max(len(curve), 0 if truth is None else len(truth))
    last = min(length, max(40, round(2.2 * count), _interesting(curve)))
    # A line of thousands of points is drawn from the part that is seen, and a little more for those who zoom out.
    shown, true = curve.head(3 * last), None if truth is None else truth.head(3 * last)
    few, fewer = _thinned(shown), None if true is None else _thinned(true)
    for name, color in _MEASURES.items():
        if len(few):
            _band(figure, few, name, color)
            _line(figure, few["taken"], few[name], f"{name}, expected", color, "solid")
        if fewer is not None:
            _line(figure, fewer["taken"], fewer[f"true_{name}"], f"{name}, true", color, "dot")
    if count:
        figure.add_vline(x=count, line={"color": NEUTRAL, "width": 1.5, "dash": "dash"})
    layout(
        figure,
        height,
        xaxis={"title": {"text": "suspects taken, from the top of the list"}, "range": [0, last * 1.02]},
        yaxis={"title": {"text": "share (%)"}, "range": [-0.03, 1.05], "tickformat": ".0%"},
    )
    data = shown if true is None else true.merge(shown, on="taken", how="left") if len(shown) else true
    return Picture(figure, _read(curve, truth), _told(curve, truth, count), data)


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """Evenly spaced rows, no more than a screen can show."""
    return frame.iloc[:: -(-len(frame) // _POINTS)] if len(frame) > _POINTS else frame


def _interesting(curve: pd.DataFrame) -> int:
    """How many suspects it takes until hardly any recall is left to gain."""
    if curve.empty:
        return 0
    nearly = (curve["recall"] >= 0.98 * curve["recall"].max()).to_numpy().nonzero()[0]
    return int(1.3 * (nearly[0] + 1))


def _line(figure: go.Figure, x: pd.Series, y: pd.Series, label: str, color: str, dash: str) -> None:
    figure.add_scatter(
        x=x, y=y, mode="lines", name=label, line={"color": color, "width": 2.4, "dash": dash},
        hovertemplate=f"first %{{x}}: {label} %{{y:.1%}}<extra></extra>",
    )  # fmt: skip


def _band(figure: go.Figure, curve: pd.DataFrame, name: str, color: str) -> None:
    common = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=curve["taken"], y=curve[f"{name}_high"], **common)
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    fill = f"rgba({red},{green},{blue},0.16)"
    figure.add_scatter(x=curve["taken"], y=curve[f"{name}_low"], fill="tonexty", fillcolor=fill, **common)


def _read(curve: pd.DataFrame, truth: pd.DataFrame | None) -> str:
    if curve.empty:
        known = "" if truth is None else "; the dotted lines are the truth, which only an experiment knows"
        return f"Nothing can be expected of these suspects, so there is no solid line{known}."
    if truth is None:
        return "Look for the knee of the solid lines: there precision begins to fall, and recall has little left to gain."
    return "Compare solid and dotted: where they are close, the estimate can be trusted; bands are 90 % intervals."


def _told(curve: pd.DataFrame, truth: pd.DataFrame | None, count: int) -> str:
    parts = []
    if count and len(curve) >= count:
        row = curve.iloc[count - 1]
        parts.append(f"expected precision {percent(row['precision'])} and recall {percent(row['recall'])}")
    if count and truth is not None and len(truth) >= count:
        row = truth.iloc[count - 1]
        parts.append(f"true precision {percent(row['true_precision'])} and recall {percent(row['true_recall'])}")
    return f"Precision and recall over the number of suspects. The first {count}: {'; '.join(parts) or 'nothing known'}."


def threshold(row: Mapping[str, float], truth: bool) -> list[tuple[str, str, str]]:
    """The threshold in figures: (label, value, remark) for precision and recall. ``row``: of ``Suspects.at``."""
    cells = []
    for name, label in (("precision", "Precision"), ("recall", "Recall of the rest")):
        value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
        known = "–" if math.isnan(value) else percent(value)
        interval = "not known" if math.isnan(value) else f"{percent(low)} to {percent(high)}"
        remark = f"{interval} · true {percent(row[f'true_{name}'])}" if truth else interval
        cells.append((f"{label}, expected", known, remark))
    return cells


def evidence_bars(evidence: pd.DataFrame, index: int, height: int = 320) -> Picture:
    """Why one example is suspected. ``evidence``: of ``Suspects.evidence``: name, label, summary, weight, value."""
    trusted = evidence[evidence["weight"] >= _SAYS_SOMETHING]
    shown = (trusted if len(trusted) else evidence).head(_FEW).iloc[::-1]
    figure = go.Figure()
    figure.add_bar(
        x=shown["value"],
        # The weight stands beside the name: in a short bar there is no room for it.
        y=[f"{label} · {percent(weight)}" for label, weight in zip(shown["label"], shown["weight"], strict=True)],
        orientation="h",
        marker={
            "color": [ACCENT if value > 0 else NEUTRAL for value in shown["value"]],
            # What is trusted more stands out more.
            "opacity": [0.65 + 0.35 * weight / max(evidence["weight"].max(), 1e-9) for weight in shown["weight"]],
            "cornerradius": 3,
        },
        customdata=shown[["summary"]],
        hovertemplate="%{customdata[0]}<br>%{x:.2f} standard deviations above the typical example<extra></extra>",
    )
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1})
    layout(
        figure,
        height,
        legend=False,
        xaxis={"title": {"text": "standard deviations<br>above typical"}},
        yaxis={"title": {"text": "score · its weight"}, "showgrid": False, "tickfont": {"size": 12}},
    )
    strongest = evidence.assign(say=evidence["weight"] * evidence["value"]).nlargest(1, "say").iloc[0]
    return Picture(
        figure,
        "Look for long, dark bars: scores far above the typical example speak for corruption; beside each name stands how much "
        "the score counts.",
        f"Evidence for training example {index}: most by {strongest['label']}, {strongest['value']:.1f} standard deviations "
        "above the typical example.",
        evidence,
    )


def suspect_points(frame: pd.DataFrame, names: tuple[str, ...], height: int = 430) -> Picture:
    """2-D data with the suspects on both sides of the threshold. ``frame``: columns index, x, y, given, role (of ROLES)."""
    figure, codes = go.Figure(), {name: k for k, name in enumerate(names)}
    counts = frame["role"].value_counts()
    for role, (label, symbol, color, size) in ROLES.items():
        part = frame[frame["role"] == role]
        fill = part["given"].map(codes).to_numpy(dtype=int)
        open_symbol = symbol.endswith("-open")
        marker = {"symbol": symbol, "size": size, "line": {"color": color, "width": 1 if role == "other" else 2}}
        # Lightness is the given label, as on all pages; open markers have no inside.
        marker |= {"color": color} if open_symbol else {"color": fill, "colorscale": _GREYS, "cmin": 0, "cmax": len(names) - 1}
        figure.add_scatter(
            x=part["x"],
            y=part["y"],
            mode="markers",
            name=f"{label} ({len(part)})",
            marker=marker,
            opacity=0.6 if role == "other" else 1,
            customdata=part[["index", "given"]].map(escape_html),
            hovertemplate="%{customdata[0]}, given %{customdata[1]}<extra></extra>",
        )
    layout(
        figure,
        height,
        xaxis={"title": {"text": "first coordinate (no unit)"}},
        yaxis={"title": {"text": "second coordinate (no unit)"}},
    )
    told = ", ".join(f"{counts.get(role, 0)} {label}" for role, (label, *_) in ROLES.items())
    return Picture(
        figure,
        "Move the threshold and look where the filled diamonds end: beyond, suspects should lie among points like themselves.",
        f"Training points: {told}.",
        frame,
    )


def change(frame: pd.DataFrame, height: int = 260) -> Picture:
    """What another forget set did. ``frame``: of ``forget_set_edits.changed``: method, label, metric_label, before, after."""
    figure = go.Figure()
    styles = method_styles(frame["method"])
    labels = dict(zip(frame["method"].unique(), short_labels(frame["label"].unique()), strict=True))
    for method, part in frame.groupby("method", sort=False):
        rows = [f"{name}<br>{labels[method]}" for name in part["metric_label"]]
        for x0, x1, row in zip(part["before"], part["after"], rows, strict=True):
            figure.add_scatter(
                x=[x0, x1], y=[row, row], mode="lines", line={"color": styles[str(method)].color, "width": 3},
                hoverinfo="skip", showlegend=False,
            )  # fmt: skip
        for column, open_ in (("before", "-open"), ("after", "")):
            figure.add_scatter(
                x=part[column],
                y=rows,
                mode="markers",
                name=f"{labels[method]}, {column}",
                marker={"symbol": f"circle{open_}", "size": 12, "color": styles[str(method)].color, "line": {"width": 2}},
                hovertemplate=f"{labels[method]}, {column}: %{{x:.1%}}<extra></extra>",
            )
    layout(
        figure,
        max(height, 90 + 40 * len(frame)),
        xaxis={"title": {"text": "share (%)"}, "tickformat": ".0%"},
        yaxis={"title": {"text": ""}, "autorange": "reversed", "showgrid": True},
    )
    told = "; ".join(
        f"{row['label']}, {row['metric_label'].lower()} {percent(row['before'], 1)} → {percent(row['after'], 1)}"
        for _, row in frame.iterrows()
    )
    return Picture(
        figure, "Follow each line from the open circle (before) to the filled one (with the edited set).", told, frame
    )
