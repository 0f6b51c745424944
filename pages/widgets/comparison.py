"""The pictures and the table of a comparison, shared by Start and Compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.cache import catalog
from pages.session import binding
from pages.session.services import borrowed, precomputed_results, store
from pages.widgets import show
from unlearn_core import view_state as vs
from unlearn_core.results import table_export as sheets
from unlearn_core.views.compare.figure import ordered
from unlearn_core.views.picture import short_labels
from unlearn_core.views.table import (
    KNOWS,
    comparison_table,
    explanation,
    fitted_note,
    knows_help,
    metric_frame,
    plain_table,
    stars_note,
    without_values,
)

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario


_WIDE = 290
"""Pixels that the longest name of a model gets."""
_USUAL = (vs.HEADLINES, vs.UNKNOWN_HEADLINES)


def frame_of(scenario: Scenario, methods: Sequence[MethodSpec], new: Sequence[str] = ()) -> pd.DataFrame:
    """One row for the original and for every run that is stored or in the gallery, in the chosen order; ``new``: keys computed
    in this session."""
    from unlearn_core.presets import knows
    from unlearn_core.results import tables

    found = tables.comparison(store(), scenario, methods)
    if len(found) <= len(methods):
        found = with_precomputed(found, scenario, methods)
    frame = ordered(found, [spec.name for spec in methods])
    keys = {"original": scenario.original_key} | {spec.name: scenario.run_key(spec) for spec in methods}
    known = {spec.name: " · ".join(knows(spec)) or "nothing" for spec in methods}
    stored = store().has(frame["key"])
    return frame.assign(
        state=["gallery" if key not in stored else "new" if keys[name] in new else "cached"
               for name, key in zip(frame["method"], frame["key"], strict=True)],
        knows=[known.get(name, "–") for name in frame["method"]],
    )  # fmt: skip


def with_precomputed(frame: pd.DataFrame, scenario: Scenario, methods: Sequence[MethodSpec]) -> pd.DataFrame:
    """``frame`` with the gallery's numbers of what is not in the store, gaps to references that are not there among them."""
    from unlearn_core.results.gallery import comparison_rows

    precomputed = precomputed_results()
    if precomputed is None:
        return frame
    rows = comparison_rows(precomputed.comparisons, scenario, methods)
    if not frame.empty:
        frame = frame.set_index("key").fillna(rows.set_index("key")).reset_index()[frame.columns]
    rows = rows[~rows["method"].isin(frame["method"])]
    if rows.empty or frame.empty:
        return rows if frame.empty else frame
    return pd.concat([frame, rows.dropna(axis=1, how="all")], ignore_index=True)


def table(frame: pd.DataFrame, name: str, only: Sequence[str] | None = None) -> None:
    """The table with the best of each column marked; each column explains itself when pointed at."""
    origin = borrowed(frame["key"])
    metrics = catalog.metrics()
    chosen = {key: metrics[key] for key in only or metrics if key in metrics}
    columns = {metric.label: st.column_config.Column(help=explanation(metric)) for metric in chosen.values()}
    longest = max(len(name) for name in short_labels(frame["label"]))
    columns["Model"] = st.column_config.Column(
        pinned=True, help="Open markers are references, not methods to choose.", width=min(_WIDE, 42 + int(6.4 * longest))
    )
    columns[KNOWS] = st.column_config.Column(help=knows_help())
    with st.container(key=f"panel:{name}"):  # a table without a selection has no class of its own to be pointed at
        st.dataframe(comparison_table(frame, chosen), hide_index=True, column_config=columns, key=f"table:{name}")
    absent = without_values(frame, chosen)
    note = f" Without a value here: {', '.join(absent)}." if absent and tuple(chosen) not in _USUAL else ""
    show.caption(
        " ".join(filter(None, (stars_note(frame), fitted_note(frame), "Point at a column’s name for its formula.")))
        + note + (show.PRECOMPUTED if origin else ""),
        frame,
        f"{name}-table",
        {
            "LaTeX": ("tex", "text/plain", lambda: sheets.latex(plain_table(frame, chosen))),
            "HTML": ("html", "text/html", lambda: plain_table(frame, chosen).to_html()),
        },
        [origin],
    )  # fmt: skip


def choices(scenario: Scenario, methods: Sequence[MethodSpec]) -> None:
    """What some of the runs settled by themselves, in words."""
    from unlearn_core.views.text.choices import choices

    if found := choices(store(), scenario, methods):
        st.caption(" ".join(found))


def columns(state: vs.State) -> None:
    """A button that opens the choice of the table's columns: any of the metrics, or a set in one click."""
    with st.popover("Columns", icon=":material/view_column:", width="stretch", help="Choose which metrics the table shows"):
        st.multiselect(
            options=list(catalog.metrics()),
            format_func=catalog.metric_label,
            placeholder="Choose metrics",
            **binding.widget_args(state, "columns", tuple, lambda _: list(vs.columns_shown(state))),
        )
        with st.container(horizontal=True):
            for name, chosen in (("Headlines", vs.HEADLINES), ("All metrics", tuple(catalog.metrics()))):
                st.button(name, key=f"columns:{name}", on_click=binding.change, kwargs={"columns": chosen}, width="stretch")


def meanings() -> None:
    """Every metric's formula, direction and split."""
    frame = metric_frame(catalog.metrics())
    show.text_table(frame)
    show.caption("What every number means, how it is computed, and on which data.", frame, "metrics")


def trajectory_frame(scenario: Scenario, methods: Sequence[MethodSpec], frame: pd.DataFrame) -> pd.DataFrame:
    """Metrics over the rounds of every run that is stored or comes with a lesson; ``frame`` has the original, where most
    methods start."""
    from unlearn_core.results import tables
    from unlearn_core.views.compare import time_axis as paces

    known = catalog.methods()
    precomputed = precomputed_results()
    told = precomputed.lessons.trajectories if precomputed is not None and precomputed.lessons is not None else None
    rounds = tables.trajectories(store(), scenario, methods, told)
    start = frame[frame["method"] == tables.ORIGINAL]
    started = start.iloc[0].to_dict() if len(start) else {}
    paced = paces.normalise_time(
        rounds, started, {name: len(start) > 0 and catalog.starts_from_original(name) for name in known}
    )
    return paced.assign(oracle=[known[name].oracle for name in paced["method"]])


def class_frame(scenario: Scenario, methods: Sequence[MethodSpec]) -> pd.DataFrame:
    """Healing and utility of every stored model, class by class."""
    from unlearn_core.views.compare import classes

    return classes.by_class(store(), scenario, methods)
