"""What a link asked for and did not get by itself: files outside the allowed folders, a download. A button gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.session.services import store
from pages.widgets import show
from unlearn_core import view_state as vs
from unlearn_core.support.escaping import escape_markdown

_QUESTION, _OPENED = "link-asks", "opened-paths"


def read_link(query: dict[str, str]) -> tuple[vs.State, list[str]]:
    """The state of a link, as far as it may be followed at once; what it asks for beyond that is kept for :func:`bar`."""
    memory = st.session_state
    named = any(name in query for name in vs.PATHS)
    state, notices, asked = vs.decode_asking(query, opened(), (store().uploads,) if named else ())
    memory[_QUESTION] = (query, asked) if asked else None
    return state, notices


def opened() -> set[str]:
    """The paths that were typed or agreed to in this session."""
    paths: set[str] = st.session_state.setdefault(_OPENED, set())
    return paths


def remember_typed(values: Mapping[str, Any]) -> None:
    """What a person sets in this session may lie anywhere: a link that names it again, such as Back, is not asked about."""
    flat = dict(values) | dict(values.get("overrides") or {})
    opened().update(str(flat[name]) for name in vs.PATHS if flat.get(name))


def bar() -> None:
    """The question of the link on top of the page; nothing where there is none."""
    if not (waiting := st.session_state.get(_QUESTION)):
        return
    query, asked = waiting
    with st.container(border=True, key="link-asks-box"):
        for text, label, icon, act in _parts(asked):
            st.markdown(text)
            with st.container(horizontal=True, gap="small"):
                st.button(label, icon=icon, key=f"link-{act.__name__}", on_click=act, args=(query, asked))
                st.button("Leave it", key=f"link-leave-{act.__name__}", type="tertiary", on_click=_leave)


def _parts(asked: vs.Question) -> list[tuple[str, str, str, Any]]:
    parts: list[tuple[str, str, str, Any]] = []
    if asked.paths:
        named = ", ".join(f"**{escape_markdown(path)}**" for path in asked.paths)
        parts.append((
            f"The link names files outside the folders that links may open: {named}. Nothing there has been looked at. Open "
            "them only if you know who made the link.",
            "Open these files", ":material/folder_open:", open_paths,
        ))  # fmt: skip
    elif asked.download:
        from pages.cache.catalog import dataset_label

        parts.append((
            f"The link is about {dataset_label(asked.download)}, which is not on this computer. It can be fetched from the "
            "internet into the cache folder.",
            "Download", ":material/download:", fetch,
        ))  # fmt: skip
    return parts


def open_paths(query: dict[str, str], asked: vs.Question) -> None:
    """The person agrees: the link is read again, with its files."""
    opened().update(asked.paths)
    _follow(query)


def fetch(query: dict[str, str], asked: vs.Question) -> None:
    """The person agrees: the dataset comes into the cache folder, wherever the link wanted it, and the link is read again."""
    with show.errors_as_notices():
        vs.download(asked.download)
        _follow({name: value for name, value in query.items() if name != "dataset.data"})


def _follow(query: dict[str, str]) -> None:
    memory = st.session_state
    memory["state"], memory["notices"] = read_link(query)
    memory["touched"] = True


def _leave() -> None:
    st.session_state[_QUESTION] = None
