"""Corrupted examples before and after, as one block of HTML: small pictures cost the browser nothing this way."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from unlearn_core.views.palette import GROUPS

if TYPE_CHECKING:
    from unlearn_core.views.craft.data import Box, PreviewExample

_STYLE = """<style>
.eunoe-grid {display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px;}
.eunoe-grid.few {grid-template-columns: repeat(2, 1fr);}
.eunoe-grid.three {grid-template-columns: repeat(auto-fill, minmax(190px, 1fr));}
.eunoe-pair.eunoe-three > :is(img, .eunoe-seen) {width: calc(33.3% - 12px);}
.eunoe-card {border: 1px solid rgba(138,143,152,.35); border-radius: 8px; padding: 7px 8px 6px;}
.eunoe-pair {display: flex; align-items: center; gap: 5px;}
.eunoe-pair > :is(img, .eunoe-seen) {width: calc(50% - 10px);}
.eunoe-pair .eunoe-seen img {width: 100%;}
.eunoe-pair img {aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; display: block;}
.eunoe-pair span {opacity: .55; font-size: .9rem;}
.eunoe-words {display: flex; flex-wrap: wrap; justify-content: space-between; column-gap: .6em;
 font-size: .84rem; margin-top: 5px; line-height: 1.25;}
.eunoe-badge {font-size: .76rem; margin-top: 2px; display: block;}
.eunoe-wrong {font-weight: 600;}
.eunoe-legend {display: flex; flex-wrap: wrap; gap: 4px 22px; font-size: .95rem;}
</style>"""


def grid(examples: Sequence[PreviewExample], boxes: Mapping[int, Box], few: bool = False, changes: bool = False) -> bool:
    """Cards with the picture before and after, given → clean label, kind and group. ``boxes``: where a trigger is; ``changes``:
    what was done to a picture stands between the two. Returns whether there is such a picture."""
    between = [example.change if changes else None for example in examples]
    three = any(change is not None for change in between)
    cards = "".join(_card(example, boxes.get(example.index), change) for example, change in zip(examples, between, strict=True))
    st.html(f'{_STYLE}<div class="eunoe-grid{" few" if few else ""}{" three" if three else ""}">{cards}</div>')
    return three


def legend(counts: dict[str, int]) -> None:
    """How many examples each group has, in its colour and marker."""
    items = "".join(f"<span>{badge(group)} <b>{count:,}</b></span>" for group, count in counts.items())
    st.html(f'{_STYLE}<div class="eunoe-legend">{items}</div>')


def sign(group: str) -> str:
    """A group's marker in its colour."""
    style = GROUPS[group]
    return f'<span style="color:{style.color}">{style.sign}</span>'


def badge(group: str) -> str:
    """A group's marker and name in its colour (the text itself stays in the page's own colour)."""
    return f"{sign(group)} {GROUPS[group].label}"


def _card(example: PreviewExample, box: Box | None, change: np.ndarray | None) -> str:
    given, clean, kind = (html.escape(text) for text in (example.given, example.clean, example.kind))
    group = badge("discovered" if example.discovered else "undiscovered")
    before = image(example.before, f"training example {example.index} before, truly {clean}")
    after = image(example.after, f"the same after corruption, labelled {given}", box)
    pictures, pair = f"{before}<span>→</span>{after}", "eunoe-pair"
    if change is not None:
        between = image(change, "the change, made stronger, on grey")
        pictures, pair = f"{before}<span>+</span>{between}<span>=</span>{after}", "eunoe-pair eunoe-three"
    return (
        f'<div class="eunoe-card"><div class="{pair}">{pictures}</div>'
        f'<div class="eunoe-words"><span>given <span class="eunoe-wrong">{given}</span></span><span>truly {clean}</span></div>'
        f'<span class="eunoe-badge">{group} · {kind}</span></div>'
    )


def image(pixels: np.ndarray, alt: str, box: Box | None = None) -> str:
    """Pixels, uint8 (H, W) or (H, W, 3), as an HTML image; ``alt`` must be escaped already. ``box``: a part of it with a frame
    around."""
    if box is None:
        return f'<img alt="{alt}" src="{address(pixels)}">'
    sides = zip(("left", "top", "width", "height"), (box.left, box.top, box.width, box.height), strict=True)
    place = "; ".join(f"{side}: {100 * share:.4g}%" for side, share in sides)
    whole = f'<img alt="{alt}, the trigger framed" src="{address(pixels)}">'
    return f'<figure class="eunoe-seen">{whole}<i style="{place}"></i></figure>'


def address(pixels: np.ndarray, side: int = 0) -> str:
    """Pixels as the address of a PNG that holds them; ``side``: enlarged to at least so many pixels, edges kept sharp."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    if (times := -(-side // max(picture.size))) > 1:
        picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    picture.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
