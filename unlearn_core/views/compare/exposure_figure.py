"""Histograms of how sure models are of the labels of F, beside those of images that they never saw."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.views.compare.exposure import Exposure
from unlearn_core.views.palette import GROUPS, NEUTRAL
from unlearn_core.views.picture import Picture, escape_html, layout, percent

BINS = 40


def exposure_histograms(found: Exposure, labels: Mapping[str, str], threshold: float, judged: str) -> Picture:
    """One row a model, F over unseen images, all on one axis. ``labels``: model → what it is called; ``judged``: the model that
    the caption is about; ``threshold``: a score (log-odds, no unit), drawn through all rows."""
    models = list(found.known)
    edges = _edges(found)
    middles, width = (edges[1:] + edges[:-1]) / 2, float(edges[1] - edges[0])
    titles = [escape_html(labels[model]) for model in models]
    figure = make_subplots(rows=len(models), shared_xaxes=True, vertical_spacing=0.12, subplot_titles=titles)
    figure.update_annotations(x=0, xanchor="left", font_size=14)
    frames = []
    for row, model in enumerate(models, 1):
        parts = (
            ("unseen test images", found.unseen[model], NEUTRAL),
            ("forget set", found.known[model], GROUPS["discovered"].color),
        )
        for words, scores, colour in parts:
            shares = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0] / len(scores)
            figure.add_trace(
                go.Bar(
                    x=middles, y=shares, width=width, name=words, legendgroup=words, showlegend=row == 1, opacity=0.6,
                    marker={"color": colour, "line": {"width": 0}},
                    hovertemplate=f"{escape_html(labels[model])}, {words}<br>log-odds %{{x:.1f}}: %{{y:.1%}}<extra></extra>",
                ),
                row=row, col=1,
            )  # fmt: skip
            frames.append(pd.DataFrame({"model": labels[model], "of": words, "log-odds": middles, "share": shares}))
        line = {"dash": "dash", "width": 1.5, "color": NEUTRAL}
        figure.add_vline(x=float(np.clip(threshold, edges[0], edges[-1])), line=line, row=row, col=1)
        figure.update_yaxes(tickformat=".0%", nticks=4, row=row, col=1)
    layout(figure, 90 + 150 * len(models))
    figure.update_layout(legend_y=1.07, margin_t=54, barmode="overlay", bargap=0)
    figure.update_xaxes(
        title_text="log-odds of the label:<br>the further right, the surer the model is of it", row=len(models), col=1
    )
    caption = _caption(found, labels, threshold, judged)
    return Picture(figure, caption, f"Histograms for {len(models)} models. {caption}", pd.concat(frames, ignore_index=True))


def _edges(found: Exposure) -> np.ndarray:
    """Common bins (BINS + 1,); the outermost hundredth on each side goes into the last bins."""
    scores = np.concatenate([*found.known.values(), *found.unseen.values()])
    low, high = np.quantile(scores[np.isfinite(scores)], (0.01, 0.99))
    return np.linspace(low, max(high, low + 1), BINS + 1)


def _caption(found: Exposure, labels: Mapping[str, str], threshold: float, judged: str) -> str:
    ours, others = found.recognised(judged, threshold)
    before, _ = found.recognised("original", threshold)
    words = (
        f"Right of the line, {percent(ours)} of the forget set’s labels are recognised in {labels[judged]} ({percent(before)} "
        f"in the original), at the price of {percent(others)} false alarms among images that it never saw."
    )
    if "retrain" in found.known and judged != "retrain":
        words += f" Retraining without F: {percent(found.recognised('retrain', threshold)[0])}."
    return words
