"""What a visitor sees of results that are not there: they wait for the lecturer, and come by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.session import audience, following
from pages.session.services import store
from unlearn_core.support.escaping import escape_markdown

if TYPE_CHECKING:
    from unlearn_core.engine import JobView
    from unlearn_core.stages.stage import Stage

NOT_YET = "Not computed yet: this waits for the lecturer, and appears here by itself."

NOT_STORED = "Not among the stored results."


def panel(stages: Sequence[Stage], job: JobView | None) -> None:
    """That these stages wait, or how far the job is that computes them; nothing where all of them are stored."""
    keys = [stage.key for stage in stages]
    if not audience.shared():
        if keys and store().has(keys) != set(keys):
            st.caption(NOT_STORED)
        return
    if job is not None and job.state == "running":
        following.wait_for_lecturer()
        said = f"The lecturer’s computer computes this: {job.done} of {job.total} stages are done. It appears here by itself."
        st.info(said, icon=":material/hourglass_top:")
    elif keys and store().has(keys) != set(keys):
        following.wait_for_lecturer()
        if failed := [stage.title for stage in stages if store().failure(stage.key) is not None]:
            st.info(f"{escape_markdown(', '.join(failed))} failed; the lecturer sees why.", icon=":material/error:")
        else:
            st.info(NOT_YET, icon=":material/hourglass_empty:")
