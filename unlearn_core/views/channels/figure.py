"""Base and redirect channels side by side: what they do for each group, which of them tell corrupted from clean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.views.palette import GROUPS, NEUTRAL
from unlearn_core.views.picture import Picture, layout

if TYPE_CHECKING:
    from unlearn_core.views.channels.data import PlaneGrid

KINDS = {"base": NEUTRAL, "redirect": GROUPS["redirect"].color}
_ROWS = ("discovered", "undiscovered", "clean", "unknown")
_HOW = "Redirect channels are measured with all of them on, base channels with all of them off."
EFFECT = (
    "Rank-biserial correlation: the chance that a corrupted example activates the channel more than a clean one, minus the "
    "chance of less; 0 tells nothing, ±1 everything, and equals are ordered by Cohen’s d."
)
_LIGHT = ("#E8EDF2", "#164472")
_DIVERGING = [[0, "#0072B2"], [0.5, "#E8EAED"], [1, "#D55E00"]]


def channel_ranking(channels: pd.DataFrame, limit: int = 14) -> Picture:
    """The channels with the largest effect over all layers. ``channels``: ``channels.data.ranked`` (best first)."""
    top = channels.head(limit)
    names = [f"L{row['layer']} · {row['name']}" for _, row in top.iterrows()]
    figure = go.Figure()
    _draw_effects(figure, top, names)
    layout(
        figure,
        110 + 21 * len(top),
        xaxis={
            "title": {"text": "effect size: rank-biserial correlation (−1 to 1)"},
            "range": [-1.05, 1.05],
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "showgrid": False,
            "title": {"text": "layer · channel", "standoff": 18},
        },
    )
    best = top.iloc[0]
    redirects = int((top["kind"] == "redirect").sum())
    return Picture(
        figure,
        f"Look for markers of both groups at the end of a bar: such a channel tells corrupted from clean, found or not; "
        f"{redirects} of these {len(top)} are redirect channels. {EFFECT}",
        f"Ranking of {len(top)} channels by effect size, led by {names[0]} with {best['effect']:.2f}.",
        channels,
    )


def _draw_effects(figure: go.Figure, top: pd.DataFrame, names: list[str]) -> None:
    """A bar for each channel by its kind, and a marker for each group of corrupted examples alone."""
    for kind, color in KINDS.items():
        ours = [bool(value) for value in top["kind"] == kind]
        figure.add_bar(
            y=[name for name, mine in zip(names, ours, strict=True) if mine],
            x=top.loc[top["kind"] == kind, "effect"],
            orientation="h",
            name=f"{kind} channel",
            marker={"color": color, "cornerradius": 3},
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
        )
    for group in ("discovered", "undiscovered"):
        style, effect = GROUPS[group], top[f"effect_{group}"]
        if effect.notna().any():
            figure.add_scatter(
                x=effect,
                y=names,
                mode="markers",
                name=f"{style.label} alone",
                marker={"symbol": style.symbol, "color": style.color, "size": 9, "line": {"color": "#FFFFFF", "width": 1}},
                hovertemplate=f"%{{y}}, {style.label} against clean: %{{x:.2f}}<extra></extra>",
            )


def channel_heatmap(channels: pd.DataFrame, layer: int) -> Picture:
    """One layer, channel × group: mean activation, share of examples active, effect. ``channels``: ``Opened.channels``."""
    rows = channels[channels["layer"] == layer]
    rows = pd.concat([part.sort_values("effect", kind="stable") for _, part in rows.groupby("kind", sort=False)])
    present = tuple(group for group in _ROWS if rows[f"mean_{group}"].notna().any())
    blocks = _blocks(present)
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, row_heights=[3, 3, 2], vertical_spacing=0.09, subplot_titles=[b[0] for b in blocks]
    )
    for k, (title, groups, column, scale) in enumerate(blocks, start=1):
        figure.add_trace(
            go.Heatmap(
                x=rows["name"],
                y=[f"{GROUPS[group].sign} {group}" for group in groups],
                z=rows[[f"{column}_{group}" for group in groups]].to_numpy(float).T,
                colorbar={"len": (0.32, 0.32, 0.22)[k - 1], "y": (0.86, 0.49, 0.11)[k - 1], "thickness": 10, "nticks": 4},
                hovertemplate=f"%{{x}}, %{{y}}<br>{title} %{{z:.3f}}<extra></extra>",
                ygap=2,
                **scale,
            ),
            row=k,
            col=1,
        )
    _lay_out_halves(figure, layer, int((rows["kind"] == "base").sum()), len(rows))
    return Picture(
        figure,
        f"Compare the rows of a column: channels at the ends of each half behave differently for corrupted examples; the line "
        f"divides base from redirect channels. {_HOW}",
        f"Heatmap of {len(rows)} channels of layer {layer} for discovered, undiscovered and clean examples.",
        rows,
    )


_Block = tuple[str, tuple[str, ...], str, dict[str, Any]]
"""Title, groups, prefix of the columns, colours."""


def _blocks(present: tuple[str, ...]) -> tuple[_Block, ...]:
    """The three heatmaps of a layer for the groups that there are."""
    accused = tuple(group for group in present if group in ("discovered", "undiscovered"))
    return (
        ("mean activation", present, "mean", {"colorscale": [[0, _LIGHT[0]], [1, _LIGHT[1]]]}),
        ("share of examples active", present, "active", {"colorscale": [[0, _LIGHT[0]], [1, _LIGHT[1]]], "zmin": 0, "zmax": 1}),
        (
            f"effect against {'the others' if 'unknown' in present else 'clean'}",
            accused,
            "effect",
            {"colorscale": _DIVERGING, "zmin": -1, "zmax": 1},
        ),
    )


def _lay_out_halves(figure: go.Figure, layer: int, base: int, count: int) -> None:
    """Axes, a line between base and redirect channels, and their numbers below."""
    layout(figure, 400, legend=False)
    figure.update_xaxes(showgrid=False, showticklabels=False, type="category")
    figure.update_yaxes(showgrid=False, autorange="reversed")
    figure.add_vline(x=base - 0.5, line={"color": KINDS["redirect"], "width": 3})
    figure.update_annotations(font={"size": 13, "color": NEUTRAL}, x=0, xanchor="left")
    figure.update_xaxes(
        title={"text": f"channels of layer {layer}: {base} base | {count - base} redirect,<br>each sorted by effect"},
        row=3,
        col=1,
    )
    figure.update_layout(margin={"t": 26})


def distribution(values: pd.DataFrame, name: str, unit: str, height: int = 300) -> Picture:
    """How one channel's activation is spread in each group. ``values``: from ``channels.data.values``."""
    edges = np.linspace(values["activation"].min(), values["activation"].max() + 1e-9, 23)
    centres = (edges[1:] + edges[:-1]) / 2
    figure, frames = go.Figure(), []
    for group in ("unknown", "clean", "undiscovered", "discovered"):
        ours, style = values.loc[values["group"] == group, "activation"], GROUPS[group]
        if ours.empty:
            continue
        shares = np.histogram(ours, edges)[0] / len(ours)
        frames.append(pd.DataFrame({"group": group, "activation": centres, "share": shares, "n": len(ours)}))
        figure.add_scatter(
            x=centres,
            y=shares,
            mode="lines+markers",
            name=f"{style.label} ({len(ours):,})",
            line={"color": style.color, "width": 2, "shape": "hvh"},
            marker={"symbol": style.symbol, "size": [7 if share else 0 for share in shares]},
            fill="tozeroy" if group == "clean" else None,
            fillcolor="rgba(0,158,115,0.15)",
            hovertemplate=f"{style.label}: %{{y:.1%}} at %{{x:.3g}}<extra></extra>",
        )
    layout(
        figure,
        height,
        xaxis={"title": {"text": f"activation of {name} ({unit})"}},
        yaxis={"title": {"text": "share of the group (%)"}, "tickformat": ".0%", "rangemode": "tozero"},
    )
    means = values.groupby("group")["activation"].mean()
    told = ", ".join(f"{group} {means[group]:.3g}" for group in _ROWS if group in means)
    return Picture(
        figure,
        f"Look for corrupted examples apart from the clean ones; mean activations: {told}.",
        f"Distribution of the activation of {name} in each group; means: {told}.",
        pd.concat(frames, ignore_index=True),
    )


def neuron_maps(plane: PlaneGrid, maps: np.ndarray, channels: pd.DataFrame, limit: int = 24) -> Picture:
    """Small maps, one per channel, of what it does over the plane. ``maps``: (channels of the layer, R, R);
    ``channels``: the rows of that layer, best first; the first half of ``limit`` of each kind are drawn."""
    shown = pd.concat([channels[channels["kind"] == kind].head(limit // 2) for kind in ("redirect", "base")])
    across = 6
    down = -(-len(shown) // across)
    titles = [f"{row['name']} · {row['effect']:+.2f}" for _, row in shown.iterrows()]
    figure = make_subplots(down, across, subplot_titles=titles, horizontal_spacing=0.012, vertical_spacing=0.28 / down)
    for k, (_, row) in enumerate(shown.iterrows()):
        add_map(figure, plane, maps[row["channel"]], str(row["kind"]), small=True, row=k // across + 1, col=k % across + 1)
    layout(figure, 70 + 150 * down, legend=False)
    figure.update_xaxes(showticklabels=False, showgrid=False, range=[plane.x[0], plane.x[-1]])
    figure.update_yaxes(showticklabels=False, showgrid=False, range=[plane.y[0], plane.y[-1]])
    figure.update_xaxes(title={"text": "first coordinate", "font": {"size": 11}}, row=down)
    figure.update_yaxes(title={"text": "second coordinate", "font": {"size": 11}}, col=1)
    figure.update_annotations(font={"size": 12, "color": NEUTRAL})
    figure.update_layout(margin={"t": 28})
    layer = shown["layer"].iloc[0]
    return Picture(
        figure,
        "Look for channels that are bright just where the corrupted points lie (markers): each map has its own scale from the "
        f"lowest activation (pale) to the highest, pink maps are redirect channels, and numbers are effect sizes. {_HOW}",
        f"Maps of {len(shown)} channels of layer {layer} over the plane: redirect, then base channels, strongest effect first.",
        shown,
    )


def neuron_map(plane: PlaneGrid, values: np.ndarray, name: str, kind: str, top: pd.DataFrame, height: int = 380) -> Picture:
    """One channel over the plane, the points that activate it most ringed. ``top``: rows with index into the points."""
    figure = go.Figure()
    add_map(figure, plane, values, kind, small=False)
    points = plane.points.iloc[top["index"].to_numpy()]
    figure.add_scatter(
        x=points["x"],
        y=points["y"],
        mode="markers",
        name=f"the {len(top)} most activating",
        marker={"symbol": "circle-open", "size": 17, "line": {"color": NEUTRAL, "width": 2}},
        hoverinfo="skip",
    )
    layout(
        figure,
        height,
        xaxis={"title": {"text": "first coordinate (no unit)"}, "showgrid": False, "range": [plane.x[0], plane.x[-1]]},
        yaxis={"title": {"text": "second coordinate (no unit)"}, "showgrid": False, "range": [plane.y[0], plane.y[-1]]},
    )
    xs, ys = np.meshgrid(plane.x, plane.y)
    return Picture(
        figure,
        f"Look at what lies where {name} is most active: rings mark the {len(top)} training points that activate it most.",
        f"Activation of {name} over the plane, from {values.min():.3g} to {values.max():.3g}.",
        pd.DataFrame({"x": xs.ravel(), "y": ys.ravel(), "activation": values.ravel()}),
    )


def add_map(figure: go.Figure, plane: PlaneGrid, values: np.ndarray, kind: str, small: bool, **where: int) -> None:
    """The activation of one channel as a heatmap, with the corrupted points over it."""
    strong = "#8C3B68" if kind == "redirect" else _LIGHT[1]
    figure.add_trace(
        go.Heatmap(
            x=plane.x,
            y=plane.y,
            z=values.astype(np.float32),
            colorscale=[[0, "#F3E9EF" if kind == "redirect" else _LIGHT[0]], [1, strong]],
            showscale=not small,
            colorbar={"title": {"text": "activation", "font": {"size": 13}, "side": "right"}, "thickness": 10},
            hovertemplate="activation %{z:.3f}<extra></extra>",
        ),
        **where,
    )
    for group in ("undiscovered", "discovered"):
        part, style = plane.points[plane.points["group"] == group], GROUPS[group]
        figure.add_trace(
            go.Scatter(
                x=part["x"],
                y=part["y"],
                mode="markers",
                name=f"{style.label} ({len(part)})",
                marker={"symbol": style.symbol, "size": 4 if small else 9, "color": style.color},
                hoverinfo="skip",
            ),
            **where,
        )
