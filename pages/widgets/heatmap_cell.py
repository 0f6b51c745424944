"""The runs behind one cell of the heatmap, each with a link to its comparison."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.cache import catalog
from pages.session import binding
from unlearn_core import view_state as vs
from unlearn_core.views.heatmap import data as cells
from unlearn_core.views.heatmap import figure as heatmap_figure
from unlearn_core.views.heatmap.links import cell_text, overrides_of
from unlearn_core.views.heatmap.runs_table import runs_table
from unlearn_core.views.heatmap.sentences import task_name
from unlearn_core.views.heatmap.tasks import Cell


def panel(
    state: vs.State,
    found: cells.HeatmapData,
    rows: pd.DataFrame,
    tasks: list[Cell],
    opened: tuple[str, str, Cell] | None,
) -> None:
    """The runs behind the open cell, each with a link to its comparison."""
    if binding.hidden(state, "grid_runs"):
        return
    names = [(row["method"], row["variant"]) for row in rows.to_dict("records")]
    labels = dict(zip(names, heatmap_figure.row_names(rows), strict=True))
    if state["cell"] and opened is None:
        st.warning("The link opens a cell that does not exist; choose one below.", icon=":material/info:")
    who = opened[:2] if opened else None
    task = opened[2] if opened else None
    st.markdown("#### The runs of one cell")
    st.caption("Click a cell in the picture, or choose it here.")
    left, right = st.columns(2)
    fixed = binding.locked(state, "cell")
    common: dict[str, Any] = {"on_change": _chosen, "args": (names, tasks), "placeholder": "Choose one", "disabled": fixed}
    st.session_state["cell-row"] = who if who in names else None
    st.session_state["cell-task"] = task if task in tasks else None
    left.selectbox("Model", names, format_func=lambda pair: labels[pair], key="cell-row", **common)
    right.selectbox("Task", tasks, format_func=task_name, key="cell-task", **common)
    if opened is None:
        return
    runs = cells.runs_in(found.runs, *opened)
    if runs.empty:
        st.info("Nothing has been run in this cell yet. **Run these** above computes what is missing.")
        return
    _runs(state, found.metric, runs, *opened)


def _chosen(names: list[tuple[str, str]], tasks: list[Cell]) -> None:
    who, task = st.session_state["cell-row"], st.session_state["cell-task"]
    if who is not None or task is not None:
        method, variant = who or names[0]
        binding.change(cell=cell_text(method, variant, task or tasks[0]))


def _runs(state: vs.State, metric: str, runs: pd.DataFrame, method: str, variant: str, task: Cell) -> None:
    base = link(state, method, variant, task, int(runs["seed"].iloc[0]))
    there = [base | {"seed": int(seed)} for seed in runs["seed"]]  # what a seed cannot unsettle is settled once
    addresses = [f"compare?{vs.encode(view)}" for view in there]
    shown = {name: catalog.metrics()[name] for name in dict.fromkeys((metric, *vs.HEADLINES))}
    table = runs_table(runs, shown, addresses)
    columns = {"Compare": st.column_config.LinkColumn(display_text="open in a new tab")}
    st.dataframe(table, hide_index=True, column_config=columns, key="table:cell")
    with st.container(horizontal=True):
        for view in there[:10]:
            if st.button(f"Compare seed {view['seed']}", icon=":material/balance:", key=f"to-compare:{view['seed']}"):
                binding.change(**view)
                st.switch_page("pages/compare.py")


def link(state: vs.State, method: str, variant: str, task: Cell, seed: int) -> vs.State:
    """The comparison in which this run stands beside the references."""
    methods = tuple(dict.fromkeys((method, *catalog.REFERENCES))) if method in catalog.methods() else state["methods"]
    placed = vs.kind_states(state)[task.kind] if task.kind else state
    # Of this method the parameters of the cell, whatever the view has; the variant says which values they depart from.
    others = {key: value for key, value in placed["overrides"].items() if not key.startswith(f"{method}.")}
    two = method in catalog.methods() and catalog.method_card(method, state).sets
    there = placed | {"regularity": task.regularity, "discovery": task.discovery, "seed": seed, "forget": "", "cell": ""}
    there |= {"overrides": {**others, **overrides_of(method, variant)}, "methods": methods}
    return vs.clamp_state(there | {"values": cells.set_of(variant) if two else state["values"]})[0]
