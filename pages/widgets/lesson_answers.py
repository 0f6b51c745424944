"""What one answers in a lesson, kept in the session: the question, the reveal, and the summary at the end."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from unlearn_core.view_state.lesson_steps import Question
from unlearn_core.view_state.lessons import Lesson
from unlearn_core.views.text.lesson_sheet import sheet

_ANSWERS, _FINISHED = "lesson-answers", "lesson-finished"


def given(lesson: str) -> Mapping[int, int]:
    """Step → the number of the answer that was chosen."""
    answers: dict[str, dict[int, int]] = st.session_state.setdefault(_ANSWERS, {})
    return answers.setdefault(lesson, {})


def _choose(lesson: str, step: int, answer: int) -> None:
    st.session_state.setdefault(_ANSWERS, {}).setdefault(lesson, {})[step] = answer


def ask(lesson: str, step: int, question: Question) -> None:
    """The question with its answers to click; once one is chosen, which one is true and why."""
    chosen = given(lesson).get(step)
    st.markdown(f"**{question.asked}**")
    if chosen is None:
        with st.container(horizontal=True, gap="small", key="lesson-ask"):
            for number, answer in enumerate(question.answers):
                st.button(answer, key=f"lesson-answer-{number}", on_click=_choose, args=(lesson, step, number))
        return
    icon, word = (":material/check:", "Yes") if chosen == question.right else (":material/close:", "No")
    true = "" if chosen == question.right else f" True is: *{question.answers[question.right]}*."
    st.markdown(f"{icon} **{word}**, you said: *{question.answers[chosen]}*.{true} {question.told}")


def finish(lesson: str) -> None:
    """The summary of this lesson is shown on the page of lessons from now on."""
    st.session_state[_FINISHED] = lesson


def summary(known: Mapping[str, Lesson]) -> None:
    """Of the lesson that was finished last: its questions with what one said, and a sheet to print."""
    lesson = known.get(st.session_state.get(_FINISHED, ""))
    if lesson is None:
        return
    answers = given(lesson.name)
    asked = [(number, step) for number, step in enumerate(lesson.steps, 1) if step.question is not None]
    right = sum(answers.get(number) == step.question.right for number, step in asked if step.question)
    with st.container(border=True, key="lesson-summary"):
        st.markdown(f"#### {lesson.title}: what you saw")
        if asked:
            st.caption(f"{right} of {len(asked)} questions answered as it is.")
        for number, step in enumerate(lesson.steps, 1):
            st.markdown(f"{number}. **{step.title}.** {_said(step.question, answers.get(number))}")
        with st.container(horizontal=True):
            download(lesson, answers)
            if st.button("Close", key="lesson-summary-close", type="tertiary"):
                del st.session_state[_FINISHED]
                st.rerun()


def _said(question: Question | None, answer: int | None) -> str:
    if question is None:
        return ""
    mine = "" if answer is None else f" You said: *{question.answers[answer]}*."
    return f"{question.asked} *{question.answers[question.right]}*.{mine} {question.told}"


def download(lesson: Lesson, answers: Mapping[int, int] | None = None, notes: bool = False) -> None:
    """A sheet to print, for a student or for the lecturer."""
    what = "notes" if notes else "summary"
    file = f"eunoe-{lesson.name}-{what}.html"
    st.download_button(
        f"{what.capitalize()} to print", lambda: sheet(lesson, answers, notes), file, "text/html",
        icon=":material/print:", key=f"sheet:{what}:{lesson.name}", on_click="ignore",
    )  # fmt: skip
