"""The engine in detail: its workers, what they compute, what waits, how fast it goes and how long it will take."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.session import audience
from pages.session.services import engine, external
from pages.widgets import jobs
from unlearn_core.engine import WorkerView
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.text.sentences import duration

MOST_REFUSED = 5
"""Refused workers that are explained one by one."""


def panel() -> None:
    """The engine's line with a button behind which everything is, redrawn while it is open and something happens."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        jobs.engine_status()
        if audience.visitor() or audience.guest():  # addresses and processes of another's computer, titles of others' runs
            return
        behind = st.popover(
            "Engine", icon=":material/memory:", type="tertiary", help="Workers, queue, throughput", key="engine",
            on_change="rerun",
        )  # fmt: skip
        if behind.open:
            with behind:
                st.fragment(details, run_every=2.0)()


def details() -> None:
    """Numbers, workers and running jobs."""
    status = engine().status()
    running = [job for job in engine().jobs() if job.state == "running"]
    left = [job.eta for job in running if job.eta is not None]
    places = st.columns(4)
    places[0].metric("Computing", status.running)
    places[1].metric("Waiting", status.waiting)
    places[2].metric("A minute", "–" if status.per_minute is None else f"{status.per_minute:.1f}", help="Stages finished")
    places[3].metric("Left", duration(max(left)) if left else "–", help="Longest of the running jobs")
    if status.workers:
        rows = [(w.address, str(w.pid or "–"), w.threads, w.stage or _idle(w)) for w in status.workers]
        st.dataframe(pd.DataFrame(rows, columns=["Worker", "Process", "Threads", "Computes"]), hide_index=True, width=620)
        refused = [worker.refused for worker in status.workers if worker.refused]
        if status.message and not status.message.startswith(tuple(refused)):
            st.caption(escape_markdown(status.message))
        _say_refusals(refused, len(status.workers))
    else:
        st.caption(jobs.engine_line())
    for job in running:
        st.markdown(f"**{escape_markdown(job.title)}** · {job.done} of {job.total} stages")
    where = "an external scheduler" if external() else "started with this app"
    st.caption(
        f"{escape_markdown(status.address)} – {where}. "
        "`UNLEARN_ENGINE=tcp://host:8786` uses a Dask scheduler that runs already."
    )


def _say_refusals(refused: list[str], count: int) -> None:
    """Why workers get no stage, a line each; ``count``: how many workers there are."""
    if not refused:
        return
    lines = [f"- {escape_markdown(sentence)}" for sentence in refused[:MOST_REFUSED]]
    lines += [f"- And {len(refused) - MOST_REFUSED} more."] if len(refused) > MOST_REFUSED else []
    if len(refused) == count:
        waits = "None of the workers can be used, so everything waits:"
        st.warning("\n".join([waits, "", *lines]), icon=":material/sync_problem:")
    else:
        st.caption("\n".join(["Refused:", "", *lines]))


def _idle(worker: WorkerView) -> str:
    """What is said of a worker that computes nothing."""
    if worker.refused:
        return "nothing: refused, see below"
    return "kept for short work" if worker.spare else "idle"
