"""A lesson on top of the page: what to do here, back, on, and out. Lesson and step are in the link."""

from __future__ import annotations

import streamlit as st

from pages.session import binding
from unlearn_core import view_state as vs
from unlearn_core.view_state.lessons import Lesson, lessons


def bar(state: vs.State) -> None:
    """The current step; nothing where no lesson is followed."""
    lesson = lessons().get(state["lesson"])
    if lesson is None:
        return
    number = min(state["step"], len(lesson.steps))
    step = lesson.steps[number - 1]
    with st.container(border=True, key="lesson"):
        words, buttons = st.columns([3.4, 1.5], vertical_alignment="top")
        words.caption(f":material/school: {lesson.title} · step {number} of {len(lesson.steps)}")
        words.markdown(f"**{step.title}**")
        with buttons.container(horizontal=True, horizontal_alignment="right"):
            if st.button("", icon=":material/arrow_back:", key="lesson-back", disabled=number == 1, help="The step before"):
                go(lesson, number - 1)
            last = number == len(lesson.steps)
            if st.button("Finish" if last else "Next", icon=":material/arrow_forward:", key="lesson-next", type="primary"):
                leave("lessons") if last else go(lesson, number + 1)
            if st.button("Leave", key="lesson-leave", type="tertiary", help="The view stays as it is"):
                leave(st.session_state["page"])
        st.markdown(step.text)
        _astray(lesson, number, step.page, state)


def _astray(lesson: Lesson, number: int, page: str, state: vs.State) -> None:
    """A way back to the step's page and settings."""
    elsewhere = st.session_state["page"] != page
    if not elsewhere and not lesson.differs(number, state):
        return
    label = (
        f"Open this step in {st.session_state['pages'].get(page, page)}" if elsewhere else "Set the controls as in this step"
    )
    if st.button(label, icon=":material/my_location:", key="lesson-return"):
        go(lesson, number)


def go(lesson: Lesson, number: int) -> None:
    """Open a step: its page, with its settings."""
    binding.change(**lesson.state_at(number, st.session_state["state"]))
    st.switch_page(f"pages/{lesson.steps[number - 1].page}.py")


def leave(page: str) -> None:
    """End the lesson; everything else stays as it is."""
    binding.change(lesson="", step=1)
    st.switch_page(f"pages/{page}.py")
