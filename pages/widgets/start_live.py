"""The live run beside the start page's picture: a new seed, trained by the workers, and shown as its rounds arrive."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st

from pages.session.notices import errors_as_notices
from pages.session.services import job_for, store
from pages.widgets import jobs, start_picture
from unlearn_core.specs import Scenario

SEEDS = range(1_000, 10_000)
"""Seeds of live runs: none that a report or the development uses."""


def begin(asked: dict[str, Any]) -> None:
    """Give the workers three models at this setting of the sliders, with a new seed."""
    from unlearn_core.views.start.settings import make_start_scenario, models_of
    from unlearn_core.views.start.stage import plan_films

    with errors_as_notices():
        scenario = make_start_scenario(float(asked["regularity"]), float(asked["discovery"]), secrets.choice(SEEDS))
        st.session_state["live"] = scenario
        jobs.hand_over(plan_films(scenario, models_of(scenario)), f"Live run with seed {scenario.seed}")


def show() -> None:
    """The live run of this session, if there is one: the picture is given what there is, and below it stands the progress."""
    scenario: Scenario | None = st.session_state.get("live")
    if scenario is None:
        return
    from unlearn_core.views.start.settings import models_of
    from unlearn_core.views.start.stage import plan_films

    stages = plan_films(scenario, models_of(scenario))
    job = job_for(stages)
    if jobs.running(job):
        _follow(scenario)
    else:
        _feed(scenario)
    jobs.panel(stages, job, redraw=len(stages))


@st.fragment(run_every=0.5)
def _follow(scenario: Scenario) -> None:
    _feed(scenario)


def _feed(scenario: Scenario) -> None:
    """Hand the picture what the store has of the run."""
    from unlearn_core.views.start.data import scene_of
    from unlearn_core.views.start.pack import pack
    from unlearn_core.views.start.settings import models_of

    start_picture.feed(pack([scene_of(store(), scenario, models_of(scenario), unfinished=True)], effort=1))
