"""A link for a class: a page, perhaps a lesson, with controls hidden or locked."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.session import audience
from unlearn_core import view_state as vs
from unlearn_core.view_state.lessons import lessons


@st.dialog("A link for a class", width="large")
def dialog(state: vs.State) -> None:
    """The builder in a dialog of its own."""
    builder(state, st.session_state["page"])


def builder(state: vs.State, page: str) -> None:
    """Choose page, lesson, and what is hidden or locked; the link follows. The view itself is not changed."""
    titles, known = st.session_state["pages"], lessons()
    left, right = st.columns(2)
    opened = left.selectbox("Page", list(titles), list(titles).index(page), titles.__getitem__, key="teach-page")
    lesson = right.selectbox(
        "Lesson", ["", *known], format_func=lambda name: known[name].title if name else "none", key="teach-lesson"
    )
    words = _in_words(titles, page)
    hidden = st.multiselect(
        "Hidden: left out of every page",
        list(words),
        list(state["hide"]),
        format_func=words.__getitem__,
        placeholder="Choose controls and panels",
        key="teach-hide",
    )
    locked = st.multiselect(
        "Locked: shown, but not to be changed",
        [name for name in words if name in vs.lockable()],
        list(state["lock"]),
        format_func=words.__getitem__,
        placeholder="Choose controls",
        key="teach-lock",
    )
    view = state | {"hide": tuple(hidden), "lock": tuple(locked), "lesson": "", "step": 1}
    if lesson:
        view, opened = known[lesson].state_at(1, view), known[lesson].steps[0].page
        st.caption(f"The lesson starts on the page {titles[opened]} with its own settings.")
    st.markdown("**The link**")
    query = vs.encode(view)
    st.code(f"{audience.address_of(opened)}{'?' if query else ''}{query}", language=None, wrap_lines=True)


def _in_words(titles: Mapping[str, str], first: str) -> dict[str, str]:
    """What can be hidden, by name: its page and the words on the screen; those of the page ``first`` come first."""
    pages = sorted(vs.hideable_by_page().items(), key=lambda part: part[0] != first)
    return {name: f"{titles[page]} · {vs.hideable_label(name)}" for page, names in pages for name in names}
