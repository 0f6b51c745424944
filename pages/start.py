"""Start: the picture that moves, a button that runs it live, the star-burst on road signs, three doors, the demo on images."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit import runtime

from pages.cache.start import burst, opening, scenes
from pages.session import binding
from pages.widgets import layouts, sign_burst, start_live, start_picture
from pages.widgets.page import page

if TYPE_CHECKING:
    from unlearn_core import view_state as vs

PICTURE_SECONDS = 0.35
"""About what a browser needs from the picture's arrival to its first frame."""
OPEN = {"boundary": "pages/boundary.py", "compare": "pages/compare.py"}
DOORS = (
    ("Teach", "Lessons in a few steps; links that set, hide and lock controls.", "lessons", "Lessons", "school"),
    ("Debug", "Your own data with wrong labels: find the rest, heal the model.", "own", "Your own", "folder_open"),
    ("Compare", "Two to six methods on one task, side by side.", "compare", "Compare", "balance"),
)


def open_page(asked: dict[str, Any]) -> None:
    """Take the picture's setting along to another page."""
    from unlearn_core.views.start import settings

    binding.change(
        dataset=settings.DATASET, regularity=asked["regularity"], discovery=asked["discovery"], amount=settings.AMOUNT,
        seed=settings.SEED, overrides=dict(settings.NETWORK), methods=("retrain", "rem"),
    )  # fmt: skip
    st.session_state["start-open"] = OPEN[asked["page"]]


def open_burst(asked: dict[str, Any]) -> None:
    """Take the star-burst's task and method along to the page Embedding."""
    binding.change(
        dataset=asked["dataset"], regularity=1.0, discovery=asked["discovery"], seed=asked["seed"],
        embedded=("retrain", asked["method"]), highlight="all", went="on",
    )  # fmt: skip
    st.session_state["start-open"] = "pages/embedding.py"


def give_way() -> None:
    """Once a session, let the browser draw the picture before it is given the rest of the page, which it would load and lay
    out first, on the same core."""
    if runtime.exists() and not st.session_state.get("start-drawn"):
        st.session_state["start-drawn"] = True
        time.sleep(PICTURE_SECONDS)


def moving() -> None:
    """The planes, and below them how far a live run is."""
    if first := opening():
        start_picture.draw(first, start_live.begin, open_page)
        give_way()
    start_live.show()


def below(state: vs.State) -> None:
    """What lies below the fold: drawn with libraries that take a moment to load, while the first picture is on its way."""
    from pages.widgets import demo, engine_panel, recent

    lately = not binding.hidden(state, "recent")
    listed = recent.panel() if lately else True
    if not binding.hidden(state, "demo"):
        st.markdown("#### The same on images")
        engine_panel.panel()
        demo.panel()
    if not listed:
        recent.nothing_yet()


def doors() -> None:
    """Three ways on from here."""
    for place, (title, words, target, label, icon) in zip(st.columns(3, border=True), DOORS, strict=True):
        with place:
            st.markdown(f"**{title}** · {words}")
            st.page_link(f"pages/{target}.py", label=label, icon=f":material/{icon}:")


with page(
    "What heals when only a part of the errors is found?",
    see="points in the plane, some with a wrong label; the ground is what each model says there.",
    attempt="move the two sliders, then run it live.",
    corner=0,
    footer=False,
) as (state, _):
    if target := st.session_state.pop("start-open", None):
        st.switch_page(target)
    if not binding.hidden(state, "start_picture"):
        moving()
    if not binding.hidden(state, "star_burst") and (signs := burst()):
        st.markdown("#### Where the signs with a sticker went")
        sign_burst.draw(signs, open_burst)
    if not binding.hidden(state, "doors"):
        doors()
    layouts.switch(state)
    if not binding.hidden(state, "start_picture") and (packed := scenes()):
        start_picture.complete(packed)
    below(state)
