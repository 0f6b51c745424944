"""Two confusion matrices side by side, before and after, whose cells can be clicked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.views.compare.confusion import SPLITS, Confusion
from unlearn_core.views.picture import Picture, escape_html, layout

NUMBERED = 12
"""With more classes the cells are too small for a number; it is told when pointed at."""
_RIGHT = [[0, "#D9E6EF"], [1, "#164472"]]
_WRONG = [[0, "#F6E3D3"], [1, "#B34700"]]


def confusion_matrices(found: Confusion, method: str) -> Picture:
    """``method``: its label. Rows are right classes, columns predicted ones; how dark a cell is says its share of the row: blue
    on the diagonal, orange beside it. The custom data of a cell is right · K + predicted, plus K² in the healed model's."""
    classes, names = len(found.names), [escape_html(name) for name in found.names]
    figure = make_subplots(cols=2, subplot_titles=("Original", escape_html(method)), horizontal_spacing=0.09, shared_yaxes=True)
    for side, said in enumerate((found.before, found.after)):
        counts = found.counts(said)
        share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        for part in _cells(share, counts, names, side * classes**2):
            figure.add_trace(part, row=1, col=side + 1)
    layout(figure, 150 + max(26, min(38, 520 // classes)) * classes, legend=False)
    ticks = {"tickvals": list(range(classes)), "ticktext": names, "showgrid": False}
    figure.update_xaxes(title_text="predicted class (rows: the right one)", range=[-0.5, classes - 0.5], **ticks)
    figure.update_yaxes(range=[classes - 0.5, -0.5], **ticks)
    figure.update_layout(margin_t=34)
    caption = _caption(found, method)
    return Picture(figure, caption, f"Two tables of {classes} by {classes} classes. {caption}", _frame(found))


def _cells(share: np.ndarray, counts: np.ndarray, names: list[str], first: int) -> list[go.Heatmap | go.Scatter]:
    classes = len(names)
    right = np.eye(classes, dtype=bool)
    empty = counts == 0
    layers: list[go.Heatmap | go.Scatter] = [
        # The root: a few confusions are what one looks for, and would be as pale as none.
        go.Heatmap(
            z=np.where(mask & ~empty, np.sqrt(share), np.nan), zmin=0, zmax=1, colorscale=scale, showscale=False, xgap=2,
            ygap=2, hoverinfo="skip",
        )
        for mask, scale in ((right, _RIGHT), (~right, _WRONG))
    ]  # fmt: skip
    rows, columns = (part.ravel() for part in np.indices(counts.shape))
    hidden = {"marker": {"opacity": 0}}
    layers.append(
        go.Scatter(
            x=columns, y=rows, mode="markers", marker={"symbol": "square", "size": 24, "opacity": 0}, selected=hidden,
            unselected=hidden, customdata=[[first + r * classes + p] for r, p in zip(rows, columns, strict=True)],
            hovertext=[
                f"right {names[r]}, predicted {names[p]}<br>{counts[r, p]} of {counts[r].sum()}"
                for r, p in zip(rows, columns, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )  # fmt: skip
    return layers + (_numbers(share, counts) if classes <= NUMBERED else [])


def _numbers(share: np.ndarray, counts: np.ndarray) -> list[go.Scatter]:
    """The counts in two colours, each of which stays what it is when a cell is clicked."""
    dark, there = np.sqrt(share) >= 0.6, counts > 0
    layers = []
    for chosen, colour in ((there & dark, "#FFFFFF"), (there & ~dark, "#14181F")):
        rows, columns = np.nonzero(chosen)
        layers.append(
            go.Scatter(
                x=columns, y=rows, mode="text", text=[str(count) for count in counts[chosen]], hoverinfo="skip",
                textfont={"color": colour, "size": 13}, selected={"textfont": {"color": colour}},
                unselected={"textfont": {"color": colour}},
            )
        )  # fmt: skip
    return layers


def _caption(found: Confusion, method: str) -> str:
    wrong_before, wrong_after = (int((said != found.right).sum()) for said in (found.before, found.after))
    news = (found.before == found.right) & (found.after != found.right)
    words = (
        f"Click a cell for its images. Of {len(found.right):,} examples ({SPLITS[found.split]}) the original takes "
        f"{wrong_before:,} for another class, {method} {wrong_after:,}"
    )
    if not news.any():
        return f"{words}, none that the original had right."
    pairs = np.bincount(found.right[news] * len(found.names) + found.after[news])
    right, said = divmod(int(pairs.argmax()), len(found.names))
    return (
        f"{words}, of which the original had {int(news.sum()):,} right: most often {found.names[right]} is now taken for "
        f"{found.names[said]} ({pairs.max()})."
    )


def _frame(found: Confusion) -> pd.DataFrame:
    """One row for each pair of classes that either model has: right, predicted, original, healed (numbers of examples)."""
    before, after = found.counts(found.before), found.counts(found.after)
    rows, columns = np.nonzero(before + after)
    names = np.array(found.names, dtype=object)
    return pd.DataFrame(
        {
            "right": names[rows],
            "predicted": names[columns],
            "original": before[rows, columns],
            "healed model": after[rows, columns],
        }
    )
