"""The picture that moves on the start page: a component of our own, drawn and played in the browser without the server."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from unlearn_core.views.boundary.regions import FILLS
from unlearn_core.views.palette import GROUPS

Asked = Callable[[dict[str, Any]], None]
_HERE, _KEY = Path(__file__).parent, "start-picture"
_STYLES = {"groups": {name: style.color for name, style in GROUPS.items()}, "tints": FILLS}
_VARIABLES = "".join(f"--{name}:{style.color};" for name, style in GROUPS.items())


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "start_picture",
    html=_read("frame.html").replace("$styles", html.escape(json.dumps(_STYLES))),
    css=f":host {{{_VARIABLES}}}\n" + _read("style.css"),
    js=_read("pack.js", "colour.js", "ground.js", "picture.js"),
)
_hand_over = st.components.v2.component("start_feed", js=_read("feed.js"))
_complete = st.components.v2.component("start_scenes", js=_read("scenes.js"))


def draw(opening: bytes, on_live: Asked, on_open: Asked) -> None:
    """The picture, opened with the first scene (:func:`unlearn_core.views.start.shipped.opening_scene`).

    ``on_live`` and ``on_open`` are called with the setting of the sliders (``regularity``, ``discovery``) when a live run is
    asked for, or another ``page`` with this setting.
    """
    _mount(
        key=_KEY, data=opening, on_live_change=lambda: on_live(_asked("live")), on_open_change=lambda: on_open(_asked("open"))
    )


def _asked(what: str) -> dict[str, Any]:
    asked: dict[str, Any] = st.session_state[_KEY][what]
    return asked


def complete(scenes: bytes) -> None:
    """Hand the picture on the same page all packed scenes (:mod:`unlearn_core.views.start.pack`), for its sliders: after what
    is seen first, because they are large."""
    with st.container(key="start-scenes", height=1, border=False):
        _complete(key="start-scenes-data", data=scenes, height=1)


def feed(scene: bytes) -> None:
    """Hand one packed scene, finished or not, to the picture on the same page."""
    with st.container(key="start-feed", height=1, border=False):
        _hand_over(key="start-feed-data", data=scene, height=1)
