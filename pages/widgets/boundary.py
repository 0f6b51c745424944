"""The images that span the plane of the decision boundary, with what each model says of them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.widgets import examples
from unlearn_core.corruption import FOUND, KINDS, UNKNOWN
from unlearn_core.views.boundary.figure import Panel
from unlearn_core.views.text.sentences import said

if TYPE_CHECKING:
    from unlearn_core.views.boundary.anchors import Anchor
    from unlearn_core.views.boundary.plane import InputPlane
    from unlearn_core.views.craft.data import Box

NOTHING_DONE = (UNKNOWN, KINDS[FOUND])
_STYLE = """<style>
.eunoe-anchor {display: flex; gap: 10px; font-size: .86rem; line-height: 1.4; margin: 0;}
.eunoe-anchor img {width: 66px; height: 66px; flex: none; image-rendering: pixelated; border-radius: 4px; display: block;}
.eunoe-letter {display: inline-block; background: #1F2730; color: #fff; border-radius: 50%; width: 1.35em; height: 1.35em;
  text-align: center; line-height: 1.35em; font-weight: 600; border: 1px solid #8A8F98; margin-right: 4px;}
.eunoe-whole {white-space: nowrap;}
</style>"""


def cards(where: InputPlane, panels: Sequence[Panel], names: Sequence[str], marks: Sequence[Box | None]) -> None:
    """The images of the plane: what they are, and what each finished model says of them. ``marks``: where a
    trigger is on each."""
    from unlearn_core.views.boundary.data import DecisionMap, prediction_at

    answers = [(p.title, prediction_at(where.anchors, where, DecisionMap(p.winners[-1], p.confidence[-1]))) for p in panels]
    for k, (anchor, box, place) in enumerate(zip(where.anchors, marks, st.columns(len(where.anchors)), strict=True)):
        words = said([(title, names[given[k][0]]) for title, given in answers])
        place.html(_card(anchor, html.escape(words), box if anchor.triggered else None))


def _card(anchor: Anchor, words: str, box: Box | None) -> str:
    from unlearn_core.views.boundary.anchors import VERSIONS

    clean, given = html.escape(anchor.clean), html.escape(anchor.given)
    wrong = f", labelled <b>{given}</b>" if anchor.version == "given" and anchor.given != anchor.clean else ""
    what = f"<b>{clean}</b>, {VERSIONS[anchor.version]}"
    if anchor.clean == UNKNOWN:
        what, wrong = f"labelled <b>{given}</b>", ""
    elif anchor.kind in NOTHING_DONE:  # nothing was done to the image, its right label was given
        what, wrong = f"truly <b>{clean}</b>", f", labelled <b>{given}</b>" if anchor.given != anchor.clean else ""
    picture = examples.image(anchor.picture, f"training example {anchor.index}, true label {clean}, labelled {given}", box)
    return (
        f'{_STYLE}<div class="eunoe-anchor">{picture}<span><span class="eunoe-letter">{anchor.letter}</span>'
        f"{what}{wrong} · "
        f'<span class="eunoe-whole">{examples.badge(anchor.group)}</span> · no. {anchor.index}'
        f"<br>{words}</span></div>"
    )
