"""The slim bar on top of a shared app's pages: the lecturer leads and asks, students follow and answer."""

from __future__ import annotations

import streamlit as st

from pages.session import audience, following
from pages.session.classroom import classroom
from pages.widgets import join, polls

EVERY_SECONDS = 1.0
"""The lecturer's bar counts so often who is here."""
STUDENTS_SECONDS = 2.5
"""A student's page says so often that it is there, and finds what it was not told of at once (:mod:`pages.session.calling`)."""
_LEAD = "class-lead"
_STYLE = """<style>
.st-key-class-bar {border-bottom: 1px solid rgba(138,143,152,.35); padding-bottom: .35rem; gap: .35rem;}
</style>"""
# A page that is followed shows what the lecturer's settings give; its controls are the lecturer's to move.
_WATCHING = """<style>
[data-testid="stMain"] :is(.stButton, .stPopover, .stSelectbox, .stMultiSelect, .stSlider, .stNumberInput, .stTextInput,
  .stTextArea, .stButtonGroup, .stCheckbox, .stFileUploader, .stTabs [role="tablist"]) {pointer-events: none; opacity: .75;}
[data-testid="stMain"] .stDownloadButton {display: none;}
[data-testid="stMain"] :is(.st-key-class-bar, .st-key-lesson-ask) :is(.stButton, .stButtonGroup)
  {pointer-events: auto; opacity: 1;}
</style>"""


def bar() -> None:
    """The bar of this session, on top of every page; nothing where the app is one person's."""
    if not audience.shared():
        return
    following.keep_leading()
    with st.container(key="class-bar"):
        st.html(_STYLE)
        if audience.lecturer():
            _lecturers()
        else:
            _students()


def _lecturers() -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        leads = classroom().leader() == audience.session()
        st.session_state[_LEAD] = leads
        st.toggle("Lead", key=_LEAD, on_change=_switch_lead, help="Students who follow see the page and settings that you see")
        _who_is_here()
        polls.asking()
        join.button()
    polls.lecturers_view()
    if st.session_state["page"] == "start":
        join.card(open_at_first=not leads)


def _switch_lead() -> None:
    if audience.lecturer() and st.session_state[_LEAD]:
        classroom().lead_by(audience.session())
    elif audience.lecturer():
        classroom().stop_leading()


@st.fragment(run_every=EVERY_SECONDS)
def _who_is_here() -> None:
    here, follow = classroom().present()
    students = "1 student" if here == 1 else f"{here} students"
    st.caption(f":material/group: {students} here, {follow} follow", width="stretch")


@st.fragment(run_every=STUDENTS_SECONDS)
def _students() -> None:
    """Where the lecturer is, and the way there and back; the page is drawn again when there is something new."""
    room, follows = classroom(), following.following()
    room.show_up(audience.session(), follows)
    if following.behind():
        st.rerun()
    lead = room.lead()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if follows:
            st.html(_WATCHING)
            clicked = st.button("Leave", key="class-leave", icon=":material/logout:", help="Look around by yourself from here")
        else:
            clicked = st.button(
                "Follow the lecturer", key="class-follow", type="primary", icon=":material/cast_for_education:",
                help="This page shows what the lecturer shows; leave at any moment",
            )  # fmt: skip
        if lead is None:
            words = "You follow; the lecturer does not lead yet." if follows else "The lecturer does not lead at the moment."
        elif lead.state is None:
            words = "The lecturer looks at files of their own, which are not shown here."
        else:
            page = st.session_state["pages"].get(lead.page, lead.page)
            words = f"You see what the lecturer sees: **{page}**." if follows else f"The lecturer is on **{page}**."
        st.markdown(words, width="stretch")
    if clicked:
        following.follow(not follows)
        st.rerun()
    polls.students_view()
