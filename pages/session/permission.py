"""What a link may open at once in this session, and what it has to ask for: other files, a download. A visitor's opens none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.session import audience, public
from pages.session.services import store
from unlearn_core import view_state as vs

NOT_FOR_VISITORS = (
    "The view names files or a download on the lecturer's computer, which are not for visitors; they are left out."
)
NOT_ON_SHOW = "A link opens no file and fetches nothing here; what it names is left out."
_QUESTION, _OPENED = "link-asks", "opened-paths"


def read_link(query: dict[str, str]) -> tuple[vs.State, list[str]]:
    """The state of a link, as far as it may be followed at once; what it asks for beyond that is kept as a question."""
    memory = st.session_state
    if audience.visitor() or audience.guest():
        memory[_QUESTION] = None
        handed_over = store().uploads if audience.guest() else None
        state, notices, asked = vs.decode_asking(query, closed=True, handed_over=handed_over)
        return state, [*notices, *([refusal()] if asked else [])]
    named = any(name in query for name in vs.PATHS)
    state, notices, asked = vs.decode_asking(query, opened(), (store().uploads,) if named else ())
    memory[_QUESTION] = (query, asked) if asked else None
    return state, notices


def refusal() -> str:
    """That a file or a download is left out, which says nothing about what lies there."""
    return public.NO_PATHS if audience.guest() else NOT_FOR_VISITORS if audience.shared() else NOT_ON_SHOW


def opened() -> set[str]:
    """The paths that were typed or agreed to in this session."""
    paths: set[str] = st.session_state.setdefault(_OPENED, set())
    return paths


def remember_typed(values: Mapping[str, Any]) -> None:
    """What you set in this session may lie anywhere: a link that names it again, such as Back, is not asked about."""
    flat = dict(values) | dict(values.get("overrides") or {})
    opened().update(str(flat[name]) for name in vs.PATHS if flat.get(name))


def allowed(values: vs.State) -> tuple[vs.State, list[str]]:
    """Changes of controls as far as this session may make them, and what is to be said: a visitor names no file, a stranger
    none but those in the view and what was handed over."""
    flat = {**values, **(values.get("overrides") or {})}
    named = {name for name in (*vs.PATHS, vs.DOWNLOAD) if flat.get(name) and not _may_set(name, str(flat[name]))}
    if not named:
        return values, []
    kept: dict[str, Any] = {name: value for name, value in values.items() if name not in named}
    if "overrides" in kept:
        kept["overrides"] = {name: value for name, value in kept["overrides"].items() if name not in named}
    return vs.with_changes({}, kept), [refusal()]


def _may_set(name: str, value: str) -> bool:
    if audience.visitor():
        return False
    if not audience.guest():
        return True
    now = st.session_state.get("state") or {}
    seen = {
        now.get("own"),
        *(now.get("overrides") or {}).values(),
    }  # a shared link shows it; setting it again opens nothing new
    return name in ("own", "dataset.data") and (value in seen or public.may_open(store(), value))


def question() -> tuple[dict[str, str], vs.Question] | None:
    """The link that waits for an answer, with what it asks for."""
    waiting: tuple[dict[str, str], vs.Question] | None = st.session_state.get(_QUESTION)
    return waiting


def follow(query: dict[str, str]) -> None:
    """Read a link again, after you agreed to what it asks for."""
    memory = st.session_state
    memory["state"], memory["notices"] = read_link(query)
    memory["touched"] = True


def leave_unanswered() -> None:
    """Drop the question; the view stays without what it asks for."""
    st.session_state[_QUESTION] = None
