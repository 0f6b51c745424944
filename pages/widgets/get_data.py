"""Public datasets that are not on this computer: a button each, and progress; nothing where strangers use the app."""

from __future__ import annotations

import streamlit as st

from pages.cache import catalog
from pages.session import audience, permission
from pages.session.services import job_for, store
from pages.widgets import jobs
from unlearn_core.stages.fetch import MEGABYTE, plan_fetching
from unlearn_core.support.public_mode import is_public


def offer() -> None:
    """Everything that can be fetched, below the choice of data; what a link asks for has its button on top of the page."""
    asked = permission.question()
    absent = [name for name in catalog.absent_datasets() if asked is None or name != asked[1].download]
    if not absent or is_public() or audience.visitor() or store().read_only:
        return
    working = [name for name in absent if jobs.running(job_for([plan_fetching(name)]))]
    with st.expander("Get more data", icon=":material/download:", expanded=bool(working)):
        st.caption(
            "From the internet into this computer’s cache folder, checked against the published sums; then it is one of the "
            "datasets on the page Craft."
        )
        for name in absent:
            if name not in working:
                button(name)
            progress(name)


def progress(name: str) -> None:
    """How far a download is, or what went wrong with it."""
    stage = plan_fetching(name)
    if (job := job_for([stage])) is not None:
        jobs.panel([stage], job)


def button(name: str) -> None:
    """The button that fetches one of them."""
    size = -(-catalog.download_bytes(name) // MEGABYTE)
    st.button(
        f"{catalog.dataset_label(name)}: get it ({size} MB)", key=f"get:{name}", icon=":material/download:", width="stretch",
        on_click=fetch, args=(name,), help=catalog.dataset_summary(name),
    )  # fmt: skip


def fetch(name: str) -> None:
    """Hand the download to the engine. Files that were removed since are fetched again; nothing where strangers use the app."""
    if is_public():
        return
    stage = plan_fetching(name)
    store().delete(stage.key)
    jobs.hand_over([stage], stage.title)
