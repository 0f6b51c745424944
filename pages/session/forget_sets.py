"""The store's named forget sets in pages: what a link's key holds, and the sentence that says which set is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.session import audience, public
from pages.session.services import store
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.support.limits import limits

if TYPE_CHECKING:
    from unlearn_core.forget_sets.in_use import InUse
    from unlearn_core.specs import Scenario

UNKNOWN = (
    "The forget set of this view is not in this store, or belongs to other data (another dataset, corruption or seed); the "
    "discovery rate is used instead."
)


def resolved(state: vs.State) -> tuple[vs.State, list[str]]:
    """The state with the training indices that its forget set's key stands for, or without that key where it is unknown; and
    what is to be said about it, once a session."""
    plain = vs.with_changes({}, {name: value for name, value in state.items() if name not in vs.FILLED})
    if not state["forget"]:
        return plain, []
    try:
        scenario = vs.to_scenario(plain | {"forget": ""})
    except UserError:  # the page says what is wrong with the scenario
        return plain | {"forget": ""}, []
    try:
        found = in_use(scenario, state["forget"])
    except UserError as error:
        return plain | {"forget": ""}, [f"{error} The discovery rate is used instead."]
    if found is None or not found.content.indices:
        return plain | {"forget": ""}, [UNKNOWN]
    told = st.session_state.setdefault("told-sets", set())
    new = () if (key := (scenario.sets_key, state["forget"])) in told else found.said
    told.add(key)
    listed = str(found.scenario.dataset.params.get("listed", ""))
    held = found.content
    return plain | {"indices": held.indices, "relabelled": held.labels, "trusted": held.checked, "listed": listed}, list(new)


def in_use(scenario: Scenario, key: str) -> InUse | None:
    """The set with this content key as the forget set of a scenario, which has none yet; None where the store has no such set.
    Raises :class:`UserError` for one that cannot be used."""
    from unlearn_core.forget_sets import in_use as lists

    memory: dict[tuple[str, str, str, str], InUse] = _memory()
    place = store().location, scenario.sets_key, key, scenario.model_dump_json()
    if place not in memory:
        found = named(scenario).content(key)
        if found is None:  # it may come later
            return None
        used = lists.use_set(scenario, found)
        if len(memory) >= 64:
            memory.clear()
        memory[place] = used
    return memory[place]


def named(scenario: Scenario) -> NamedSets:
    """The named sets of a scenario's data, in the numbers of its training examples; a stranger's own alone."""
    from unlearn_core.forget_sets.in_use import sets_of

    if audience.guest():
        return sets_of(store(), scenario, public.owner(), limits().sets)
    return sets_of(store(), scenario)


def content(sets: NamedSets, scenario: Scenario, key: str) -> ForgetSet | None:
    """What this content key holds. A content never changes, so it is read once."""
    memory: dict[tuple[str, str, str], ForgetSet] = _contents()
    place = store().location, scenario.corruption_key, key
    if place not in memory:
        found = sets.content(key)
        if found is None:  # it may come later
            return None
        if len(memory) >= 64:
            memory.clear()
        memory[place] = found
    return memory[place]


@st.cache_resource(show_spinner=False)
def _memory() -> dict[tuple[str, str, str, str], InUse]:
    return {}


@st.cache_resource(show_spinner=False)
def _contents() -> dict[tuple[str, str, str], ForgetSet]:
    return {}
