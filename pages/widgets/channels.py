"""The training images that activate a channel most."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages.widgets import examples
from unlearn_core.corruption import UNKNOWN

if TYPE_CHECKING:
    from unlearn_core.views.channels.data import Opened
    from unlearn_core.views.craft.data import Box

_STYLE = """<style>
.eunoe-top {display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px;}
.eunoe-top div {font-size: .84rem; line-height: 1.25;}
.eunoe-top img {width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; display: block;}
</style>"""


def top_images(run: Opened, top: pd.DataFrame) -> None:
    """The training images that activate a channel most, with group, labels and activation. ``top``: ``redirect.top``."""
    from unlearn_core.views.channels.data import images
    from unlearn_core.views.craft.data import triggers

    rows = top.to_dict("records")
    boxes, pictures = triggers(run.scenario), images(run, top["index"].to_numpy())
    cards = "".join(_card(row, pixels, boxes.get(row["index"])) for row, pixels in zip(rows, pictures, strict=True))
    st.html(f'{_STYLE}<div class="eunoe-top">{cards}</div>')


def _card(row: dict[Any, Any], pixels: Any, box: Box | None) -> str:
    given, clean = html.escape(row["given"]), html.escape(row["clean"])
    words = f"truly {clean}" if given == clean else f"{_truly(clean)}, given <b>{given}</b>"
    picture = examples.image(pixels, f"training example {row['index']}, {_truly(clean)}, labelled {given}", box)
    return f"<div>{picture}{examples.badge(row['group'])}<br>{words}<br>{row['activation']:.3g}</div>"


def _truly(clean: str) -> str:
    return "true label not known" if clean == UNKNOWN else f"truly {clean}"
