"""The data map on the page Forget set: points to lasso, and what to do with those that were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.session import audience, binding, drafts, selection
from pages.session.services import job_for, store
from pages.widgets import jobs, selecting, set_editor, show, suspects
from unlearn_core.views.datamap.data import map_frame, read_map
from unlearn_core.views.datamap.figure import data_map
from unlearn_core.views.datamap.stage import plan_map

if TYPE_CHECKING:
    from pages.session.searches import Search
    from unlearn_core.views.suspects.data import Suspects

WHAT = (
    "A network that learns the data from scratch is only watched: in every epoch it is asked how probable each given label is. "
    "Nothing has to be known for this map, and it takes half a training."
)


def section(search: Search, found: Suspects | None) -> None:
    """The map of these data, or the button that computes it. ``found``: a search, whose suspects are marked."""
    seen = read_map(store(), search.scenario, search.spec if search.stages else None)
    if seen is None:
        _offer(search)
        return
    selection.begin(search.scenario.corruption_key)
    above = [] if found is None else found.table["index"].head(_threshold(search, found)).tolist()
    frame = map_frame(search.scenario, seen, search.draft.content, above, search.shown_truth and bool(search.stages))
    selecting.chart(data_map(frame), "data-map")
    how, clear = st.columns([3, 1], vertical_alignment="bottom")
    with how:
        selecting.way()
    with clear:
        selecting.clear()
    _selected(search, frame)


def beside_set(search: Search) -> None:
    """The set and the map as tabs, where nothing is known yet."""
    parts = {}
    if not binding.hidden(search.state, "forget_set"):
        parts["Your set"] = lambda: set_editor.editor(search.state, search.scenario, search.draft, search.shown_truth)
    if not binding.hidden(search.state, "data_map"):
        parts["Data map"] = lambda: section(search, None)
    show.tabs(parts, "parts")


def _threshold(search: Search, found: Suspects) -> int:
    """The number of suspects that the slider above says."""
    asked = search.state["cut"]
    return found.start() if asked is None or asked > len(found) else asked


def _offer(search: Search) -> None:
    stages = plan_map(search.scenario)
    job, training = job_for(stages[1:]), job_for(stages[:1])
    st.caption(WHAT + (" This search was stored before its watched run was kept for a map." if search.stages else ""))
    if job is None or training is None or job.id != training.id:  # else it is shown above: the page waits for the original too
        jobs.panel(stages[1:], job)
    if not jobs.running(job) and not audience.visitor():
        st.button(
            "Watch a training run", icon=":material/play_arrow:", key="compute:data-map", on_click=jobs.hand_over,
            args=(stages, "A data map"),
        )  # fmt: skip


def _selected(search: Search, frame: pd.DataFrame) -> None:
    """What was lassoed, the least believed first, with what can be done about it."""
    chosen = [index for index in selection.chosen() if index < len(frame)]
    if not chosen:
        show.note("Lasso, box or click in the map: what is selected is listed here, and on Embedding.")
        return
    selecting.too_many_for_a_link()
    rows = frame.iloc[chosen].sort_values("confidence", kind="stable")
    rows = rows.rename(columns={"role": "truth"}) if search.shown_truth and search.stages else rows.drop(columns="role")
    first, end = suspects.page_of(len(rows), "map-page")
    words = f"{len(rows):,} selected; those whose given label was believed least come first. Mark rows to decide about some."
    columns = ("index", "given", "confidence", "variability", "truth")
    marked = suspects.listing(search.scenario, rows.iloc[first:end], columns, f"map-list:{first}", words, "map-selection")
    if audience.visitor():
        return
    meant, draft = marked or chosen, search.draft
    with st.container(horizontal=True):
        st.button(
            f"Add {len(meant):,} to your set", key="map-add", icon=":material/add:", on_click=drafts.add, args=(draft, meant)
        )
        st.button(
            f"Trust {len(meant):,}", key="map-trust", icon=":material/star:", on_click=drafts.check, args=(draft, meant),
            help="You looked at them, and their given labels are right",
        )  # fmt: skip
