"""Which parameters a method changed against the original: by layer, and the output channels that moved most."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.palette import ACCENT, NEUTRAL
from unlearn_core.views.picture import Picture, layout, percent, reference_line

_ROOM = 1.35
"""How far the axis goes over the longest bar: words stand beside bars that are too short for them."""
UNRELATED = 2**0.5
"""‖a − b‖ / ‖b‖ of two independent vectors of the same length, in many dimensions."""


def changed_layers(layers: pd.DataFrame, anew: bool) -> Picture:
    """``layers``: from ``channels.changes``; ``anew``: whether the method trained a model of its own from scratch."""
    names = [f"{row['layer']} ({row['what']})" for _, row in layers.iterrows()]
    figure = go.Figure()
    figure.add_bar(
        x=layers["relative"],
        y=names,
        orientation="h",
        marker={"color": ACCENT, "cornerradius": 3},
        text=[f"{value:.3g} · {percent(share)} of {count:,}" for value, share, count in
              zip(layers["relative"], layers["changed"], layers["parameters"], strict=True)],
        textposition="auto",
        hovertemplate="%{y}: relative change %{x:.3g}<extra></extra>",
    )  # fmt: skip
    if layers["relative"].max() > 0.9:
        reference_line(figure, UNRELATED, "unrelated weights")
    layout(
        figure,
        110 + 32 * len(layers),
        legend=False,
        xaxis={
            "title": {"text": "relative change<br>‖θ − θ₀‖ / ‖θ₀‖ (no unit)"},
            "range": [0, _ROOM * layers["relative"].max()],
        },
        yaxis={"autorange": "reversed", "showgrid": False, "title": {"text": "layer", "standoff": 18}},
    )
    figure.update_layout(margin={"t": 26})
    most = layers.iloc[int(layers["relative"].to_numpy().argmax())]
    share = float((layers["changed"] * layers["parameters"]).sum() / layers["parameters"].sum())
    caption = (
        f"Look for the layer that moved most: {most['layer']}, by {most['relative']:.2g} of its length; "
        f"{percent(share)} of all parameters differ from the original (each bar says how many of its own)."
    )
    if anew:
        caption += " This method trained a model anew, so its weights have nothing to do with the original's."
    return Picture(figure, caption, f"Bars of the relative change of {len(layers)} layers. {caption}", layers)


def changed_channels(top: pd.DataFrame, of: int) -> Picture:
    """``top``: from ``channels.changes.most_changed``; ``of``: how many output channels there are."""
    figure = go.Figure()
    figure.add_bar(
        x=top["relative"],
        y=top["name"],
        orientation="h",
        marker={"color": NEUTRAL, "cornerradius": 3},
        hovertemplate="%{y}: relative change %{x:.3g}<extra></extra>",
    )
    layout(
        figure,
        110 + 20 * len(top),
        legend=False,
        xaxis={"title": {"text": "relative change of the channel’s weights and bias (no unit)"}, "rangemode": "tozero"},
        yaxis={
            "autorange": "reversed",
            "showgrid": False,
            "type": "category",
            "title": {"text": "layer · output channel", "standoff": 18},
        },
    )
    first, last = top.iloc[0], top.iloc[-1]
    return Picture(
        figure,
        "Look for a steep start: a method that aims at few neurons changes a few channels far more than the rest; "
        + (
            f"here the first moved {first['relative'] / last['relative']:.1f} times as far as number {len(top)}."
            if last["relative"]
            else f"here fewer than {len(top)} channels moved at all."
        ),
        f"The {len(top)} output channels of {of} that changed most, led by {first['name']} with {first['relative']:.3g}.",
        top,
    )
