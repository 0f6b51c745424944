"""Methods side by side: healed against utility, what happens over the rounds, what it costs, what differs from retraining.

Frames come from ``results.tables``: one row for the original and one per method, columns method, label, oracle and every
metric (shares as 0 … 1, seconds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.results.memorised import nothing_to_heal, sentence, share_in
from unlearn_core.views.compare.pareto import pareto_front
from unlearn_core.views.compare.products_figure import Written, draw_products, number_products
from unlearn_core.views.labels import Spot, place
from unlearn_core.views.palette import ACCENT, NEUTRAL, Style, method_styles
from unlearn_core.views.picture import Picture, layout, percent, reference_line, short, short_labels, wrap_label

_SCATTERED = ("method", "label", "oracle", "healed", "utility", "healed_x_utility", "memorised")


def styles_of(frame: pd.DataFrame) -> dict[str, Style]:
    """One style per method of a frame."""
    return method_styles(frame["method"], frame.loc[frame["oracle"].astype(bool), "method"])


def healed_utility(frame: pd.DataFrame, height: int = 430) -> Picture:
    """Healed against utility, with lines of equal healed × utility; the best place is the top right."""
    shown = frame.dropna(subset=["healed", "utility"])
    low = max(0.0, min(0.85, float(shown["utility"].min()) - 0.04 if len(shown) else 0.85))
    x_range, y_range = (low, 1.005), (-0.06, 1.06)
    figure = go.Figure()
    draw_products(figure, low)
    front = pareto_front(shown)
    steps = _draw_front(figure, front, low)
    # On a screen, where the small one stands in a third of the page, and on a phone.
    rooms = ((190.0, 185.0), (242.0, 232.0)) if height < 400 else ((400.0, 330.0), (275.0, 362.0))
    names, x, y = short_labels(shown["label"]), list(shown["utility"]), list(shown["healed"])
    where = place(names, x, y, x_range, y_range, *rooms)
    _draw_models(figure, shown, styles_of(frame), names, where)
    number_products(figure, Written(names, x, y, where, steps), x_range, y_range, rooms)
    layout(
        figure,
        height,
        legend=False,
        xaxis={"title": {"text": "utility (% of clean test data)"}, "range": x_range, "tickformat": ".0%"},
        yaxis={"title": {"text": "healed (% of corrupted data)"}, "range": y_range, "tickformat": ".0%"},
    )
    return Picture(
        figure,
        _caption(frame, front),
        "Scatter of healed against utility: "
        + "; ".join(f"{short(r['label'])} {percent(r['healed'])} and {percent(r['utility'])}" for _, r in shown.iterrows())
        + (f". On the Pareto front: {_listed(front)}." if len(front) else "."),
        shown[[name for name in _SCATTERED if name in shown]].assign(on_front=shown["method"].isin(front["method"])),
    )


def _draw_models(
    figure: go.Figure,
    shown: pd.DataFrame,
    styles: Mapping[str, Style],
    names: Sequence[str],
    where: Sequence[Spot],
) -> None:
    """A marker for each model, and its name where there is room for it."""
    for (_, row), name, spot in zip(shown.iterrows(), names, where, strict=True):
        style = styles[row["method"]]
        figure.add_scatter(
            x=[row["utility"]],
            y=[row["healed"]],
            mode="markers",
            name=name,
            marker={"symbol": style.symbol, "size": 15, "color": style.color, "line": {"color": style.color, "width": 2}},
            cliponaxis=False,
            hovertemplate=f"{row['label']}<br>healed %{{y:.1%}}<br>utility %{{x:.1%}}<extra></extra>",
        )
        figure.add_annotation(
            x=row["utility"],
            y=row["healed"],
            text=name,
            font={"size": 14},
            xanchor=spot.anchor,
            ax=spot.dx,
            ay=-spot.dy,
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=NEUTRAL if spot.far else "rgba(0,0,0,0)",
            standoff=6,
        )


def _caption(frame: pd.DataFrame, front: pd.DataFrame) -> str:
    text = "Look for the top right: healed and still useful; dotted lines join equal products, open markers are references."
    if len(front):
        text += f" The step is the Pareto front: nothing chosen beats {_listed(front)} in both."
    if nothing_to_heal(share := share_in(frame)):
        return f"{sentence(share)} What stands at the top was right before; dotted lines join equal products."
    return text


def _draw_front(figure: go.Figure, front: pd.DataFrame, low: float) -> list[tuple[float, float]]:
    """The front as steps: below and left of them everything is beaten by a method on the front. Returns its corners."""
    if front.empty:
        return []
    x, y = list(front["utility"]), list(front["healed"])
    x, y = [low, *x, x[-1]], [y[0], *y, 0.0]
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        name="Pareto front",
        # Each step goes down first, then right: between two methods only the lower healing of the next is reached.
        line={"color": ACCENT, "width": 1.5, "shape": "vh"},
        opacity=0.7,
        hoverinfo="skip",
    )
    turns = [corner for k in range(1, len(x)) for corner in ((x[k - 1], y[k]), (x[k], y[k]))]
    return [(x[0], y[0]), *turns]


def _listed(front: pd.DataFrame) -> str:
    names = short_labels(front.sort_values("healed", ascending=False)["label"])
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def trajectories(
    frame: pd.DataFrame,
    metric: str,
    label: str,
    formula: str,
    share: bool = True,
    time_axis: str = "round",
    healing: bool = True,
) -> Picture:
    """One line per method. ``frame``: columns method, label, oracle, round and the metric; ``time_axis``: "round", or "work"
    for the share of the method's own rounds (a column of that name); ``healing``: whether there was anything to heal."""
    figure = go.Figure()
    _draw_courses(figure, frame, metric, time_axis, share)
    unit = {"range": [-0.04, 1.04], "tickformat": ".0%"} if share else {}
    axis, over = _time_axis(time_axis)
    layout(
        figure,
        380,
        xaxis=axis,
        yaxis={"title": {"text": f"{label.lower()} ({'%' if share else 's'})"}, **unit},
    )
    return Picture(
        figure,
        f"Follow when each method {'heals or ' if healing else ''}breaks; {label.lower()} = {formula}."
        + (" Lines that begin at 0 begin with the original model." if (frame["round"] == 0).any() else ""),
        f"Lines of {label.lower()} over the {over} of {frame['method'].nunique()} methods.",
        frame[list(dict.fromkeys(["method", "label", "round", time_axis, metric]))],
    )


def _draw_courses(figure: go.Figure, frame: pd.DataFrame, metric: str, time_axis: str, share: bool) -> None:
    styles = styles_of(frame)
    first = frame.drop_duplicates("method")
    names = dict(zip(first["method"], short_labels(first["label"]), strict=True))
    for method, part in frame.dropna(subset=[metric]).groupby("method", sort=False):
        style, name = styles[str(method)], names[str(method)]
        figure.add_scatter(
            x=part[time_axis],
            y=part[metric],
            customdata=part["round"],
            mode="lines+markers",
            name=name,
            line={"color": style.color, "width": 2.5, "dash": "dash" if part["oracle"].iloc[0] else "solid"},
            marker={"symbol": style.symbol, "size": 9 if len(part) < 15 else 6, "color": style.color},
            hovertemplate=f"{name}, round %{{customdata}}: %{{y:{'.1%' if share else '.3g'}}}<extra></extra>",
        )


def _time_axis(time_axis: str) -> tuple[dict[str, Any], str]:
    """The horizontal axis of trajectories, and its name in a sentence."""
    if time_axis == "work":
        title = {"text": "share of the method's own work (%)"}
        return {"title": title, "range": [-0.02, 1.02], "tickformat": ".0%"}, "work"
    return {"title": {"text": "round of the method (passes over its data)"}, "rangemode": "tozero"}, "rounds"


def cost(frame: pd.DataFrame) -> Picture:
    """Seconds of every method as a multiple of retraining (of the original's training where retraining did not run)."""
    shown = frame[frame["method"] != "original"].dropna(subset=["seconds"])
    base, word = _baseline(frame)
    styles = styles_of(frame)
    ordered = shown.sort_values("seconds", ascending=False)
    relative = ordered["seconds"] / base
    figure = go.Figure()
    for (_, row), name, ratio in zip(ordered.iterrows(), short_labels(ordered["label"]), relative, strict=True):
        style = styles[row["method"]]
        figure.add_bar(
            x=[ratio],
            y=[wrap_label(name, 20)],
            orientation="h",
            text=f"  {ratio:.2f}× · {row['seconds']:.1f} s",
            textposition="outside",
            cliponaxis=False,
            marker={"color": style.color, "pattern": {"shape": "/" if row["oracle"] else "", "solidity": 0.25}},
            hovertemplate=f"{row['label']}: {row['seconds']:.2f} s on {row.get('device', 'cpu')}<extra></extra>",
        )
    layout(
        figure,
        110 + 34 * len(ordered),
        legend=False,
        xaxis={"title": {"text": f"time, as a multiple of {word} ({base:.1f} s)"}, "range": [0, 1.6 * max([1.0, *relative])]},
    )
    figure.update_yaxes(showgrid=False)
    figure.update_layout(bargap=0.35, margin={"t": 28})
    reference_line(figure, 1.0, word)
    return Picture(
        figure,
        f"Look left of the dashed line: there a method is cheaper than {word}.",
        "Bars of time: " + "; ".join(f"{short(r['label'])} {r['seconds']:.1f} s" for _, r in ordered.iterrows()),
        pd.DataFrame({"method": ordered["method"], "seconds": ordered["seconds"], f"times {word}": relative}),
    )


def _baseline(frame: pd.DataFrame) -> tuple[float, str]:
    known = frame.dropna(subset=["seconds"])
    seconds = dict(zip(known["method"].astype(str), known["seconds"].astype(float), strict=True))
    for name, word in (("retrain", "retraining"), ("original", "training the original")):
        if seconds.get(name):
            return seconds[name], word
    return 1.0, "one second"


def ordered(frame: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Rows in the order original, ``methods``; others are left out."""
    rank = {name: k for k, name in enumerate(["original", *methods])}
    return frame[frame["method"].isin(rank)].sort_values("method", key=lambda s: s.map(rank)).reset_index(drop=True)
