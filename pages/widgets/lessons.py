"""A lesson on top of the page: what to do here, a question, back, on, and out. Lesson and step are in the link."""

from __future__ import annotations

import streamlit as st

from pages.session import binding
from pages.widgets import lesson_answers, pointer, show
from unlearn_core import view_state as vs
from unlearn_core.view_state.lesson_steps import Step
from unlearn_core.view_state.lessons import Lesson, lessons

_STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-lesson) {position: sticky; top: 3.75rem; z-index: 90;}
.st-key-lesson {background: $page; border-bottom: 2px solid #3A75A8; gap: .35rem;
  padding: .45rem 0 .5rem; max-height: 42vh; overflow-y: auto;}
.st-key-lesson p {font-size: .95rem; line-height: 1.4; margin: 0 0 .3rem;}
.st-key-lesson [data-testid="stMarkdownContainer"] {margin-bottom: 0;}
.st-key-lesson [data-testid="stVerticalBlock"] {gap: .3rem;}
.st-key-lesson .stButton button {min-height: 2.1rem; padding: .15rem .7rem;}
/* The page's own opening makes room; its title stays as a line, for those who look where they are. */
.stMainBlockContainer {padding-top: 3.75rem;}
.stMainBlockContainer :is(h2, h3) {font-size: 1.05rem; padding: .2rem 0;}
@media (max-width: 640px) {[data-testid="stLayoutWrapper"]:has(> .st-key-lesson) {position: static;} .st-key-lesson
  {max-height: none;}}
</style>"""


def followed(state: vs.State) -> Lesson | None:
    """The lesson that this view is part of."""
    return lessons().get(state["lesson"])


def current(state: vs.State) -> Step | None:
    """The step that this view is part of."""
    lesson = followed(state)
    return lesson.steps[min(state["step"], len(lesson.steps)) - 1] if lesson is not None else None


def bar(state: vs.State) -> None:
    """The current step; nothing where no lesson is followed."""
    lesson, step = followed(state), current(state)
    if lesson is None or step is None:
        return
    number = min(state["step"], len(lesson.steps))
    with st.container(key="lesson"):
        st.html(_STYLE.replace("$page", show.page_colour()))
        words, buttons = st.columns([3.4, 1.5], vertical_alignment="center")
        words.markdown(
            f":material/school: **{step.title}** &nbsp; :small[{lesson.title} · step {number} of {len(lesson.steps)}]"
        )
        with buttons.container(horizontal=True, horizontal_alignment="right"):
            if st.button("", icon=":material/arrow_back:", key="lesson-back", disabled=number == 1, help="The step before"):
                go(lesson, number - 1)
            last = number == len(lesson.steps)
            if st.button("Finish" if last else "Next", icon=":material/arrow_forward:", key="lesson-next", type="primary"):
                finish(lesson) if last else go(lesson, number + 1)
            if st.button("Leave", key="lesson-leave", type="tertiary", help="The view stays as it is"):
                leave(st.session_state["page"])
        if step.question is None:
            st.markdown(step.text)
        else:
            text, asked = st.columns([1.5, 1], gap="medium")
            text.markdown(step.text)
            with asked:
                lesson_answers.ask(lesson.name, number, step.question)
        here = _on_its_way(lesson, number, step.page, state)
        if here and step.panel:
            pointer.point_at(step.panel, f"{lesson.name}:{number}")


def _on_its_way(lesson: Lesson, number: int, page: str, state: vs.State) -> bool:
    """Whether the step's page and settings are what is shown; if not, a button that leads back to them."""
    elsewhere = st.session_state["page"] != page
    if not elsewhere and not lesson.differs(number, state):
        return True
    label = (
        f"Open this step in {st.session_state['pages'].get(page, page)}" if elsewhere else "Set the controls as in this step"
    )
    if st.button(label, icon=":material/my_location:", key="lesson-return"):
        go(lesson, number)
    return not elsewhere


def go(lesson: Lesson, number: int) -> None:
    """Open a step: its page, with its settings."""
    binding.change(**lesson.state_at(number, st.session_state["state"]))
    st.switch_page(f"pages/{lesson.steps[number - 1].page}.py")


def finish(lesson: Lesson) -> None:
    """End the lesson with its summary on the page of lessons."""
    lesson_answers.finish(lesson.name)
    leave("lessons")


def leave(page: str) -> None:
    """End the lesson; everything else stays as it is."""
    binding.change(lesson="", step=1)
    st.switch_page(f"pages/{page}.py")
