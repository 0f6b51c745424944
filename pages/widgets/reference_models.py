"""The reference models that the membership attack RMIA needs: offered where one of its metrics is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.session import audience
from pages.session.services import job_for, store
from pages.widgets import jobs
from unlearn_core.stages.reference_models import plan_reference_models

if TYPE_CHECKING:
    from unlearn_core.specs import Scenario

NEEDED = "reference_models"


def offer(scenario: Scenario, columns: Sequence[str]) -> None:
    """If one of these metrics needs reference models that are not stored: say so, train them on request, show progress."""
    known = catalog.metrics()
    if not any(NEEDED in known[name].compares_with for name in columns if name in known):
        return
    stages = plan_reference_models(scenario)
    job = job_for(stages)
    if store().has([stages[0].key]):
        return
    jobs.panel(stages, job)
    if jobs.running(job) or audience.visitor():
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("RMIA compares with models trained on halves of this data. They serve every method and discovery rate.")
        st.button(
            "Train four of them", icon=":material/model_training:", key="reference-models", on_click=jobs.hand_over,
            args=(stages, stages[0].title),
        )  # fmt: skip
