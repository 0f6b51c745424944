"""The store's named forget sets in pages: what a link's key holds, and the sentence that says which set is in use."""

from __future__ import annotations

import streamlit as st

from pages.common.services import store
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.sets import ForgetSet, NamedSets

UNKNOWN = (
    "The forget set of this view is not in this store, or belongs to other data (another dataset, corruption or seed); the "
    "discovery rate is used instead."
)


def resolved(state: vs.State) -> tuple[vs.State, list[str]]:
    """The state with the training indices that its forget set's key stands for, or without that key where it is unknown."""
    plain = {name: value for name, value in state.items() if name not in ("indices", "relabelled")}
    if not state["forget"]:
        return plain, []
    try:
        found = content(vs.to_scenario(plain | {"forget": ""}).corruption_key, state["forget"])
    except UserError:  # the page says what is wrong with the scenario
        return plain | {"forget": ""}, []
    if found is None or not found.indices:
        return plain | {"forget": ""}, [UNKNOWN]
    return plain | {"indices": found.indices, "relabelled": found.labels}, []


def named(of: str) -> NamedSets:
    """The named sets of the data with this corruption key."""
    return NamedSets(store(), of)


def content(of: str, key: str) -> ForgetSet | None:
    """What this content key holds. A content never changes, so it is read once."""
    return _content(store().location, of, key)


def _content(location: str, of: str, key: str) -> ForgetSet | None:
    memory: dict[tuple[str, str, str], ForgetSet] = _memory()
    if (location, of, key) not in memory:
        found = named(of).content(key)
        if found is None:  # it may come later
            return None
        if len(memory) >= 64:
            memory.clear()
        memory[location, of, key] = found
    return memory[location, of, key]


@st.cache_resource(show_spinner=False)
def _memory() -> dict[tuple[str, str, str], ForgetSet]:
    return {}
