"""What looks go by, and where they stand, kept between reruns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.session.services import store

if TYPE_CHECKING:
    from unlearn_core.discovery.inquiry import Evidence, Judged
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.looks.data import Standing


def standing(scenario: Scenario, search: MethodSpec, text: str) -> Standing:
    """Where the looks stand after these answers. ``search``: how discovery looks. Raises LookupError where there is no
    evidence."""
    from unlearn_core.views.looks.data import evidence_key

    arguments = store().location, evidence_key(scenario), search.key, text
    found = _standing(*arguments, scenario, search)
    if found.waiting is not None:
        _standing.clear(*arguments, scenario, search)  # what is waited for may be there the next time
    return found


@st.cache_resource(show_spinner=False, max_entries=32)
def _standing(location: str, key: str, search: str, text: str, _scenario: Any, _search: Any) -> Standing:
    from unlearn_core.views.looks.data import read_judged, replay
    from unlearn_core.views.looks.stage import plan_judging

    def judged(known: tuple[int, ...]) -> Judged | None:
        return read_judged(store(), plan_judging(_scenario, _search, known).key)

    return replay(_evidence(location, key, _scenario), key, text, judged)


@st.cache_resource(show_spinner=False, max_entries=8)
def _evidence(location: str, key: str, _scenario: Any) -> Evidence:
    from unlearn_core.views.looks.data import read_evidence

    return read_evidence(store(), _scenario)
