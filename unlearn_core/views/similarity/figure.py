"""How alike two models are, layer by layer, for F, the undiscovered and the retain set."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.views.palette import ACCENT, GROUPS
from unlearn_core.views.picture import Picture, layout
from unlearn_core.views.similarity.data import FEWEST, PARTS, most_apart

_STYLES = {
    "forget": ("forget set", GROUPS["discovered"].color, GROUPS["discovered"].symbol, "solid"),
    "undiscovered": ("undiscovered", GROUPS["undiscovered"].color, GROUPS["undiscovered"].symbol, "dash"),
    "retain": ("retain set", GROUPS["unknown"].color, GROUPS["unknown"].symbol, "dot"),
}
_CONTRAST = 0.02
"""A smaller difference of two similarities is not pointed out."""


def layer_similarity(frame: pd.DataFrame, method: str) -> Picture:
    """``frame``: from ``similarity.data.read_similarity``; ``method``: its label."""
    figure = go.Figure()
    shown = [part for part in PARTS if part in set(frame["part"])]
    for part in shown:
        rows = frame[frame["part"] == part]
        words, colour, symbol, dash = _STYLES[part]
        figure.add_scatter(
            x=rows["layer"], y=rows["cka"], mode="lines+markers", name=f"{words} ({int(rows['examples'].iloc[0]):,})",
            line={"color": colour, "dash": dash, "width": 2.5}, marker={"symbol": symbol, "size": 10},
            hovertemplate=f"{words}, %{{x}}<br>CKA %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    apart = most_apart(frame)
    if apart is not None and apart[2] - apart[1] >= _CONTRAST:
        figure.add_vline(x=apart[0], line={"color": ACCENT, "width": 1.5, "dash": "dash"})
    layout(figure, 380)
    lowest = min(0.0, float(frame["cka"].min())) if frame["cka"].notna().any() else 0.0
    figure.update_xaxes(title_text="layer, from the input on", type="category")
    figure.update_yaxes(title={"text": "linear CKA with the original (no unit)", "standoff": 18}, range=[lowest - 0.03, 1.04])
    caption = _caption(frame, shown, method)
    return Picture(figure, caption, f"Lines over {frame['layer'].nunique()} layers. {caption}", frame)


def _caption(frame: pd.DataFrame, shown: list[str], method: str) -> str:
    how = "1: as in the original, up to a rotation; unbiased estimate, numbers of examples in brackets."
    if "forget" not in shown:
        return f"The forget set has fewer than {FEWEST} examples, so only the others are compared. {how}"
    apart = most_apart(frame)
    if apart is None or apart[2] - apart[1] < _CONTRAST:
        return (
            f"Look for lines that part: here {method} left no layer clearly less alike for the forget set than for the retain "
            f"set. What moves a whole group the same way does not show, because CKA takes away each group’s mean. {how}"
        )
    layer, ours, others = apart
    words = f"the {layer}" if layer == "logits" else layer
    return (
        f"Look for where the lines part: {method} changed {words} most for the forget set against the retain set "
        f"(CKA {ours:.2f} against {others:.2f}). {how}"
    )
