"""The star-burst on the start page: a component of our own, drawn in the browser once the page above it stands."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from unlearn_core.views.palette import GROUPS

_HERE, _KEY = Path(__file__).parent, "sign-burst"
_SHARED = _HERE.parent / "start_picture"
_STYLES = {name: GROUPS[name].color for name in ("discovered", "undiscovered")}
_VARIABLES = "".join(f"--{name}:{color};" for name, color in _STYLES.items())


def _read(*files: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


_mount = st.components.v2.component(
    "sign_burst",
    html=_read(_HERE / "frame.html").replace("$styles", html.escape(json.dumps(_STYLES))),
    css=f":host {{{_VARIABLES}}}\n" + _read(_HERE / "style.css"),
    js=_read(_SHARED / "pack.js", _SHARED / "colour.js", _HERE / "burst.js"),
)


def draw(packed: bytes, on_open: Callable[[dict[str, Any]], None]) -> None:
    """The picture of what :mod:`unlearn_core.views.start.burst_pack` packed.

    ``on_open`` is called with the ``method`` shown, its ``dataset``, ``discovery`` and ``seed``, when the page Embedding is
    asked for.
    """
    _mount(key=_KEY, data=packed, on_open_change=lambda: on_open(st.session_state[_KEY]["open"]))
