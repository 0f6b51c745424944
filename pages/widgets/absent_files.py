"""A dataset whose results come with Eunoe, and whose files do not: what is said while they are not here."""

from __future__ import annotations

import streamlit as st

from pages.session import audience, binding
from pages.session.services import precomputed_results
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError

KEY = "absent-files"
ELSEWHERE = ("start", "lessons", "own")
"""Pages that are about other data."""
WORDS = "Results of **{label}** come with Eunoe, its images do not: they are at {origin}."


def line(state: vs.State) -> None:
    """Where this view's files are not here: that, and a field for their folder; nothing otherwise."""
    from unlearn_core.datasets import registry

    if st.session_state["page"] in ELSEWHERE or not vs.files_absent(state):
        return
    source = registry.get(state["dataset"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(WORDS.format(label=source.label, origin=source.origin))
        if audience.visitor() or audience.guest() or binding.locked(state, "dataset"):
            return
        with st.popover("They are on this computer", icon=":material/folder_open:"):
            st.text_input(
                "Their folder", key=KEY, placeholder="~/CIFAR-10-images", max_chars=400, on_change=_named, args=(state,)
            )


def _named(state: vs.State) -> None:
    if folder := str(st.session_state[KEY]).strip():
        binding.change(overrides=state["overrides"] | {"dataset.data": folder})


def nearest(state: vs.State) -> None:
    """Where nothing of this very task comes with Eunoe: a button that goes to the nearest task of which something does."""
    precomputed = precomputed_results()
    if precomputed is None or (rows := precomputed.on_dial[precomputed.on_dial["dataset"] == state["dataset"]]).empty:
        return
    dials = list(rows[["regularity", "discovery", "seed"]].drop_duplicates().itertuples(index=False, name=None))
    here = state["regularity"], state["discovery"], state["seed"]
    # Another seed tells the same story; another regularity is another corruption.
    away = min(dials, key=lambda one: (abs(one[0] - here[0]), abs(one[1] - here[1]), abs(one[2] - here[2])))
    words = f"Show regularity {away[0]:g}, {100 * away[1]:g} % discovered, seed {away[2]}"
    st.button(words, key="nearest-results", icon=":material/near_me:", on_click=binding.change,
              kwargs={"regularity": away[0], "discovery": away[1], "seed": int(away[2])})  # fmt: skip


def absent() -> bool:
    """Whether what this session looks at cannot be computed here for lack of its files."""
    state = st.session_state.get("state")
    return state is not None and vs.files_absent(state)


def refuse() -> None:
    """Called before anything is computed. Raises :class:`UserError` where its files are not here."""
    if absent():
        raise UserError("The images are not on this computer: give their folder first.")
