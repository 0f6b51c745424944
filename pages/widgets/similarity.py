"""How alike the original and a healed model see the same examples, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.session.services import store
from pages.widgets import jobs, show
from unlearn_core.views.picture import short
from unlearn_core.views.similarity.data import read_similarity
from unlearn_core.views.similarity.figure import layer_similarity
from unlearn_core.views.similarity.stage import plan_similarity

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario


def section(scenario: Scenario, spec: MethodSpec) -> None:
    """The similarity of a stored run's layers to the stored original's, or the button that has it computed."""
    stage = plan_similarity(scenario, spec)
    if not jobs.on_a_button([stage], stage.title, "Compare layer by layer", "Linear CKA of what each layer makes of examples."):
        return
    try:
        frame = read_similarity(store(), stage.key)
    except LookupError:
        st.info("This is not in the store any more; reload the page.", icon=":material/info:")
        return
    show.picture(layer_similarity(frame, short(catalog.methods()[spec.name].label)), "similarity")
