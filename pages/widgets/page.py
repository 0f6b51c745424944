"""The frame of every page: its state, a lesson's step, title and notices before it; the engine's line and the link after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.session import audience, binding, following
from pages.session.services import elsewhere
from pages.widgets import absent_files, jobs, layouts, lessons, link_question, show
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.support.deferring import NotRead
from unlearn_core.support.escaping import escape_markdown

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

Words = str | Callable[[vs.State], str]
"""A sentence, or what makes it from the state."""


@contextlib.contextmanager
def page(
    title: str, *, see: Words, attempt: Words, corner: int = 1, footer: bool = True
) -> Iterator[tuple[vs.State, DeltaGenerator]]:
    """Open a page with its title and two lines; gives its state and the corner right of the title.

    The link follows the state when the page has come to its end, or to :func:`end_page`.

    ``see``, ``attempt``: what you see, what to try; ``corner``: its width in buttons; ``footer``: whether the engine's line
    closes the page.
    """
    state = binding.begin()
    following.publish(state)
    link_question.bar()
    lessons.bar(state)
    with following.drawn_once():
        yield from _body(state, title, see, attempt, corner, footer)
    following.call()


def _body(
    state: vs.State, title: str, see: Words, attempt: Words, corner: int, footer: bool
) -> Iterator[tuple[vs.State, DeltaGenerator]]:
    """The page below the bars; what it is about is drawn where this yields."""
    head, right = st.columns([7 - corner, corner], vertical_alignment="bottom") if corner else (st.container(), st.container())
    with head:
        if state["lesson"]:  # the step says what to look at
            show.title_line(title)
        else:
            show.opening(title, _in_words(see, state), _in_words(attempt, state))
    show.notices()
    absent_files.line(state)
    layouts.line(state)
    with contextlib.suppress(PageEnded):
        yield state, right
    if footer:
        layouts.switch(state)
        st.caption(jobs.engine_line())
    binding.finish(state)


def redrawn_alone(state: vs.State, draw: Callable[[vs.State], None]) -> None:
    """A part of a page whose controls draw it alone, so that it answers sooner; the link, and those who follow, get its state.

    ``draw``: draws it from the state. Nothing else on the page may depend on its controls.
    """
    _part(lambda: draw(state), draw)


@st.fragment
def _part(with_page: Callable[[], None], alone: Callable[[vs.State], None]) -> None:
    run = get_script_run_ctx()
    if run is None or not run.fragment_ids_this_run:
        with_page()
        return
    if "unsettled" in st.session_state:
        st.rerun()
    now: vs.State = st.session_state["state"].copy()
    following.publish(now)
    try:
        with elsewhere():
            alone(now)
    except NotRead:
        st.rerun()  # the page says how it waits for the files
    binding.finish(now)
    following.call()


def _in_words(words: Words, state: vs.State) -> str:
    return words if isinstance(words, str) else words(state)


class PageEnded(Exception):
    """A page has nothing more to show."""


def end_page() -> NoReturn:
    """Show nothing more of the page. After ``st.stop()`` Streamlit would refuse the footer and the link as well."""
    raise PageEnded


@contextlib.contextmanager
def end_on_error(advice: str = "Change the scenario in Craft.", icon: str = ":material/error:") -> Iterator[None]:
    """Show what is wrong with the view's settings, with the ``advice`` that helps, and end the page there."""
    try:
        yield
    except UserError as error:
        if absent_files.absent():  # which is said above
            end_page()
        st.error(" ".join(filter(None, (escape_markdown(audience.told(error)), advice))), icon=icon)
        end_page()
