"""One image under what each model's belief in its given label hangs on, on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.views.craft.data import Box
from unlearn_core.views.occlusion.data import Occlusion, place_words
from unlearn_core.views.picture import Picture, escape_html, layout

FLAT = 0.05
"""A probability that falls by less, wherever the patch is, hangs on no part of the image."""
LEAST = 0.1
"""The scale reaches at least so far, so that nothing does not look like something."""
_Frame = tuple[float, float, float, float, dict[str, object]]
"""Left, top, width and height in pixels, and the line."""
_FALLS = [[0, "rgba(0,114,178,.9)"], [0.5, "rgba(128,128,128,0)"], [1, "rgba(213,94,0,.9)"]]
_PEAK: tuple[dict[str, object], ...] = ({"color": "#000000", "width": 6}, {"color": "#FFFFFF", "width": 3})
_TRIGGER: dict[str, object] = {"color": "#E8A33D", "width": 2, "dash": "dot"}


def occlusion_maps(found: Mapping[str, Occlusion], image: np.ndarray, given: str, box: Box | None = None) -> Picture:
    """``found``: by the words for each model; ``image``: uint8 (H, W) or (H, W, 3), as given; ``given``: its label; ``box``:
    where a trigger is known to be. Orange: covering this costs the label probability; blue: it gains."""
    height, width = image.shape[:2]
    titles = [f"{escape_html(model)}: p = {one.base:.2f}" for model, one in found.items()]
    figure = make_subplots(cols=len(found), subplot_titles=titles, horizontal_spacing=0.08)
    figure.update_annotations(font_size=14)
    largest = max(float(np.abs(one.fall).max()) for one in found.values())
    limit = max(LEAST, math.ceil(10 * largest) / 10)
    picture = image if image.ndim == 3 else np.repeat(image[..., None], 3, 2)
    for column, one in enumerate(found.values(), 1):
        figure.add_trace(go.Image(z=picture, hoverinfo="skip"), row=1, col=column)
        figure.add_trace(_overlay(one, height, width, limit, column == len(found)), row=1, col=column)
        for x, y, across, down, line in _frames(one, height, width, box):
            corners = {"x0": x - 0.5, "y0": y - 0.5, "x1": x + across - 0.5, "y1": y + down - 0.5}
            figure.add_shape(type="rect", **corners, line=line, row=1, col=column)
    layout(figure, 460, legend=False)
    for column in range(1, len(found) + 1):
        x, y = figure.get_subplot(1, column)
        x.update(title_text="column (pixels)", range=[-0.5, width - 0.5], showgrid=False, constrain="domain", nticks=6)
        anchor = "x" if column == 1 else f"x{column}"
        y.update(range=[height - 0.5, -0.5], scaleanchor=anchor, showgrid=False, constrain="domain", nticks=6)
        y.update(constraintoward="top")
    figure.update_yaxes(title_text="row (pixels)", row=1, col=1)
    figure.update_layout(margin_t=40)
    caption = " ".join(_sentence(model, one, given, (height, width), box) for model, one in found.items())
    return Picture(figure, f"{_key(found, box)} {caption}", f"The image under {len(found)} maps. {caption}", _frame(found))


def _frames(one: Occlusion, height: int, width: int, box: Box | None) -> list[_Frame]:
    """What is framed: the peak in white within black, so that it is seen on every image, and the trigger dotted."""
    row, column, fall = one.peak
    frames: list[_Frame] = []
    if fall >= FLAT:
        frames += [(column, row, one.side, one.side, line) for line in _PEAK]
    if box is not None:
        frames.append((box.left * width, box.top * height, box.width * width, box.height * height, _TRIGGER))
    return frames


def _overlay(one: Occlusion, height: int, width: int, limit: float, scaled: bool) -> go.Heatmap:
    words = [
        [
            f"rows {row} to {row + one.side - 1}, columns {column} to {column + one.side - 1} covered"
            f"<br>p = {one.covered[r, c]:.3f}, falls by {one.fall[r, c]:.3f}"
            for c, column in enumerate(one.columns)
        ]
        for r, row in enumerate(one.rows)
    ]
    scale = {
        "title": {"text": "fall of the probability p", "side": "top"}, "tickformat": ".2~f", "thickness": 12, "len": 0.6,
        "orientation": "h", "x": 0.5, "y": -0.2, "yanchor": "top",
    }  # fmt: skip
    return go.Heatmap(
        z=one.fall, x=_edges(one.columns, one.side, width), y=_edges(one.rows, one.side, height), zmin=-limit, zmax=limit,
        colorscale=_FALLS, showscale=scaled, colorbar=scale, text=words, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _edges(begins: np.ndarray, side: int, length: int) -> np.ndarray:
    """Where one place's cell ends and the next begins, in pixels: halfway between the middles of their patches; the outermost
    cells reach the image's edge."""
    middles = begins + (side - 1) / 2
    return np.array([-0.5, *((middles[1:] + middles[:-1]) / 2), length - 0.5])


def _key(found: Mapping[str, Occlusion], box: Box | None) -> str:
    side = next(iter(found.values())).side
    words = f"Look for what turns orange: there a grey patch of {side} × {side} pixels costs the given label its probability p"
    framed = "framed: where most" if max(one.peak[2] for one in found.values()) >= FLAT else ""
    marks = "; ".join(filter(None, (framed, "dotted: the trigger" if box is not None else "")))
    return f"{words} ({marks})." if marks else f"{words}."


def _sentence(model: str, one: Occlusion, given: str, size: tuple[int, int], box: Box | None) -> str:
    _, _, fall = one.peak
    start = f"{model}: p({given}) = {one.base:.2f}"
    if fall < FLAT:
        return f"{start}, and covering any part of the image lowers it by {max(fall, 0):.2f} at most: the map is flat."
    on = "" if box is None else ", on the trigger" if _overlaps(one, size, box) else ", beside the trigger"
    return f"{start}, and falls most, by {fall:.2f}, under the patch at the {place_words(one, *size)}{on}."


def _overlaps(one: Occlusion, size: tuple[int, int], box: Box) -> bool:
    """Whether the patch at the peak covers a part of the box."""
    (row, column, _), (height, width) = one.peak, size
    across = column < (box.left + box.width) * width and box.left * width < column + one.side
    return across and row < (box.top + box.height) * height and box.top * height < row + one.side


def _frame(found: Mapping[str, Occlusion]) -> pd.DataFrame:
    """One row for each model and place of the patch: model, row, column and side (pixels), probability, fall."""
    frames = []
    for model, one in found.items():
        rows, columns = np.meshgrid(one.rows, one.columns, indexing="ij")
        cells = {"row": rows.ravel(), "column": columns.ravel(), "side": one.side}
        frames.append(pd.DataFrame({"model": model, **cells, "probability": one.covered.ravel(), "fall": one.fall.ravel()}))
    return pd.concat(frames, ignore_index=True)
