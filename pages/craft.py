"""Craft: choose data, set the two dials, and see what is corrupted and what is known."""

from __future__ import annotations

import streamlit as st

from pages.common import binding, catalog, examples, jobs, show
from pages.common.services import engine, job_for, store
from unlearn_core import figures
from unlearn_core import view_state as vs
from unlearn_core.engine.stages import plan_regularity
from unlearn_core.errors import UserError
from unlearn_core.figures.sentences import known
from unlearn_core.figures.table import group_counts
from unlearn_core.insight.previews import preview

MEASURED = (
    "The out-of-fold probability that a corrupted example gets its given label from a model trained on the other folds, "
    "averaged over all corrupted examples."
)

state = binding.begin()
head, share = st.columns([6, 1], vertical_alignment="bottom")
with head:
    show.opening(
        "Craft a corruption",
        "training examples before and after they were corrupted, and how many of them are known.",
        "move the upper dial from trigger to random labels, and watch which examples stay.",
    )
with share:
    show.share(state, list(state["methods"]))
show.notices()


def data_controls() -> None:
    if not binding.hidden(state, "dataset"):
        st.selectbox(options=catalog.dataset_names(state), format_func=catalog.dataset_label, **binding.bound(state, "dataset"))
    if not binding.hidden(state, "regularity"):
        st.slider(min_value=0.0, max_value=1.0, step=0.01, **binding.bound(state, "regularity"))
        st.caption(f"Position of the dial: **{figures.position_name(state['regularity'])}**")
    if not binding.hidden(state, "discovery"):
        st.slider(min_value=0.0, max_value=1.0, step=0.01, format="percent", **binding.bound(state, "discovery"))
    if vs.edited(state):
        st.caption(
            f"An edited forget set of **{vs.edited(state)}** examples is in use. Move the discovery rate to return to it."
        )


def options() -> None:
    amount = vs.resolved(state)["amount"]
    if not binding.hidden(state, "amount"):
        if isinstance(amount, int):
            st.number_input(min_value=1, step=1, **binding.bound(state, "amount", int))
        else:
            st.slider(min_value=0.005, max_value=0.5, step=0.005, format="percent", **binding.bound(state, "amount", float))
    names = vs.class_names(state)
    pair = st.columns(2)
    for place, name in zip((*pair, st.container()), ("class_a", "class_b", "target_class"), strict=True):
        if not binding.hidden(state, name):
            place.selectbox(options=range(len(names)), format_func=lambda k: names[k], **binding.bound(state, name))
    if vs.has_images(state):
        trigger()
    if not binding.hidden(state, "seed"):
        st.number_input(min_value=0, max_value=2**31 - 1, step=1, **binding.bound(state, "seed", int))
    if not binding.hidden(state, "model"):
        st.selectbox(options=vs.fitting_models(state), format_func=catalog.model_label, **binding.bound(state, "model"))


def trigger() -> None:
    pair = st.columns(2)
    if not binding.hidden(state, "trigger_size"):
        pair[0].number_input(min_value=1, max_value=16, step=1, **binding.bound(state, "trigger_size", int))
    if not binding.hidden(state, "trigger_corner"):
        pair[1].selectbox(options=vs.CORNERS, **binding.bound(state, "trigger_corner"))
    if not binding.hidden(state, "trigger_value"):
        pair[0].number_input(min_value=0, max_value=255, step=5, **binding.bound(state, "trigger_value", int))
    if not binding.hidden(state, "trigger_opacity"):
        pair[1].number_input(min_value=0.05, max_value=1.0, step=0.05, **binding.bound(state, "trigger_opacity", float))


controls, picture, side = st.columns([1, 1.95, 1.3], gap="medium")
with controls:
    data_controls()
    facts = st.empty()
    if not binding.hidden(state, "options"):
        with st.expander("Amount, classes, trigger, network, seed", icon=":material/tune:"):
            options()
        with st.expander("Training recipe", icon=":material/school:"):
            for section in ("dataset", "model", "training"):
                binding.parameters(state, section)
    if st.button("Next: compare methods", type="primary", icon=":material/arrow_forward:", key="next", width="stretch"):
        binding.finish(state)
        st.switch_page("pages/compare.py")

try:
    scenario = vs.to_scenario(state)
    shown = preview(scenario, limit=vs.preview_limit(state))
except UserError as error:
    picture.error(f"{error} Change the dials or the options on the left.", icon=":material/error:")
    jobs.close(state)
    st.stop()

facts.caption(known(shown.discovered, shown.corrupted, shown.train_size))
with picture:
    examples.legend(group_counts(shown.corrupted, shown.discovered, shown.train_size))
    if not binding.hidden(state, "preview"):
        if shown.points is None:
            examples.grid(shown.examples[: state["examples"]])
            show.note("Left the scan, right what the model is trained on; the label that was given is in bold.")
        else:
            show.picture(figures.points(figures.with_positions_before(shown.points, shown.examples), legend=False), "points")
    show.picture(figures.mixture(shown.mixture, dict(zip(shown.counts["kind"], shown.counts["total"], strict=True))), "mixture")
    with st.expander("Counts by kind and group", icon=":material/table:"):
        st.dataframe(figures.with_total(shown.counts), hide_index=True, key="counts")

measuring = plan_regularity(scenario)
job = job_for(measuring)
record = store().get(measuring[0].key)
with side:
    if not binding.hidden(state, "plane"):
        measured = record.payload["measured"] if record else None
        aims = catalog.regions([name for name in state["methods"] if name not in catalog.REFERENCES[1:]])
        show.picture(figures.plane(state["regularity"], state["discovery"], aims, measured), "plane")
    if not binding.hidden(state, "measured"):
        if record is not None:
            st.metric("Measured regularity", f"{record.payload['measured']:.2f}", border=True, help=MEASURED)
            show.note("Near 0 the wrong labels share nothing, near 1 one rule explains them all.")
        else:
            jobs.panel(measuring, job)
        if record is None and not jobs.running(job):
            show.note("How much do these examples really share? Ask models that never saw them.")
            if st.button("Measure the regularity", icon=":material/straighten:", key="measure", help=MEASURED, width="stretch"):
                engine().submit(measuring, "Measured regularity")
                st.rerun()
jobs.close(state)
