"""The pictures and the table of a comparison, shared by Start and Compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.common import catalog, show
from pages.common.services import store
from unlearn_core import figures
from unlearn_core.figures.table import comparison_table, explanation, metric_frame

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario

HEADLINES = (
    "healed_x_utility",
    "healed",
    "healed_discovered",
    "healed_undiscovered",
    "utility",
    "forget_accuracy",
    "attack_success",
    "confused_accuracy",
    "seconds",
)


def frame_of(scenario: Scenario, methods: Sequence[MethodSpec], new: Sequence[str] = ()) -> pd.DataFrame:
    """One row for the original and for every stored run, in the chosen order; ``new``: keys computed in this session."""
    from unlearn_core.insight import tables

    frame = figures.ordered(tables.comparison(store(), scenario, methods), [spec.name for spec in methods])
    keys = {"original": scenario.original_key} | {spec.name: scenario.run_key(spec) for spec in methods}
    return frame.assign(cached=[keys[name] not in new for name in frame["method"]])


def table(frame: pd.DataFrame, name: str, only: Sequence[str] | None = None) -> None:
    """The table with the best of each column marked; each column explains itself when pointed at."""
    metrics = catalog.metrics()
    chosen = {key: metrics[key] for key in only or metrics if key in metrics}
    columns = {metric.label: st.column_config.Column(help=explanation(metric)) for metric in chosen.values()}
    columns["Model"] = st.column_config.Column(pinned=True, help="Open markers are references, not methods to choose.")
    st.dataframe(comparison_table(frame, chosen), hide_index=True, column_config=columns, key=f"table:{name}")
    show.caption(
        "★ marks the best of each column; the original and oracles do not compete. Point at a column’s name for its formula.",
        frame,
        f"{name}-table",
    )


def everything(frame: pd.DataFrame, name: str) -> None:
    """Every metric of every model, and each metric's formula, direction and split."""
    with st.expander("All numbers, and what they mean", icon=":material/functions:"):
        table(frame, f"{name}-all")
        st.dataframe(metric_frame(catalog.metrics()), hide_index=True)


def trajectory_frame(scenario: Scenario, methods: Sequence[MethodSpec]) -> pd.DataFrame:
    """Metrics over the rounds of every stored run."""
    from unlearn_core.insight import tables

    frame = tables.trajectories(store(), scenario, methods)
    known = catalog.methods()
    return frame.assign(oracle=[known[name].oracle for name in frame["method"]])
