"""Predict before the reveal: the lecturer asks, students click an answer, and the lecturer decides when all see the counts."""

from __future__ import annotations

import html

import streamlit as st

from pages.session import audience, calling
from pages.session.classroom import MAX_QUESTION, MOST_ANSWERS, Poll, classroom
from pages.session.notices import errors_as_notices
from pages.widgets import lessons
from unlearn_core.support.escaping import escape_markdown

PRESETS: dict[str, tuple[str, ...]] = {
    "What will happen to the undiscovered points?": ("They heal as well", "Some of them heal", "They stay wrong"),
    "Which heals more of them?": ("Retraining", "REM", "Both alike"),
    "What will happen to the accuracy on clean data?": ("It rises", "It stays", "It falls"),
}
"""Questions that fit many steps of a lesson, with their answers."""
OWN = "A question of your own"
_ASKED = "class-asked"
_STYLE = """<style>
.eunoe-poll {display: grid; grid-template-columns: max-content minmax(60px, 420px) max-content; gap: .2rem .7rem;
  align-items: center; font-size: .95rem; line-height: 1.3;}
.eunoe-poll span:first-child {overflow-wrap: anywhere;}
.eunoe-poll i {display: block; height: .8rem; border-radius: 3px; background: #366FA1; min-width: 2px;}
@media (max-width: 640px) {.eunoe-poll {grid-template-columns: minmax(0, 1fr) 90px max-content;}}
</style>"""


def asking() -> None:
    """The lecturer's button behind which a question is chosen or written."""
    key = f"class-ask-{st.session_state.get(_ASKED, 0)}"
    with st.popover("Ask", icon=":material/help:", key=key, help="A question that students answer with one click"):
        known = _questions()
        chosen = st.selectbox("Question", [*known, OWN], key="class-preset")
        if chosen == OWN:
            st.text_input("Your question", max_chars=MAX_QUESTION, key="class-question")
            st.text_area(f"Answers: two to {MOST_ANSWERS}, one a line", key="class-answers", height=120)
        else:
            st.markdown("\n".join(f"- {answer}" for answer in known[chosen]))
        st.button("Ask the class", type="primary", icon=":material/campaign:", key="class-ask-now", on_click=_ask)


def _questions() -> dict[str, tuple[str, ...]]:
    """The question of the lesson's step that is open, then those that fit many."""
    state = st.session_state.get("state")
    step = lessons.current(state) if state else None
    own = {step.question.asked: step.question.answers} if step is not None and step.question is not None else {}
    return own | PRESETS


def _ask() -> None:
    memory = st.session_state
    chosen = memory["class-preset"]
    own = str(memory.get("class-question", "")), str(memory.get("class-answers", "")).splitlines()
    with errors_as_notices():
        audience.refuse_visitors()
        classroom().ask(*(own if chosen == OWN else (chosen, _questions()[chosen])))
        calling.draw_again(classroom().followers())
        memory[_ASKED] = memory.get(_ASKED, 0) + 1  # a popover under another key is closed


def lecturers_view() -> None:
    """The question with its counts, which grow while students answer; nothing where none is asked."""
    if classroom().poll() is not None:
        _counting()


@st.fragment(run_every=1.0)
def _counting() -> None:
    room = classroom()
    poll = room.poll()
    if poll is None:
        return
    with st.container(border=True, key="class-poll"):
        given = len(poll.votes)
        answers = "1 answer" if given == 1 else f"{given} answers"
        how = "shown to all" if poll.revealed else "open" if poll.open else "closed"
        st.markdown(f"**{escape_markdown(poll.question)}** · {answers}, {how}")
        bars(poll)
        with st.container(horizontal=True, gap="small"):
            closing = st.button("Close", key="class-close", disabled=not poll.open, help="No more answers are taken")
            telling = st.button(
                "Reveal", key="class-reveal", type="primary", disabled=poll.revealed, help="Show the counts to all"
            )
            ending = st.button("Put away", key="class-end", type="tertiary")
    for clicked, act in ((closing, room.close), (telling, room.reveal), (ending, room.end)):
        if clicked and audience.lecturer():
            act()
            calling.draw_again(room.followers())
            st.rerun()


def students_view() -> None:
    """The question with its answers to click, and the counts once they are revealed. Part of a fragment."""
    room = classroom()
    poll = room.poll()
    if poll is None:
        return
    me = audience.session()
    mine = poll.votes.get(me)
    with st.container(border=True, key="class-poll"):
        st.markdown(f"**{escape_markdown(poll.question)}**")
        if poll.revealed:
            bars(poll, mine)
            return
        choice = st.segmented_control(
            "Your answer", range(len(poll.answers)), key=f"class-vote-{poll.number}", label_visibility="collapsed",
            format_func=lambda k: escape_markdown(poll.answers[k]), disabled=not poll.open, required=mine is not None,
        )  # fmt: skip
        if choice is not None and choice != mine:
            room.answer(me, poll.number, choice)
            mine = choice
        st.caption(_said(poll, mine))


def _said(poll: Poll, mine: int | None) -> str:
    if not poll.open:
        return "The question is closed; the lecturer shows what the class thinks."
    return "One click answers." if mine is None else "Your answer is in; you can change it until the question is closed."


def bars(poll: Poll, mine: int | None = None) -> None:
    """How many chose each answer. ``mine``: the answer to point out."""
    counts = poll.counts()
    most = max([1, *counts])
    rows = "".join(
        f"<span>{html.escape(answer)}{' (yours)' if k == mine else ''}</span>"
        f'<span><i style="width: {100 * counts[k] / most:.0f}%"></i></span><b>{counts[k]}</b>'
        for k, answer in enumerate(poll.answers)
    )
    st.html(f'{_STYLE}<div class="eunoe-poll">{rows}</div>')
