"""The demo on images: what is corrupted, how much of it is known, and what heals once it was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.session import binding
from pages.session.services import borrowed, job_for, store
from pages.widgets import comparison as results
from pages.widgets import examples, jobs, show
from unlearn_core import view_state as vs
from unlearn_core.views.compare.figure import healed_utility
from unlearn_core.views.task_map import task_map
from unlearn_core.views.text.sentences import outcome, reference_note

if TYPE_CHECKING:
    import pandas as pd

    from unlearn_core.engine import JobView
    from unlearn_core.specs import Scenario
    from unlearn_core.stages.stage import Stage


def panel() -> None:
    """Buttons, three pictures, and the table below them."""
    from unlearn_core.stages.unlearn import plan_runs

    state = vs.default_state()
    scenario, specs = vs.to_scenario(state), vs.to_methods(state)
    stages = plan_runs(scenario, specs)
    job = job_for(stages)  # before the store is read: what finishes in between is seen there
    stored = store().has(stage.key for stage in stages)
    ready = len(stored) == len(stages)
    frame = results.frame_of(scenario, specs) if stages[0].key in stored else None
    _buttons(state, stages, job, ready)
    jobs.panel(stages, job)
    _pictures(state, scenario, frame if ready else None)
    if frame is not None and len(frame) > 1:
        st.markdown(outcome(frame, state["discovery"]))
        results.table(frame, "demo", vs.HEADLINES)
        st.caption(reference_note(state["discovery"]))
        if origin := borrowed(frame["key"]):
            st.caption(origin)


def _buttons(state: vs.State, stages: list[Stage], job: JobView | None, ready: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if jobs.running(job):
            st.button("Running …", icon=":material/hourglass_top:", key="busy", disabled=True)
        elif not ready:
            st.button(
                "Run the demo", type="primary", icon=":material/play_arrow:", key="demo", on_click=jobs.hand_over,
                args=(stages, "Demo: digits, trigger, 30 % discovered"),
            )  # fmt: skip
        if st.button(
            "Open the demo in Compare", type="primary" if ready else "secondary", icon=":material/balance:", key="to-compare"
        ):
            binding.change(**state)
            st.switch_page("pages/compare.py")
        if st.button("Craft your own corruption", icon=":material/tune:", key="to-craft"):
            st.switch_page("pages/craft.py")


def _pictures(state: vs.State, scenario: Scenario, frame: pd.DataFrame | None) -> None:
    """Corrupt, discover a part, heal; ``frame``: the comparison, once all of it is there."""
    from unlearn_core.views.craft.data import preview, triggers

    shown = preview(scenario, limit=4)
    left, middle, right = st.columns(3, border=True)
    with left:
        st.markdown("**1 · Corrupt**")
        examples.grid(shown.examples, triggers(scenario), few=True)
        st.caption(f"{shown.corrupted} of {shown.train_size:,} training digits carry a bright patch and the label “0”.")
    with middle:
        st.markdown("**2 · Discover a part**")
        show.picture(task_map(1.0, state["discovery"], catalog.regions(state["methods"]), height=300), "start-plane")
    with right:
        st.markdown("**3 · Heal**")
        if frame is not None:
            show.picture(healed_utility(frame, height=300), "start-scatter")
        else:
            st.markdown(
                "One model is repaired in five ways: how much heals, and at what cost. **Nothing is drawn before it "
                "is computed.**"
            )
            st.caption("Six short trainings, about 20 seconds on two processor cores.")
