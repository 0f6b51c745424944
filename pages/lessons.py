"""Lessons: guided tours that set the controls, and links for teachers."""

from __future__ import annotations

import streamlit as st

from pages.widgets import lesson_answers, lessons, teacher
from pages.widgets.page import page
from unlearn_core.view_state.lessons import Lesson
from unlearn_core.view_state.lessons import lessons as all_lessons


def notes(lesson: Lesson) -> None:
    """What a lecturer says at each step, and the same to print."""
    for number, step in enumerate(lesson.steps, 1):
        st.markdown(f"{number}. **{step.title}** ({step.minutes:g} min). {step.notes}")
    lesson_answers.download(lesson, notes=True)


with page(
    "Lessons",
    see="short guided tours; each step opens a page, sets the controls, and says what to look for.",
    attempt="start with the first one, and answer each question before you look.",
    corner=0,
) as (state, _):
    lesson_answers.summary(all_lessons())
    # Cards beside one another are of one height; one below the other, as on a phone, none has to be.
    st.html(
        '<style>@media (max-width: 640px) {[class*="st-key-lesson-card"], :has(> [class*="st-key-lesson-card"]) '
        "{flex-basis: auto !important; height: auto !important;}}</style>"
    )
    for start in range(0, len(all_lessons()), 3):
        for place, lesson in zip(st.columns(3), list(all_lessons().values())[start : start + 3], strict=False):
            with place.container(border=True, height=300, key=f"lesson-card-{lesson.name}"):
                st.markdown(f"**{lesson.title}**")
                st.markdown(lesson.summary)
                st.caption(f"{len(lesson.steps)} steps, about {lesson.minutes} minutes in a lecture")
                with st.container(horizontal=True, vertical_alignment="center"):
                    if st.button("Start", icon=":material/play_arrow:", key=f"lesson:{lesson.name}", type="primary"):
                        lessons.go(lesson, 1)
                    with st.popover(
                        "Notes", icon=":material/co_present:", help="For the lecturer: what to say, how long it takes"
                    ):
                        notes(lesson)

    st.markdown("#### For teachers")
    st.caption(
        "Make a link that opens a page or a lesson with controls hidden or locked. The settings of this session go with it; "
        "Share on each page does the same for the view that is open there."
    )
    with st.expander("A link for a class", icon=":material/school:"):
        teacher.builder(state, "compare")
