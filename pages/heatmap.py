"""Heatmap: every method on every task, what is missing, and the runs behind each cell."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.cache import catalog
from pages.session import binding
from pages.session.services import store
from pages.widgets import absent_files, heatmap_cell, jobs, show
from pages.widgets import heatmap as grids
from pages.widgets.page import end_on_error, page
from unlearn_core import view_state as vs
from unlearn_core.results import memorised
from unlearn_core.views.heatmap import data as cells
from unlearn_core.views.heatmap import figure as heatmap_figure
from unlearn_core.views.heatmap.kinds import kinds_data
from unlearn_core.views.heatmap.links import cell_of, cell_today
from unlearn_core.views.heatmap.missing import estimate, missing
from unlearn_core.views.heatmap.scale import scale_of
from unlearn_core.views.heatmap.sentences import empty_cells
from unlearn_core.views.heatmap.tasks import tasks_of
from unlearn_core.views.table import explanation


def choices(state: vs.State) -> None:
    """Which data, which metric and scale, and which rows and columns in what order."""
    places = st.columns([1.15, 1.3, 2.75, 0.75], vertical_alignment="bottom")
    if not binding.hidden(state, "dataset"):
        places[0].selectbox(
            options=catalog.dataset_names(state), format_func=catalog.dataset_label, **binding.widget_args(state, "dataset")
        )
    if not binding.hidden(state, "cell_metric"):
        places[1].selectbox(
            options=list(catalog.metrics()), format_func=catalog.metric_label, **binding.widget_args(state, "cell_metric")
        )
    with places[2]:
        grids.switch(state, "rows")
    with places[3]:
        more(state)


def more(state: vs.State) -> None:
    """The rest of the choices, in a drawer."""
    names = [name for name in ("scale", "order", "values", "tasks") if not binding.hidden(state, name)]
    in_kinds = state["tasks"] == "kinds" and not binding.hidden(state, "discovery")
    if not names and not in_kinds:
        return
    with st.popover("More", icon=":material/tune:", width="stretch", help="Scale, order, values and tasks"):
        for name in names:
            grids.switch(state, name)
        if in_kinds:
            rate = binding.widget_args(state, "discovery", float)
            st.slider(min_value=0.0, max_value=1.0, step=0.05, format="percent", **rate)


def nothing_to_show(state: vs.State) -> None:
    """Why every cell is hatched, and what helps."""
    if absent_files.absent():
        st.info("No results of this setting come with Eunoe.", icon=":material/grid_on:")
        return
    st.info(
        f"Nothing has been run on {catalog.dataset_label(state['dataset'])} with these options yet. **Run these** below "
        "fills the hatched cells, and results appear as they come; or run a few methods in Compare.",
        icon=":material/play_arrow:",
    )


with page(
    "Heatmap: every method, every task",
    see=lambda state: (
        "how well each method does on each kind of corruption, where the same share of it is discovered."
        if state["tasks"] == "kinds"
        else "how well each method does as the corruption gets more regular and more of it is discovered."
    ),
    attempt="click a cell for its runs, or measure from the original (0) to the oracle (1).",
    corner=2,
) as (state, corner):
    state = binding.open_with(state, rows="chosen")
    take, share = corner.columns(2, vertical_alignment="bottom")
    with share:
        show.share(state, list(state["methods"]))

    if vs.as_found(state):
        st.info(
            "Labels as they come have no place on the dial. The heatmap shows the same data corrupted in a controlled way.",
            icon=":material/info:",
        )
    with end_on_error():
        # Neither an edited forget set nor corruption as found has a place on the plane.
        placed = state | {"forget": ""} | vs.change_kind(state, {"corruption": "dial"})
        scenario = vs.to_scenario(placed)
        chosen = vs.to_methods(placed, dict.fromkeys([*state["methods"], *catalog.REFERENCES]))
        in_kinds = state["tasks"] == "kinds"
        seen = placed if vs.as_found(state) else state  # the kind that is seen keeps its parameters
        kinds = {kind: vs.to_scenario(view) for kind, view in vs.kind_states(seen).items()} if in_kinds else {}

    metric = catalog.metrics()[state["cell_metric"]]
    choices(state)

    job = grids.running_job()
    precomputed = grids.gallery()
    if in_kinds:
        found, tasks = kinds_data(store(), kinds, metric.name, precomputed.with_kinds if precomputed else None)
    else:
        found = cells.heatmap_data(store(), scenario, metric.name, precomputed.on_dial if precomputed else None)
        tasks = tasks_of(found.runs, scenario, everything=state["tasks"] == "stored")
    scenarios = {"": scenario} | kinds
    values = cells.relative(found.runs) if state["scale"] == "relative" else found.runs
    how = scale_of(metric, state["scale"] == "relative")
    table = cells.cells(values)
    specs = cells.specs_of(store(), found.runs, scenario, chosen)
    mine = cells.who(chosen, scenario, found.runs)
    # A quick search for suspects, as the page Forget set runs it, is no method to compare.
    quick = cells.who([vs.to_search(placed | {"search": "quick"})], scenario, found.runs)
    rows = grids.shown_rows(state, table, specs, mine, tasks, how.higher, quick)
    shares = memorised.of_tasks(found.runs)
    opened = cell_of(state["cell"]) if state["cell"] else None
    opened = cell_today(opened, scenario, found.runs) if opened else None
    picture = grids.drawn_once(table, rows, tasks, how, shares)
    heatmap_figure.frame(picture, rows, tasks, opened)
    shown = {(row["method"], row["variant"]) for row in rows.to_dict("records")}
    wanted = missing(found.runs, scenarios, {who: spec for who, spec in specs.items() if who in shown}, tasks, state["seeds"])

    grids.progress(job)
    if state["rows"] != "chosen" and (narrowed := catalog.narrowed(state)):
        st.caption(f"{narrowed} Chosen on Compare; what is chosen there stays.")
    if found.runs.empty:
        nothing_to_show(state)
    if not binding.hidden(state, "grid"):
        grids.picture(picture, f"**{metric.label}.** {explanation(metric)}", grids.origin(found, precomputed))
    with take:  # after the picture, which is what people wait for
        any_value = bool(table["n"].sum())

        def long() -> pd.DataFrame:
            return memorised.in_tasks(cells.long_table(values, metric.name, rows, tasks, scenarios), found.runs)

        grids.export(state, long if any_value else None, how.label)
    grids.measure(state, found, jobs.running(job))
    empty = empty_cells(picture)
    grids.fill(state, wanted, estimate(store(), wanted, found.runs, found.elsewhere), empty, jobs.running(job))
    grids.other_values(state, found, specs)
    grids.sources(found)
    heatmap_cell.panel(state, found, rows, tasks, opened)
