"""A picture in a single file: what a second of computing buys."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.added import ComparisonPicture, register
from unlearn_core.views.picture import Picture, layout


@register
class HealedPerSecond(ComparisonPicture):
    name, label = "healed_per_second", "Healed per second"
    summary = "The healed share that each method buys with a second of computing."

    @classmethod
    def draw(cls, frame: pd.DataFrame) -> Picture | None:
        shown = frame[(frame["seconds"] > 0) & frame["healed"].notna()]
        if shown.empty:
            return None
        rate = shown["healed"] / shown["seconds"]
        figure = layout(
            go.Figure(go.Bar(x=shown["label"], y=rate)),
            300,
            legend=False,
            yaxis={"title": {"text": "healed share per second"}},
        )
        return Picture(
            figure,
            "Look for the method that heals much for its seconds.",
            "Bars of healed share per second, one for each method.",
            pd.DataFrame({"method": shown["label"], "healed_per_second": rate}),
        )
