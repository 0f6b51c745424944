"""Curves of what comes back, epoch by epoch, and the loss on the straight way back to the original.

Frames come from ``results.returns``. Colours and markers of the methods are those of every comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.views.compare.figure import styles_of
from unlearn_core.views.palette import NEUTRAL, Style
from unlearn_core.views.picture import Picture, layout, percent, short_labels

PANELS = {"left": "trained on what is left", "clean": "the same without the undiscovered (knows the truth)"}
REFERENCES = {"retrain": "retraining", "oracle_retrain": "oracle"}
_HEIGHT = 400


def return_curves(frame: pd.DataFrame, metric: str, label: str, sentence: str) -> Picture:
    """``metric`` over the epochs of further training: left on what a user would train on, right without the undiscovered.

    ``frame``: from ``results.returns.courses``, with a value somewhere. Dotted in the left panel: a model whose method found
    corruption, trained with that left in. ``sentence``: what is seen, said first.
    """
    shown = frame[(frame["shown"] == 0)].dropna(subset=[metric])
    panels = [data for data in PANELS if (shown["data"] == data).any()]
    figure = _panels([PANELS[data] for data in panels])
    styles, names = styles_of(frame), _names(frame)
    for k, data in enumerate(panels, start=1):
        here = shown[shown["data"] == data]
        for method, part in here.groupby("method", sort=False):
            figure.add_trace(_curve(part, metric, names[str(method)], styles[str(method)], named=k == 1), row=1, col=k)
        if data == "left":
            for method, part in shown[shown["data"] == "retain"].groupby("method", sort=False):
                name = f"{names[str(method)]}, its finds left in"
                figure.add_trace(_curve(part, metric, name, styles[str(method)], True, dash="dot"), row=1, col=k)
        _reference_lines(figure, here, metric, k)
    _lay_out(figure, f"{label.lower()} (%)", int(shown["epoch"].max()))
    return Picture(
        figure,
        f"{sentence} Dashed: oracles. Thin lines: retraining and the oracle as they were.",
        f"Curves of {label.lower()} over the epochs of further training: {_told(shown, metric, names)}.",
        shown[["method", "label", "oracle", "data", "rate", "trained_on", "left_out", "knows_truth", "epoch", metric]],
    )


def relearn_curves(frame: pd.DataFrame) -> Picture:
    """How soon the labels of F are back, one panel for each number of its examples that are shown again (0: none at all)."""
    shown = frame[frame["data"] == "left"].dropna(subset=["fit"])
    counts = sorted(shown["shown"].unique())
    figure = _panels([f"{count} of F shown again" if count else "F never shown again" for count in counts])
    styles, names = styles_of(frame), _names(frame)
    for k, count in enumerate(counts, start=1):
        for method, part in shown[shown["shown"] == count].groupby("method", sort=False):
            figure.add_trace(_curve(part, "fit", names[str(method)], styles[str(method)], named=k == 1), row=1, col=k)
    _lay_out(figure, "F with its given labels (%)", int(shown["epoch"].max()))
    return Picture(
        figure,
        "Look at the first epochs: what comes back before retraining's does was hidden, not forgotten. Each panel measures the "
        "part of F that was not shown again.",
        f"Curves of the share of F that has its given labels again, {len(counts)} numbers of examples shown again.",
        shown[["method", "label", "oracle", "shown", "rate", "trained_on", "epoch", "fit"]],
    )


def way_back(frame: pd.DataFrame) -> Picture:
    """Loss on clean test data on the straight way from each model to the original. ``frame``: ``results.returns.barriers``."""
    figure, styles, names = go.Figure(), styles_of(frame), _names(frame)
    for method, part in frame.groupby("method", sort=False):
        style, name = styles[str(method)], names[str(method)]
        figure.add_scatter(
            x=part["place"],
            y=part["loss"],
            mode="lines",
            name=name,
            line={"color": style.color, "width": 2.5, "dash": "dash" if part["oracle"].iloc[0] else "solid"},
            hovertemplate=f"{name}, %{{x:.0%}} of the way: loss %{{y:.3f}}<extra></extra>",
        )
    layout(
        figure,
        360,
        xaxis={"title": {"text": "way to the original (%)"}, "tickformat": ".0%", "range": [0, 1]},
        yaxis={"title": {"text": "loss on clean test data (nats)"}, "rangemode": "tozero"},
    )
    heights = frame.drop_duplicates("method")
    told = "; ".join(f"{names[row['method']]} {row['barrier']:.2f}" for _, row in heights.iterrows())
    return Picture(
        figure,
        "A flat way means that the model still lies in the original’s valley: what was wrong may be masked rather than gone. "
        "A model that was trained anew has a barrier for reasons of its own.",
        f"Loss on the way to the original; barriers: {told}.",
        frame,
    )


def _panels(titles: Sequence[str]) -> go.Figure:
    figure = make_subplots(1, max(1, len(titles)), shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=titles)
    figure.update_annotations(font_size=14)
    return figure


def _names(frame: pd.DataFrame) -> Mapping[str, str]:
    first = frame.drop_duplicates("method")
    return dict(zip(first["method"], short_labels(first["label"]), strict=True))


def _curve(part: pd.DataFrame, metric: str, name: str, style: Style, named: bool, dash: str = "") -> go.Scatter:
    """One course; ``dash``: "" by whether the method is an oracle."""
    return go.Scatter(
        x=part["epoch"],
        y=part[metric],
        mode="lines+markers",
        name=name,
        legendgroup=name,
        showlegend=named,
        line={"color": style.color, "width": 2.5, "dash": dash or ("dash" if part["oracle"].iloc[0] else "solid")},
        marker={"symbol": style.symbol, "size": 8, "color": style.color},
        hovertemplate=f"{name}, epoch %{{x}}: %{{y:.1%}}<extra></extra>",
    )


def _reference_lines(figure: go.Figure, here: pd.DataFrame, metric: str, column: int) -> None:
    """Thin lines at what retraining and the oracle were before they were trained further."""
    for method, word in REFERENCES.items():
        start = here[(here["method"] == method) & (here["epoch"] == 0)]
        if len(start):
            figure.add_hline(
                y=float(start[metric].iloc[0]),
                line={"color": NEUTRAL, "width": 1, "dash": "dot"},
                annotation={"text": word, "font": {"size": 12, "color": NEUTRAL}, "xanchor": "right"},
                row=1,
                col=column,
            )


def _lay_out(figure: go.Figure, vertical: str, epochs: int) -> None:
    layout(figure, _HEIGHT)
    figure.update_layout(margin={"t": 74}, legend={"y": 1.12})
    ticks = max(1, epochs // 10)
    figure.update_xaxes(title={"text": "epochs of further training (number)"}, rangemode="tozero", dtick=ticks)
    share: dict[str, Any] = {"range": [-0.04, 1.04], "tickformat": ".0%"}
    figure.update_yaxes(**share)
    figure.update_yaxes(title={"text": vertical}, col=1)


def _told(shown: pd.DataFrame, metric: str, names: Mapping[str, str]) -> str:
    """The first and the last value of every course."""
    parts = []
    words = {"left": "", "retain": ", its finds left in", "clean": ", without the undiscovered"}
    for (method, data), part in shown.groupby(["method", "data"], sort=False):
        values = part[metric]
        parts.append(f"{names[str(method)]}{words[str(data)]} {percent(values.iloc[0])} to {percent(values.iloc[-1])}")
    return "; ".join(parts)
