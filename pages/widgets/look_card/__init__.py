"""The pictures of one card: a component of our own, so that a press on a picture can ask for more like it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

_HERE, _KEY = Path(__file__).parent, "look-card"

_mount = st.components.v2.component(
    "look_card",
    html='<div class="card" role="list"></div>',
    css=(_HERE / "style.css").read_text(encoding="utf-8"),
    js=(_HERE / "card.js").read_text(encoding="utf-8"),
)


def draw(
    indices: Sequence[int],
    addresses: Sequence[str],
    labels: Sequence[str],
    on_like: Callable[[int], None] | None,
    name: str = "",
) -> None:
    """Pictures by their ``addresses``, with the given ``labels`` below; ``on_like`` is called with the index of the one that
    is pressed, None where that asks for nothing. ``name``: tells several on one page apart."""
    key = f"{_KEY}:{name}" if name else _KEY
    shown = [
        {"index": index, "address": address, "label": label}
        for index, address, label in zip(indices, addresses, labels, strict=True)
    ]

    def asked() -> None:
        if on_like is not None:
            on_like(int(st.session_state[key]["like"]))

    _mount(key=key, data={"shown": shown, "asks": on_like is not None}, on_like_change=asked)
