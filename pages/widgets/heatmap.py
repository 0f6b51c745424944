"""The heatmap's parts: what is shown, what is missing and would cost, the runs behind a cell, the table to take away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages.cache import catalog
from pages.session import audience, binding
from pages.session.notices import errors_as_notices
from pages.session.services import engine, mine, retry
from pages.widgets import absent_files, jobs, show
from unlearn_core import view_state as vs
from unlearn_core.results import table_export as sheets
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.heatmap import data as cells
from unlearn_core.views.heatmap import figure as heatmap_figure
from unlearn_core.views.heatmap.links import cell_text
from unlearn_core.views.heatmap.sentences import cost_sentence, missing_sentence
from unlearn_core.views.heatmap.tasks import Cell
from unlearn_core.views.picture import Picture

if TYPE_CHECKING:
    from unlearn_core.engine import JobView
    from unlearn_core.results.gallery import Gallery
    from unlearn_core.specs import MethodSpec
    from unlearn_core.stages.stage import Stage
    from unlearn_core.views.heatmap.missing import Estimate
    from unlearn_core.views.heatmap.scale import MetricScale

TITLE = "Heatmap"
REDRAW = 12
"""Runs of a large job that finish before the picture is drawn again."""
_NO_BUTTONS = ["select2d", "lasso2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "resetScale2d"]
_WORDS = {
    "values": {"tuned": "tuned", "paper": "paper"},
    "rows": {"chosen": "chosen", "stored": "all with results", "all": "all there are", "both": "both values"},
    "tasks": {"map": "the map", "stored": "with results", "kinds": "kinds"},
    "scale": {"plain": "as measured", "relative": "original 0, oracle 1"},
    "order": {"family": "by family", "score": "best first"},
}


def gallery() -> Gallery | None:
    """The precomputed results, where there are some."""
    from unlearn_core.results.gallery import gallery

    return gallery()


def switch(state: vs.State, name: str) -> None:
    """One of the small choices above the picture."""
    if not binding.hidden(state, name):
        words = _WORDS[name]
        st.segmented_control(options=list(words), format_func=lambda value: words[value], **binding.widget_args(state, name))


def shown_rows(
    state: vs.State,
    table: pd.DataFrame,
    specs: dict[cells.RowKey, MethodSpec],
    mine: list[cells.RowKey],
    tasks: list[Cell],
    higher: bool,
    apart: Sequence[cells.RowKey] = (),
) -> pd.DataFrame:
    """The rows that this view asks for, in its order. ``mine``: the chosen methods with this view's parameters; ``apart``: rows
    that belong to another page, and are shown only if they were chosen."""
    inside = cells.in_set(state["values"], specs)
    usual = [who for who in specs if who[1] in ("", cells.PAPER) and inside(*who)]

    def keep(*who: str) -> bool:
        if who in mine:
            return True
        if state["rows"] == "chosen" or who in apart or not (state["rows"] == "both" or inside(*who)):
            return False
        return catalog.fits(state, who[0])

    rows = cells.rows_of(table, [*usual, *mine] if state["rows"] == "all" else mine, keep)
    return cells.by_score(rows, table, tasks, higher) if state["order"] == "score" else rows


def running_job() -> JobView | None:
    """The newest job of this page, found again after a reload."""
    return next((job for job in engine().jobs() if job.title.startswith(TITLE) and mine(job.id)), None)


def progress(job: JobView | None) -> None:
    """The running job, or what failed in the last one."""
    if job is None:
        return
    if jobs.running(job):
        jobs.panel((), job, redraw=REDRAW if len(job.stages) > REDRAW else 1)
        return
    failed = [stage for stage in job.stages if stage.state == "failed"]
    if failed and not audience.visitor():  # messages may name what is on the lecturer's computer
        with st.expander(f"{len(failed)} of {len(job.stages)} stages failed", icon=":material/error:"):
            for stage in failed[:20]:
                st.markdown(f"**{escape_markdown(stage.title)}** · {escape_markdown(audience.told(stage.message))}")
                if stage.params:
                    st.caption(escape_markdown(", ".join(f"{name}={value}" for name, value in stage.params.items())))
            st.button("Try these again", icon=":material/refresh:", key="grid-retry", on_click=_retry, args=(job.id,))
    elif job.state == "cancelled":
        st.info("The runs were cancelled; what had finished is kept.", icon=":material/info:")


def _retry(job_id: str) -> None:
    with errors_as_notices():
        retry(job_id)


def fill(state: vs.State, wanted: list[Any], estimate: Estimate, empty: int, busy: bool) -> None:
    """What is missing, what it would cost, and the button that runs it."""
    if binding.hidden(state, "grid_missing") or not wanted or audience.visitor() or absent_files.absent():
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        workers = sum(not worker.spare for worker in engine().status().workers)
        cost = cost_sentence(estimate.seconds, estimate.guessed, workers)
        st.markdown(f"{missing_sentence(empty, estimate.runs, estimate.originals)}  \n{cost}")
        if not binding.hidden(state, "seeds"):
            st.number_input(min_value=1, max_value=10, step=1, width=130, **binding.widget_args(state, "seeds", int))
        st.button(
            "Run these", type="primary", icon=":material/play_arrow:", key="grid-run", disabled=busy,
            on_click=_run_missing, args=(wanted, estimate.runs),
        )  # fmt: skip


def _run_missing(wanted: list[Any], runs: int) -> None:
    from unlearn_core.stages.unlearn import plan_runs, share_models

    with errors_as_notices():
        stages: dict[str, Stage] = {s.key: s for scenario, specs in wanted for s in plan_runs(scenario, specs)}
        jobs.hand_over(share_models(list(stages.values())), f"{TITLE}: {runs} missing runs")


def measure(state: vs.State, found: cells.HeatmapData, busy: bool) -> None:
    """Values that can be measured from stored models, on request: it takes a moment for each."""
    if not found.pending or audience.visitor() or absent_files.absent() or binding.hidden(state, "grid_missing"):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{found.unmeasured} values of stored models have not been measured yet: those of the originals, and comparisons "
            "with models that were trained later."
        )
        st.button(
            "Measure them", icon=":material/straighten:", key="grid-measure", disabled=busy,
            on_click=_measure_pending, args=(found,),
        )  # fmt: skip


def _measure_pending(found: cells.HeatmapData) -> None:
    from unlearn_core.stages.metrics import plan_measures

    with errors_as_notices():
        jobs.hand_over(plan_measures(found.pending), f"{TITLE}: {found.unmeasured} values to measure")


def drawn_once(
    table: pd.DataFrame,
    rows: pd.DataFrame,
    tasks: list[Cell],
    how: MetricScale,
    shares: Mapping[tuple[float, float, str], float],
) -> Picture:
    """The heatmap; where nothing that it shows has changed since this person last saw it, as after a click, the same one."""
    hashes = [int(pd.util.hash_pandas_object(frame, index=False).sum()) for frame in (table, rows)]
    key = (*hashes, tuple(rows["method"] + rows["variant"]), tuple(tasks), how, tuple(sorted(shares.items())))
    kept = st.session_state.get("heatmap-drawn")
    if kept is None or kept[0] != key:
        kept = (key, heatmap_figure.heatmap(table, rows, tasks, how, memorised=shares))
        st.session_state["heatmap-drawn"] = kept
    found: Picture = kept[1]
    return found


def picture(shown: Picture, metric: str, origin: str) -> None:
    """The heatmap; a click on a cell opens its runs below. ``metric``: what is shown, in words; ``origin``: :func:`origin`."""
    config = {"displaylogo": False, "modeBarButtonsToRemove": _NO_BUTTONS}
    config |= {"toImageButtonOptions": {"filename": "eunoe-heatmap", "scale": 2}}
    show.keep_readable(shown, "figure:grid")
    st.plotly_chart(shown.figure, key="figure:grid", alt=shown.alt, config=config, on_select=_clicked, selection_mode="points")
    words = shown.caption + (show.PRECOMPUTED if origin else "")
    show.caption(words, shown.data, "grid", notes=[metric, origin], figure="figure:grid")


def _clicked() -> None:
    points = st.session_state["figure:grid"]["selection"]["points"]
    if points and points[0].get("customdata"):
        method, variant, *dials = points[0]["customdata"]
        binding.change(cell=cell_text(method, variant, Cell(*dials)))


def export(state: vs.State, table: Callable[[], pd.DataFrame] | None, title: str) -> None:
    """The table to take away, made when it is taken (None: there is none); the camera above the picture saves that as PNG."""
    if binding.hidden(state, "export"):
        return
    with st.popover("Export", icon=":material/download:", width="stretch", help="The table as CSV, LaTeX or HTML"):
        if table is None:
            st.caption("There is nothing to export yet.")
            return
        st.caption(f"{title}: mean ± standard error (number of seeds). The picture itself is behind its ⋯.")
        files = {
            "CSV": ("csv", "text/csv", lambda: sheets.csv_text(table())),
            "LaTeX": ("tex", "text/plain", lambda: sheets.latex(sheets.wide(table(), "$\\pm$"))),
            "HTML": ("html", "text/html", lambda: sheets.wide(table(), "±").to_html()),
        }
        for name, (ending, mime, make) in files.items():
            st.download_button(
                name, data=make, file_name=f"eunoe-heatmap.{ending}", mime=mime, key=f"export:{ending}", on_click="ignore",
                width="stretch",
            )  # fmt: skip


def origin(found: cells.HeatmapData, precomputed: Gallery | None) -> str:
    """Where precomputed cells come from; empty if there are none."""
    there = found.runs.loc[found.runs["source"] == cells.GALLERY, "key"]
    return precomputed.line_of(set(there)) if precomputed is not None and len(there) else ""


def sources(found: cells.HeatmapData) -> None:
    """What is stored but not shown."""
    if found.other_rates:
        told = "; ".join(
            f"{100 * rate:.3g} %, {count} kind{'s' if count != 1 else ''}" for rate, count in found.other_rates.items()
        )
        st.caption(f"Kinds with results at other discovery rates: {told}. The slider under **More** takes you there.")
    if len(found.elsewhere):
        one, more = len(found.elsewhere) == 1, " …" if len(found.others) > cells.NAMED else ""
        st.caption(
            f"{'1 run' if one else f'{len(found.elsewhere):,} runs'} of this dataset {'has' if one else 'have'} other options "
            "(network, amount, training: "
            f"{'; '.join(found.others[: cells.NAMED])}{more}) and are not mixed in: set these in Craft to see them."
        )


def other_values(state: vs.State, found: cells.HeatmapData, specs: dict[cells.RowKey, MethodSpec]) -> None:
    """How many runs have the values that are not chosen here."""
    if state["rows"] in ("chosen", "both"):
        return
    inside = cells.in_set(state["values"], specs)
    pairs = found.runs[["method", "variant"]].itertuples(index=False, name=None)
    if apart := sum(not inside(*who) for who in pairs):
        other = "papers’" if state["values"] == "tuned" else "tuned"
        count = "1 run has" if apart == 1 else f"{apart:,} runs have"
        st.caption(f"{count} the {other} values: switch **Values**, or show **both values**, to see them.")
