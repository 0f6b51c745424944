"""The layout of the pages: one control that leaves out what somebody who teaches, debugs or compares has no use for."""

from __future__ import annotations

import streamlit as st

from pages.session import binding
from unlearn_core import view_state as vs

_KEY, _BEFORE = "control:layout", "layout-before"
_ALL = "all"


def line(state: vs.State) -> None:
    """Which layout is on and the click back; nothing where everything is shown."""
    if state["layout"] == _ALL or state["lesson"]:
        return
    chosen = vs.LAYOUTS[state["layout"]]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="layout-line"):
        st.caption(f":material/dashboard_customize: **{chosen.label}** layout. {chosen.words}", width="stretch")
        st.button("Show everything", key="layout-all", type="tertiary", on_click=choose, args=(_ALL,))


def switch(state: vs.State) -> None:
    """The control, at the end of a page; not in a lesson, which says itself what there is to see."""
    if state["lesson"]:
        return
    st.session_state[_KEY] = state["layout"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Layout", width="content")
        st.segmented_control(
            "Layout", list(vs.LAYOUTS), format_func=lambda name: vs.LAYOUTS[name].label, key=_KEY, width="content",
            label_visibility="collapsed", help=vs.BY_NAME["layout"].help,
            on_change=lambda: choose(st.session_state[_KEY] or _ALL),
        )  # fmt: skip


def choose(name: str) -> None:
    """Take a layout; the tabs that were open before everything was left come back with everything."""
    memory = st.session_state
    now: vs.State = memory["state"]
    tabs = ("tab", "details")
    if now["layout"] == _ALL and name != _ALL:
        memory[_BEFORE] = {tab: vs.by_name(now)[tab] for tab in tabs}
    usual = {tab: vs.BY_NAME[tab].default for tab in tabs}
    opened = memory.pop(_BEFORE, usual) if name == _ALL else vs.LAYOUTS[name].changes()
    binding.change(**vs.with_changes({}, {"layout": name, **opened}))
