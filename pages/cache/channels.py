"""A stored run opened up once and shared by all sessions: what the page on redirect neurons looks into."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.session.services import store

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.stages.stage import Stage
    from unlearn_core.views.channels.changes import Changes
    from unlearn_core.views.channels.data import Opened
    from unlearn_core.views.picture import Picture


def open_run(scenario: Scenario, spec: MethodSpec) -> Opened:
    """The stored run with its channels. Raises LookupError if it is not stored or has none."""
    return _opened(store().location, scenario.run_key(spec), scenario, spec)


@st.cache_resource(show_spinner=False, max_entries=6)
def _opened(location: str, key: str, _scenario: Any, _spec: Any) -> Opened:
    from unlearn_core.views.channels.data import open_run

    return open_run(store(), _scenario, _spec)


def unfinished(scenario: Scenario, spec: MethodSpec, strength: float) -> list[Stage]:
    """The stages of a worker that the page needs at this strength, as far as they are not stored; none for small data, which
    are measured on the spot."""
    from unlearn_core.views.boundary.stored import computed_elsewhere
    from unlearn_core.views.channels.stage import plan_channels

    if not computed_elsewhere(scenario):
        return []
    stages = plan_channels(scenario, spec, _strengths(strength))
    stored = store().has(stage.key for stage in stages)
    return [stage for stage in stages if stage.key not in stored]


def fill(run: Opened, spec: MethodSpec, strength: float) -> None:
    """Put what workers measured into the opened run. Raises LookupError where that is not stored."""
    from unlearn_core.views.boundary.stored import computed_elsewhere
    from unlearn_core.views.channels.stored import fill

    if computed_elsewhere(run.scenario):
        fill(run, store(), spec, _strengths(strength))


def _strengths(strength: float) -> list[tuple[float, ...]]:
    from unlearn_core.views.channels.strength import STEPS

    return [STEPS] if any(abs(strength - step) < 1e-6 for step in STEPS) else [STEPS, (strength,)]


def changed(scenario: Scenario, spec: MethodSpec) -> Changes:
    """What the stored run changed. Raises LookupError for what is not stored."""
    return _changed(store().location, scenario.run_key(spec), scenario, spec)


@st.cache_resource(show_spinner=False, max_entries=12)
def _changed(location: str, key: str, _scenario: Any, _spec: Any) -> Changes:
    from unlearn_core.views.channels.changes import changes

    return changes(store(), _scenario, _spec)


def cached_picture(run: Opened, key: tuple[Any, ...], draw: Callable[[], Picture]) -> Picture:
    """A picture that does not depend on the strength, drawn once: the slider then only redraws what it moves."""
    if key not in run.memo:
        run.memo[key] = draw()
    picture: Picture = run.memo[key]
    return picture
