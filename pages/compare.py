"""Compare: two to six methods on one scenario, run, watched, measured side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog, costs
from pages.session import audience, binding
from pages.session.services import job_for, store
from pages.widgets import absent_files, jobs, own_methods, show
from pages.widgets import comparison as results
from pages.widgets import comparison_tabs as panels
from pages.widgets import method_chooser as chooser
from pages.widgets import reference_models as attacks
from pages.widgets import worst_case as worst
from pages.widgets.page import end_on_error, end_page, page
from unlearn_core import view_state as vs
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.views.text.sentences import outcome, reference_note, scenario_line

if TYPE_CHECKING:
    import pandas as pd

    from unlearn_core.engine import JobView
    from unlearn_core.specs import MethodSpec, Scenario


def see(state: vs.State) -> str:
    if vs.truth_known(state):
        return "the same corrupted model, repaired in different ways, measured against the truth."
    return "the same model, repaired in different ways with your list, measured by what can be known."


def attempt(state: vs.State) -> str:
    if vs.truth_known(state):
        return "lower the discovery rate in Craft, and see which methods still heal what was not found."
    return "look for little left of the wrong labels at no loss of utility, then take that model with you under Export."


def nothing_to_show(state: vs.State, job: JobView | None, specs: Sequence[MethodSpec]) -> None:
    """Why there is no result, and what helps."""
    if not jobs.running(job) and not specs:
        st.info("Until something is known to be wrong there is nothing to compare.", icon=":material/info:")
    elif absent_files.absent():
        st.info("No results of this very task come with Eunoe; Heatmap shows those that do.", icon=":material/grid_on:")
        absent_files.nearest(state)
    elif jobs.may_ask(job):
        st.info(
            f"Nothing is computed yet for this scenario. Press **Run**: it trains the original model and {len(specs)} "
            "methods, and results appear here one by one.",
            icon=":material/play_arrow:",
        )


def explained(state: vs.State, names: Sequence[str], scenario: Scenario, specs: Sequence[MethodSpec]) -> None:
    """What stands behind the results: each method's card, where each does worst, and methods of one's own."""
    cards, lowest, own = st.columns([5, 1.15, 1.15])
    with cards:
        chooser.cards(state, list(names))
    with lowest:
        worst.button(state, scenario, specs)
    if not binding.hidden(state, "parameters"):
        with own:
            own_methods.panel()


def measured(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    """The sentence and the table."""
    words, side = st.columns([6, 1], vertical_alignment="bottom")
    words.markdown(outcome(frame, state["discovery"], vs.edited(state)))
    if not binding.hidden(state, "table"):
        if not binding.hidden(state, "columns"):
            with side:
                results.columns(state)
        wanted = vs.columns_shown(state)
        results.table(frame, "compare", wanted)
        show.let_paint()
        results.choices(scenario, specs)
        attacks.offer(scenario, wanted)
    st.caption(reference_note(state["discovery"], vs.edited(state), vs.truth_known(state)))


with page("Compare methods", see=see, attempt=attempt) as (state, corner):
    run = chooser.choose(state)
    names, blocked = catalog.split_by_need(state)
    if blocked:
        st.info(catalog.why_blocked(state, blocked, "use"), icon=":material/block:")

    with end_on_error():
        scenario = vs.to_scenario(state)
        specs = vs.to_methods(state, names)
        # Without its files a task cannot be checked, nor run: what is stored of it is shown.
        stages = [] if absent_files.absent() else plan_runs(scenario, specs)
    with corner:
        show.share(state, names)

    job = job_for(stages)
    stored = store().has(stage.key for stage in stages)
    missing = [stage for stage in stages if stage.key not in stored]
    st.markdown(scenario_line(scenario.model_dump(), catalog.dataset_label(state["dataset"]), state["values"]))
    enough = len(state["methods"]) >= vs.MIN_METHODS
    title = f"{catalog.dataset_label(state['dataset'])}: {len(specs)} methods"
    if stages:
        jobs.run_button(run, "Run" if missing else "All cached", bool(missing) and enough, stages, title)
    worst.sentence(state)
    to_run = [spec for spec in specs if scenario.run_key(spec) not in stored]
    if to_run and enough and not audience.visitor() and not absent_files.absent():
        with end_on_error():
            st.caption(" ".join(costs.expected(scenario, to_run)))
    if not enough:
        st.info("Choose at least two methods to compare.", icon=":material/info:")

    jobs.panel(stages, job)
    frame = results.frame_of(scenario, specs, st.session_state.get("asked", set()))
    if "original" not in set(frame["method"]) or len(frame) < 2:
        explained(state, names, scenario, specs)
        nothing_to_show(state, job, specs)
        end_page()

    measured(state, scenario, specs, frame)
    explained(state, names, scenario, specs)
    panels.tabs(state, scenario, specs, frame)
