"""A timeline that plays in the browser: play, pause, one step back or forward, and a slider, without asking the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

MILLISECONDS = 180
SLIDER = 58
"""Pixels of the slider's own line."""
_FAST = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}


def add_timeline(
    figure: go.Figure,
    frames: Sequence[list[dict[str, Any]]],
    traces: Sequence[int],
    titles: Sequence[Sequence[str]],
    start: int,
    below: bool = False,
) -> None:
    """Frames, buttons and slider. ``frames[k]``: what changes in the ``traces``; ``titles[k]``: the text of the panels' titles;
    ``below``: the slider has a line of its own, :data:`SLIDER` pixels more, as on a phone.

    Plotly's buttons cannot step relative to the current frame, so every frame brings buttons that know their neighbours.
    """
    heads = [annotation.to_plotly_json() for annotation in figure.layout.annotations[: len(titles[0])]]
    rest = [annotation.to_plotly_json() for annotation in figure.layout.annotations[len(titles[0]) :]]
    last = len(frames) - 1
    figure.frames = [
        go.Frame(
            name=str(k),
            data=changes,
            traces=list(traces),
            layout={
                "annotations": [head | {"text": text} for head, text in zip(heads, titles[k], strict=True)] + rest,
                "updatemenus": [_buttons(k, last)],
            },
        )
        for k, changes in enumerate(frames)
    ]
    figure.update_layout(updatemenus=[_buttons(start, last)], sliders=[_slider(start, last, below)])


def _buttons(k: int, last: int) -> dict[str, Any]:
    play = {"mode": "immediate", "fromcurrent": True, "transition": {"duration": 0}}
    play |= {"frame": {"duration": MILLISECONDS, "redraw": True}}
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 62, "r": 8},
        # Plotly paints a button that is pointed at in a light colour of its own, so the others are light as well.
        "bgcolor": "#E8EBEF",
        "bordercolor": "#C5CBD3",
        "font": {"color": "#1F2730", "size": 13},
        "buttons": [
            {"label": "◀ Step", "method": "animate", "args": [[str(max(0, k - 1))], _FAST]},
            {"label": "▶ Play", "method": "animate", "args": [None, play]},
            {"label": "❚❚ Pause", "method": "animate", "args": [[None], _FAST]},
            {"label": "Step ▶", "method": "animate", "args": [[str(min(last, k + 1))], _FAST]},
        ],
    }


def _slider(start: int, last: int, below: bool) -> dict[str, Any]:
    return {
        "active": start,
        "x": 0 if below else 0.31,
        "len": 1 if below else 0.69,
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 44 + SLIDER * below, "b": 0},
        "currentvalue": {"prefix": f"step (of {last}): ", "font": {"size": 13}, "xanchor": "left"},
        "ticklen": 4,
        "minorticklen": 0,
        "font": {"size": 12},
        "steps": [{"label": str(k), "method": "animate", "args": [[str(k)], _FAST]} for k in range(last + 1)],
    }
