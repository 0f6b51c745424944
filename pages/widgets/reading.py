"""Files that have to be read before a page has something to show: workers read them, and the page shows how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.session import audience
from pages.session.services import AT_ONCE, engine, job_for, store, submit
from pages.widgets import jobs, waiting
from unlearn_core.engine import JobView
from unlearn_core.support.deferring import NotRead

if TYPE_CHECKING:
    from unlearn_core.stages.stage import Stage


def wait_for(missing: NotRead) -> None:
    """Let a worker read what is missing, and show its progress; the page is drawn again when it is done."""
    from unlearn_core.stages.read_files import plan_reading

    stage = plan_reading(missing.dataset, missing.params, missing.seed, missing.state)
    if audience.visitor():
        waiting.panel([stage], job_for([stage]))
        return
    if store().read_only:
        st.session_state["reads-here"] = True
        st.rerun()
    job = job_for([stage])
    if job is None or job.state == "done":
        job = _again(stage, job)
    jobs.panel([stage], job)
    if job.state == "cancelled":
        st.button(
            "Read the files", key="read-again", icon=":material/replay:", on_click=jobs.hand_over, args=([stage], stage.title)
        )


def _again(stage: Stage, job: JobView | None) -> JobView:
    """The job that reads the files. They were read a moment ago, or what that left has been cleared away since; where it is
    never there the page has to read them itself."""
    tries: dict[str, int] = st.session_state.setdefault("reads", {})
    if job is not None:
        tries[stage.key] = tries.get(stage.key, 0) + 1
        if tries[stage.key] > 2:
            st.session_state["reads-here"] = True
        if tries[stage.key] != 2:
            st.rerun()
    store().delete(stage.key)
    job = engine().wait(submit([stage], stage.title), AT_ONCE)
    if job.state == "done":
        st.rerun()
    return job
