"""Pictures of the user's own data before anything runs."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.palette import ACCENT, NEUTRAL
from unlearn_core.views.picture import Picture, escape_html, layout

MOST = 40
"""Classes that can be told apart in one row of bars."""


def class_counts(classes: pd.DataFrame, height: int = 250) -> Picture:
    """Images per class. ``classes``: columns class, train, test, as of ``own_data.data.Reading``; with more than
    :data:`MOST` classes the largest and the smallest are drawn, and the data hold them all."""
    ordered = classes.sort_values("train", ascending=False, kind="stable")
    many = len(ordered) > MOST
    drawn = pd.concat([ordered.head(MOST // 2), ordered.tail(MOST // 2)]) if many else classes
    names = [escape_html(name if len(name) <= 14 else name[:13] + "…") for name in drawn["class"]]
    places = list(range(len(drawn)))
    figure = go.Figure()
    for column, word, color, pattern in (("train", "training", ACCENT, ""), ("test", "test", NEUTRAL, "/")):
        figure.add_bar(
            x=places,
            y=drawn[column],
            name=f"{word} images ({int(classes[column].sum()):,})",
            marker={"color": color, "cornerradius": 2, "pattern": {"shape": pattern}},
            customdata=[escape_html(name) for name in drawn["class"]],
            hovertemplate=f"%{{customdata}}: %{{y:,}} {word} images<extra></extra>",
        )
    layout(
        figure,
        height,
        xaxis={"title": {"text": "class"}, "tickvals": places, "ticktext": names, "showgrid": False},
        yaxis={"title": {"text": "images"}, "rangemode": "tozero"},
    )
    figure.update_layout(barmode="group", bargap=0.25)
    largest, smallest = ordered.iloc[0], ordered.iloc[-1]
    which = f" The {MOST // 2} largest and the {MOST // 2} smallest of {len(classes):,} classes are drawn." if many else ""
    return Picture(
        figure,
        f"Look for bars that are much shorter than the others: their classes are learnt and measured badly.{which}",
        f"Bars of images per class, {len(classes)} classes, from {largest['class']} with {largest['train']:,} training images "
        f"to {smallest['class']} with {smallest['train']:,}.",
        classes,
    )
