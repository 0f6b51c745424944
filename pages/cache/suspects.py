"""What stored searches for suspects found, and how long one that is not stored would take, kept between reruns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.session.services import store
from unlearn_core.views.suspects import forget_set_edits as edits

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.suspects.data import Suspects


def open_suspects_of(scenario: Scenario, spec: MethodSpec) -> Suspects:
    """What the stored run found. Raises LookupError if it is not stored."""
    return _opened(store().location, scenario.run_key(spec), scenario, spec)


@st.cache_resource(show_spinner=False, max_entries=8)
def _opened(location: str, key: str, _scenario: Any, _spec: Any) -> Suspects:
    from unlearn_core.views.suspects.data import open_suspects

    return open_suspects(store(), _scenario, _spec)


@st.cache_data(show_spinner=False, ttl=60)
def expected_seconds(location: str, keys: tuple[str, ...], _wanted: Sequence[tuple[Scenario, MethodSpec]]) -> float | None:
    """How long what is missing would take; ``_wanted``: pairs of scenario and method."""
    parts = [edits.expected_seconds(store(), scenario, [spec]) for scenario, spec in _wanted]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
