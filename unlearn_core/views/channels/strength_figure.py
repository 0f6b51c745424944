"""What the redirect channels do to a model's answers when they are turned from 1 to 0: bars, course, boundary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.palette import ACCENT, GROUPS, NEUTRAL
from unlearn_core.views.picture import Picture, escape_html, layout, percent

if TYPE_CHECKING:
    from unlearn_core.views.channels.data import PlaneGrid

_NAMES = {"all": "all C", "discovered": "discovered", "undiscovered": "undiscovered", "clean": "test data"}
_TICKS = {"all": "all C", "discovered": "✖ dis-<br>covered", "undiscovered": "◆ undis-<br>covered", "clean": "test<br>data"}
_COLORS = {"all": NEUTRAL} | {name: GROUPS[name].color for name in ("discovered", "undiscovered", "clean")}
_TITLES = {"healed": "healed", "as given": "predicted as given", "utility": "utility"}
_ENOUGH = 0.1
"""A difference between on and off that is worth a sentence, as a share."""

ALL_ON = "Strength 1 means every redirect channel on for every example; at 0 they are dropped, as in the stored model."


def strength_bars(frame: pd.DataFrame, strength: float, height: int = 330) -> Picture:
    """``frame``: from ``channels.strength.frame``: number, group, n, value, stored."""
    figure = go.Figure()
    places = _bar_places(frame)
    _draw_bars(figure, frame, places, strength)
    layout(
        figure,
        height,
        xaxis={
            "title": {"text": "group of examples"},
            "showgrid": False,
            "tickvals": places,
            "ticktext": [_TICKS[group] for group in frame["group"]],
            "tickfont": {"size": 12},
            "tickangle": 0,
        },
        yaxis={
            "title": {"text": "share of the group (%)"},
            "range": [0, 1.3],
            "tickformat": ".0%",
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
        },
    )
    return Picture(
        figure,
        f"Move the slider and look for bars that leave their grey ticks. {ALL_ON}",
        _bars_in_words(frame, strength),
        frame.assign(strength=strength),
    )


def _bar_places(frame: pd.DataFrame) -> list[float]:
    """One bar after the other, with a gap between what is counted differently."""
    blocks = list(dict.fromkeys(frame["number"]))
    return [k + 0.7 * blocks.index(number) for k, number in enumerate(frame["number"])]


def _draw_bars(figure: go.Figure, frame: pd.DataFrame, places: list[float], strength: float) -> None:
    """Bars at this strength, ticks where the stored model is, the numbers, and a title over each block."""
    notes = [f"{_TITLES[row['number']]}, {_NAMES[row['group']]} ({row['n']:,})" for _, row in frame.iterrows()]
    figure.add_bar(
        x=places,
        y=frame["value"],
        width=0.62,  # narrower than a tick, which can then be seen before a bar of its own grey
        name=f"at strength {strength:g}",
        marker={"color": [_COLORS[group] for group in frame["group"]], "cornerradius": 3},
        customdata=notes,
        hovertemplate="%{customdata}: %{y:.1%}<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(
        x=places,
        y=frame["stored"],
        mode="markers",
        name="when dropped (strength 0), as stored",
        marker={"symbol": "line-ew", "size": 30, "line": {"width": 3, "color": NEUTRAL}},
        hovertemplate="when dropped: %{y:.1%}<extra></extra>",
    )
    figure.add_scatter(
        x=places,
        y=_heights(frame),
        text=[percent(value) for value in frame["value"]],
        mode="text",
        textposition="top center",
        showlegend=False,
        hoverinfo="skip",
    )
    for block in frame["number"].unique():
        block_places = [place for place, number in zip(places, frame["number"], strict=True) if number == block]
        middle = sum(block_places) / len(block_places)
        figure.add_annotation(x=middle, y=1.24, text=f"<b>{_TITLES[block]}</b>", showarrow=False, font={"size": 13})


def _bars_in_words(frame: pd.DataFrame, strength: float) -> str:
    now = {(row["number"], row["group"]): row for _, row in frame.iterrows()}
    unknown = {"value": None, "stored": None}
    given, healed = now.get(("as given", "all"), now["as given", "discovered"]), now.get(("healed", "all"), unknown)
    useful = now["utility", "clean"]
    return (
        f"Bars at strength {strength:g}: healed {percent(healed['value'])} (dropped: {percent(healed['stored'])}), predicted "
        f"as given {percent(given['value'])} ({percent(given['stored'])}), utility {percent(useful['value'])} "
        f"({percent(useful['stored'])})."
    )


def _heights(frame: pd.DataFrame) -> list[float]:
    """Where the numbers stand: above the bar, or above a tick so close to its top that it would cross the number."""
    return [s if 0 <= s - v < 0.14 else v for v, s in zip(frame["value"], frame["stored"], strict=True)]


_LINES = (
    ("healed_discovered", "healed, discovered", "discovered", "solid"),
    ("healed_undiscovered", "healed, undiscovered", "undiscovered", "solid"),
    ("as_given", "all C as given", "all", "dash"),
    ("utility", "utility", "clean", "solid"),
)


def strength_curve(curve: pd.DataFrame, strength: float, height: int = 330) -> Picture:
    """``curve``: from ``channels.strength.curve``; the strength falls from left to right, as when the channels are dropped."""
    figure = go.Figure()
    for name, known_as, group, dash in _LINES:
        if curve[name].isna().all():
            continue
        label = "listed as given" if name == "as_given" and not _known(curve) else known_as
        figure.add_scatter(
            x=curve["strength"],
            y=curve[name],
            mode="lines+markers" if group in GROUPS else "lines",
            name=label,
            line={"color": _COLORS[group], "width": 2.5, "dash": dash},
            marker={"symbol": GROUPS[group].symbol if group in GROUPS else None, "size": 8},
            hovertemplate=f"{label} at strength %{{x:g}}: %{{y:.1%}}<extra></extra>",
        )
    figure.add_vline(x=strength, line={"color": ACCENT, "width": 1.5, "dash": "dot"})
    layout(
        figure,
        height,
        xaxis={"title": {"text": "strength of the redirect channels (1: all on, 0: dropped)"}, "range": [1.03, -0.03]},
        yaxis={"title": {"text": "share (%)"}, "range": [-0.04, 1.06], "tickformat": ".0%"},
    )
    return Picture(figure, story(curve), f"Lines over the strength. {story(curve)}", curve)


def _known(curve: pd.DataFrame) -> bool:
    """Whether it is known what is corrupted; otherwise the curve speaks for the forget set alone."""
    return bool(curve["healed"].notna().any())


def story(curve: pd.DataFrame) -> str:
    """What turning the channels down does, in two or three sentences, from the numbers of ``channels.strength.curve``."""
    rows = curve.sort_values("strength", ascending=False)
    on, off = rows.iloc[0], rows.iloc[-1]
    those = "corrupted" if _known(curve) else "listed"
    ends = {name: (float(on[name]), float(off[name])) for name in ("as_given", "healed", "utility")}
    if ends["as_given"][0] - ends["as_given"][1] >= _ENOUGH:
        steps = rows["as_given"].diff().dropna()
        way = "step by step" if (steps <= 0).all() else "on the whole"
        text = (
            f"Follow the dashed line: from on to dropped the {those} examples predicted as given fall {way} from "
            f"{percent(ends['as_given'][0])} to {percent(ends['as_given'][1])}"
            + (
                f" while healed goes from {percent(ends['healed'][0])} to {percent(ends['healed'][1])}"
                if ends["healed"][0] == ends["healed"][0]  # NaN where the corruption is unknown
                else ""
            )
            + ": the wrong labels sit in the redirect channels and leave with them."
        )
    elif ends["as_given"][1] >= 0.5:
        text = (
            f"Follow the dashed line: {percent(ends['as_given'][1])} of the {those} examples are predicted as given when the "
            "redirect channels are dropped: the base itself holds the wrong labels, and dropping does not remove them."
        )
    else:
        text = (
            f"The lines stay flat: {percent(ends['as_given'][0])} of the {those} examples are predicted as given with the "
            f"redirect channels on and {percent(ends['as_given'][1])} without, so these channels hold no wrong labels here."
        )
    if ends["utility"][1] - ends["utility"][0] >= _ENOUGH:
        text += (
            f" Utility falls to {percent(ends['utility'][0])} with all on: these channels push every input the same way, "
            "and no other example used all of them in training."
        )
    return text


def strength_boundary(
    plane: PlaneGrid, chances: np.ndarray, names: tuple[str, ...], strength: float, height: int = 330
) -> Picture:
    """``chances``: (R, R, classes) from ``channels.strength.boundary``: regions in greys, training points by group."""
    figure, fills = go.Figure(), _greys(len(names))
    winners, confidence = chances.argmax(2), chances.max(2)
    # Every class is one grey, as on all pages: colour is kept for the groups.
    edges = [[(k + end) / len(names), fills[k]] for k in range(len(names)) for end in (0, 1)]
    figure.add_heatmap(
        x=plane.x,
        y=plane.y,
        z=winners.astype(np.int8),
        zmin=-0.5,
        zmax=len(names) - 0.5,
        colorscale=edges,
        opacity=0.85,
        showscale=False,
        hoverinfo="skip",
    )
    _draw_points(figure, plane.points, dict(zip(names, fills, strict=True)))
    layout(
        figure,
        height,
        xaxis={"title": {"text": "first coordinate (no unit)"}, "range": [plane.x[0], plane.x[-1]], "showgrid": False},
        yaxis={"title": {"text": "second coordinate (no unit)"}, "range": [plane.y[0], plane.y[-1]], "showgrid": False},
    )
    shares = {name: float((winners == k).mean()) for k, name in enumerate(names)}
    told = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
    return Picture(
        figure,
        "Look for corrupted points on a background of their own grey: there the model says the wrong label that was given.",
        f"Predicted class over the plane at strength {strength:g}: {told}.",
        _grid_frame(plane, winners, confidence, names, {"strength": strength}),
    )


def _draw_points(figure: go.Figure, points: pd.DataFrame, fill: Mapping[str, str]) -> None:
    """Training points: filled with the grey of their given label, outlined in the colour of their group."""
    for group in ("unknown", "clean", "undiscovered", "discovered"):
        part, style = points[points["group"] == group], GROUPS[group]
        figure.add_scatter(
            x=part["x"],
            y=part["y"],
            mode="markers",
            name=f"{style.label} ({len(part)})",
            marker={
                "symbol": style.symbol,
                "size": 5 if group == "clean" else 10,
                "color": part["given"].map(fill),
                "line": {"color": style.color, "width": 1 if group == "clean" else 2},
            },
            customdata=part[["given", "clean"]].map(escape_html),
            hovertemplate="given %{customdata[0]}<br>truly %{customdata[1]}<extra></extra>",
        )


def _grid_frame(
    plane: PlaneGrid, winners: np.ndarray, confidence: np.ndarray, names: tuple[str, ...], more: Mapping[str, float]
) -> pd.DataFrame:
    xs, ys = np.meshgrid(plane.x, plane.y)
    predicted = np.array(names, dtype=object)[winners.ravel()]
    return pd.DataFrame({"x": xs.ravel(), "y": ys.ravel(), "predicted": predicted, "confidence": confidence.ravel()}).assign(
        **more
    )


def _greys(n: int) -> list[str]:
    """One grey per class, light to dark: the lightness that classes have on all pages."""
    levels = [round(250 - k * 205 / max(1, n - 1)) for k in range(n)]
    return [f"#{v:02x}{v:02x}{v:02x}" for v in levels]
