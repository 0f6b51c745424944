"""Start: what this is in three pictures, and one button that runs the demo."""

from __future__ import annotations

import streamlit as st

from pages.cache import catalog
from pages.session import binding
from pages.session.services import borrowed, job_for, store
from pages.widgets import comparison as results
from pages.widgets import engine_panel, examples, jobs, show
from pages.widgets.page import page
from unlearn_core import view_state as vs
from unlearn_core.views.compare.figure import healed_utility
from unlearn_core.views.task_map import task_map
from unlearn_core.views.text.sentences import outcome, reference_note

with page(
    "Corrupt, discover a part, unlearn – and see what heals",
    see="real digits, some with a planted trigger and a wrong label, of which only a part was found.",
    attempt="run the demo: five ways to repair the same model, in seconds, on this machine.",
    corner=0,
    footer=False,
):
    engine_panel.panel()
    loading = st.empty()
    loading.caption("Loading the digits and the methods …")

    demo = vs.default_state()
    scenario = vs.to_scenario(demo)
    specs = vs.to_methods(demo)
    # After the first lines are on the screen.
    from unlearn_core.stages.unlearn import plan_runs
    from unlearn_core.views.craft.data import preview, triggers

    stages = plan_runs(scenario, specs)
    job = job_for(stages)
    stored = store().has(stage.key for stage in stages)
    ready = len(stored) == len(stages)
    shown = preview(scenario, limit=4)
    frame = results.frame_of(scenario, specs) if stages[0].key in stored else None
    loading.empty()

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
            binding.change(**demo)
            st.switch_page("pages/compare.py")
        if st.button("Craft your own corruption", icon=":material/tune:", key="to-craft"):
            st.switch_page("pages/craft.py")
    jobs.panel(stages, job)
    left, middle, right = st.columns(3, border=True)
    with left:
        st.markdown("**1 · Corrupt**")
        examples.grid(shown.examples, triggers(scenario), few=True)
        st.caption(f"{shown.corrupted} of {shown.train_size:,} training digits carry a bright patch and the label “0”.")
    with middle:
        st.markdown("**2 · Discover a part**")
        show.picture(task_map(1.0, demo["discovery"], catalog.regions(demo["methods"]), height=300), "start-plane")
    with right:
        st.markdown("**3 · Heal**")
        if frame is not None and ready:
            show.picture(healed_utility(frame, height=300), "start-scatter")
        else:
            st.markdown(
                "The demo trains one model on the corrupted digits and repairs it in five ways. Here you will see how "
                "many corrupted examples each way heals, and what it costs in accuracy. **Nothing is drawn before it is "
                "computed.**"
            )
            st.caption("Six short trainings, about 20 seconds on two processor cores.")

    if frame is not None and len(frame) > 1:
        st.markdown("#### What came out")
        st.markdown(outcome(frame, demo["discovery"]))
        results.table(frame, "demo", vs.HEADLINES)
        st.caption(reference_note(demo["discovery"]))
        if origin := borrowed(stage.key for stage in stages):
            st.caption(origin)
