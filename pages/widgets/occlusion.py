"""What the given label of one image hangs on: a patch slides over it, under the original and under a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.session import audience, binding
from pages.session.services import store
from pages.widgets import jobs, show
from unlearn_core import view_state as vs
from unlearn_core.views.craft.data import triggers
from unlearn_core.views.occlusion.data import read_occlusion
from unlearn_core.views.occlusion.figure import occlusion_maps
from unlearn_core.views.occlusion.stage import plan_occlusion
from unlearn_core.views.picture import short

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.embedding.examples import Sample

MEANS = "Slides a grey patch over this image and asks each model how likely the given label still is."


def section(state: vs.State, scenario: Scenario, spec: MethodSpec | None, index: int, sample: Sample) -> None:
    """The maps of this training image, by the original and by ``spec``, or the button that has them computed; nothing for
    points."""
    if not vs.has_images(state) or binding.hidden(state, "occlusion"):
        return
    models = {"Original": None} | ({} if spec is None else {short(catalog.methods()[spec.name].label): spec})
    stages = [plan_occlusion(scenario, one, index) for one in models.values()]
    if audience.visitor() and len(store().has([stage.key for stage in stages])) < len(stages):
        return  # of so many images a lecturer shows a few
    if not jobs.on_a_button(stages, f"Occlusion maps of example {index}", "What does the label hang on?", MEANS):
        return
    try:
        found = {model: read_occlusion(store(), stage.key) for model, stage in zip(models, stages, strict=True)}
    except LookupError:
        st.info("The maps of this image are not in the store any more; reload the page.", icon=":material/info:")
        return
    st.markdown("**What the given label hangs on**")
    box = triggers(scenario).get(index)
    show.picture(occlusion_maps(found, sample.after, sample.given, box), "occlusion")
