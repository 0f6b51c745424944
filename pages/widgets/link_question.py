"""What a link asked for and did not get by itself, on top of the page: files outside the allowed folders, a download."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.session import audience, permission
from pages.session.notices import errors_as_notices
from unlearn_core import view_state as vs
from unlearn_core.support.escaping import escape_markdown

_FETCHED = "link-fetched"
"""The dataset of a link that you let be fetched in this session."""


def bar() -> None:
    """The question of the link on top of the page; nothing where there is none."""
    if (waiting := permission.question()) is None:
        return
    query, asked = waiting
    if st.session_state.get(_FETCHED) == asked.download and _arrived(query, asked):
        st.rerun()
    with st.container(border=True, key="link-asks-box"):
        for text, label, icon, act in _parts(asked):
            st.markdown(text)
            with st.container(horizontal=True, gap="small"):
                st.button(label, icon=icon, key=f"link-{act.__name__}", on_click=act, args=(query, asked))
                st.button("Leave it", key=f"link-leave-{act.__name__}", type="tertiary", on_click=permission.leave_unanswered)
        if asked.download and st.session_state.get(_FETCHED) == asked.download:
            from pages.widgets import get_data

            get_data.progress(asked.download)


def _arrived(query: dict[str, str], asked: vs.Question) -> bool:
    """Whether the dataset that you let be fetched is there; the link is then followed."""
    from pages.cache.catalog import absent_datasets

    if asked.download in absent_datasets():
        return False
    del st.session_state[_FETCHED]
    permission.follow({name: value for name, value in query.items() if name != "dataset.data"})
    return True


def _parts(asked: vs.Question) -> list[tuple[str, str, str, Callable[[dict[str, str], vs.Question], None]]]:
    parts: list[tuple[str, str, str, Callable[[dict[str, str], vs.Question], None]]] = []
    if asked.paths:
        named = ", ".join(f"**{escape_markdown(path)}**" for path in asked.paths)
        parts.append((
            f"The link names files outside the folders that links may open: {named}. Nothing there has been looked at. Open "
            "them only if you know who made the link.",
            "Open these files", ":material/folder_open:", open_paths,
        ))  # fmt: skip
    elif asked.download:
        from pages.cache.catalog import dataset_label  # most links ask for nothing, and their page opens sooner without it

        parts.append((
            f"The link is about {dataset_label(asked.download)}, which is not on this computer. It can be fetched from the "
            "internet into the cache folder.",
            "Download", ":material/download:", fetch,
        ))  # fmt: skip
    return parts


def open_paths(query: dict[str, str], asked: vs.Question) -> None:
    """You agree: the link is read again, with its files."""
    permission.opened().update(asked.paths)
    permission.follow(query)


def fetch(query: dict[str, str], asked: vs.Question) -> None:
    """You agree: a worker brings the dataset into the cache folder, wherever the link wanted it; then the link is read."""
    from pages.widgets import get_data

    with errors_as_notices():
        audience.refuse_visitors()
        st.session_state[_FETCHED] = asked.download
        get_data.fetch(asked.download)
