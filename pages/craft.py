"""Craft: choose data, set the two dials, and see what is corrupted and what is known."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.cache import catalog
from pages.session import audience, binding
from pages.session.services import job_for, store
from pages.widgets import drawing, examples, get_data, jobs, more_like, show
from pages.widgets.page import end_on_error, page
from unlearn_core import view_state as vs
from unlearn_core.stages.regularity import plan_regularity
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.craft.data import STRONGER, preview, triggers
from unlearn_core.views.points import points, with_positions_before, with_total
from unlearn_core.views.table import group_counts
from unlearn_core.views.task_map import mixture, position_name, task_map
from unlearn_core.views.text.sentences import known, rightly_labelled_line

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from unlearn_core.specs import Scenario
    from unlearn_core.views.craft.data import Preview

EVERY_POINT = 10**6
"""More examples than points in the plane ever are: all of them are drawn, of images only as many as there are cards."""
DRAW = {"off": "Before and after", "on": "Draw your own"}
MEASURED = (
    "The out-of-fold probability that a corrupted example gets its given label from a model trained on the other folds, "
    "averaged over all corrupted examples."
)


def off(bound: dict[str, Any], disabled: bool) -> dict[str, Any]:
    """A control that has no meaning here is shown, but cannot be moved."""
    return bound | {"disabled": True} if disabled else bound


def data_controls(state: vs.State) -> None:
    if not binding.hidden(state, "dataset"):
        st.selectbox(
            options=catalog.dataset_names(state), format_func=catalog.dataset_label, **binding.widget_args(state, "dataset")
        )
    corruption(state)
    if not binding.hidden(state, "regularity"):
        off_dial = not vs.on_dial(state)
        st.slider(min_value=0.0, max_value=1.0, step=0.01, **off(binding.widget_args(state, "regularity"), off_dial))
        st.caption(f"Position of the dial: **{dial_words(state)}**")
    if vs.has_images(state) and not vs.as_found(state) and not binding.hidden(state, "trigger_kind"):
        st.selectbox(
            options=vs.fitting_triggers(state), format_func=catalog.trigger_label, **binding.widget_args(state, "trigger_kind")
        )
    if not binding.hidden(state, "discovery"):
        bound = off(binding.widget_args(state, "discovery"), not vs.truth_known(state))
        st.slider(min_value=0.0, max_value=1.0, step=0.01, format="percent", **bound)
    if vs.edited(state):
        st.caption(
            f"An edited forget set of **{vs.edited(state)}** examples is in use."
            + (" Move the discovery rate to return to it." if vs.truth_known(state) else "")
        )


def corruption(state: vs.State) -> None:
    """What goes wrong: the dial, or what takes its place with its parameters."""
    names = catalog.corruption_names(state)
    if len(names) < 2 or binding.hidden(state, "corruption"):
        return
    st.selectbox(options=names, format_func=catalog.corruption_label, **binding.widget_args(state, "corruption"))
    if said := catalog.corruption_summary(state):
        st.caption(escape_markdown(said))
        binding.parameters(state, "corruption")


def person(state: vs.State) -> None:
    """What a simulated person gives beside the forget set; a real one writes it into a list."""
    show.note(
        "Beside the forget set a person may give the right labels of what was found, and examples that were looked at and are "
        "right. Only methods that say so are told."
    )
    if typed := len(state.get("relabelled", {})):
        show.note(f"Right labels that were typed on the page Forget set, or stand in the list, count: {typed:,}.")
    if checked := len(state.get("trusted", ())):
        show.note(f"Examples that were checked on the page Forget set are trusted: {checked:,}.")
    if vs.truth_known(state):
        binding.parameters(state, "person")
    elif not typed:
        show.note(
            "No person is simulated here: right labels come from the column clean_label of your forget list, or are typed on "
            "the page Forget set."
        )


def dial_words(state: vs.State) -> str:
    """Where the dial stands, or why it cannot be moved."""
    if vs.as_found(state):
        return "as found: labels are as they come"
    if vs.on_dial(state):
        return position_name(state["regularity"])
    return f"off, “{escape_markdown(catalog.corruption_label(state['corruption']))}” takes its place"


def options(state: vs.State) -> None:
    amount, found = vs.with_defaults(state)["amount"], vs.as_found(state)
    if not binding.hidden(state, "amount"):
        if isinstance(amount, int):
            st.number_input(min_value=1, step=1, **off(binding.widget_args(state, "amount", int), found))
        else:
            bound = off(binding.widget_args(state, "amount", float), found)
            st.slider(min_value=0.005, max_value=0.5, step=0.005, format="percent", **bound)
    names = vs.class_names(state)
    pair = st.columns(2)
    for place, name in zip((*pair, st.container()), ("class_a", "class_b", "target_class"), strict=True):
        if not binding.hidden(state, name):
            without = found or (name != "target_class" and not vs.on_dial(state))  # the pair belongs to the dial alone
            bound = off(binding.widget_args(state, name), without)
            place.selectbox(options=range(len(names)), format_func=lambda k: names[k], **bound)
    if vs.has_images(state) and not found:
        trigger(state)
    if not binding.hidden(state, "seed"):
        st.number_input(min_value=0, max_value=2**31 - 1, step=1, **binding.widget_args(state, "seed", int))
    if not binding.hidden(state, "model"):
        st.selectbox(options=vs.fitting_models(state), format_func=catalog.model_label, **binding.widget_args(state, "model"))


def trigger(state: vs.State) -> None:
    """What the trigger is made of: the patch has controls of its own, another kind the widgets of its parameters."""
    kind = vs.with_defaults(state)["trigger_kind"] or vs.PATCH
    if kind != vs.PATCH:
        st.caption(f"{catalog.trigger_label(kind)}: {catalog.trigger_summary(kind)}")
        binding.parameters(state, "trigger", st.columns(2))
        return
    pair = st.columns(2)
    if not binding.hidden(state, "trigger_size"):
        pair[0].number_input(min_value=1, max_value=16, step=1, **binding.widget_args(state, "trigger_size", int))
    if not binding.hidden(state, "trigger_corner"):
        pair[1].selectbox(options=vs.CORNERS, **binding.widget_args(state, "trigger_corner"))
    if not binding.hidden(state, "trigger_value"):
        pair[0].number_input(min_value=0, max_value=255, step=5, **binding.widget_args(state, "trigger_value", int))
    if not binding.hidden(state, "trigger_opacity"):
        pair[1].number_input(min_value=0.05, max_value=1.0, step=0.05, **binding.widget_args(state, "trigger_opacity", float))


def cards_line(changed: bool) -> str:
    """What the pictures of a card are."""
    if changed:
        return (
            f"Left the image before, in the middle what was done to it ({STRONGER} times as strong, grey where nothing was), "
            "right what the model is trained on; the label that was given is in bold."
        )
    return "Left the image before, right what the model is trained on; the label that was given is in bold."


def choices(state: vs.State) -> DeltaGenerator:
    """Everything that can be set, and the way on; returns the place for how many are known, which the picture counts."""
    data_controls(state)
    facts = st.empty()
    if not binding.hidden(state, "options"):
        with st.expander("Amount, classes, trigger, network, seed", icon=":material/tune:"):
            options(state)
        with st.expander("Training recipe", icon=":material/school:"):
            if vs.with_defaults(state)["recipe"]:
                binding.segments(state, "recipe", {name: name for name in vs.RECIPES}, width="stretch")
                show.note(vs.BY_NAME["recipe"].help)
            for section in ("dataset", "model", "training"):
                binding.parameters(state, section)
        with st.expander(catalog.ASIDE, icon=":material/rule:"):
            person(state)
    if st.button("Next: compare methods", type="primary", icon=":material/arrow_forward:", key="next", width="stretch"):
        binding.finish(state)
        st.switch_page("pages/compare.py")
    if not binding.hidden(state, "dataset"):
        get_data.offer()
    return facts


def cards(state: vs.State, scenario: Scenario, shown: Preview) -> None:
    """Images before and after, and what is to be known about them."""
    with st.container(key="cards"):
        changed = examples.grid(shown.examples[: state["examples"]], triggers(scenario), changes=True)
    if vs.as_found(state):
        show.note("Labels are as they come: the label that was given is in bold, the true one is shown where known.")
    else:
        show.note(cards_line(changed))
    if shown.rightly_labelled:
        target = vs.class_names(state)[scenario.corruption.target_class] if vs.on_dial(state) else None
        show.note(html.escape(rightly_labelled_line(shown.rightly_labelled, target)))
    more_like.section(state, scenario, [one.index for one in shown.examples[: state["examples"]]], "craft")


def before_and_after(state: vs.State, scenario: Scenario, shown: Preview) -> None:
    """The examples as cards or points, or the canvas to draw on, and how they are counted."""
    drawable = shown.points is not None and not vs.as_found(state)
    on_canvas = drawable and state["draw"] == "on"
    if drawable:
        binding.segments(state, "draw", DRAW, width="stretch")
    if not on_canvas:  # the canvas has a legend of its own
        examples.legend(group_counts(shown.corrupted if shown.known else None, shown.discovered, shown.train_size))
    if not binding.hidden(state, "preview"):
        if on_canvas:
            drawing.panel(state)
        elif shown.points is None:
            cards(state, scenario, shown)
            show.let_paint()
        else:
            show.picture(points(with_positions_before(shown.points, shown.examples), legend=False), "points")
    if shown.mixture and vs.on_dial(state) and not on_canvas and not binding.hidden(state, "mixture"):
        totals = dict(zip(shown.counts["kind"], shown.counts["total"], strict=True))
        show.picture(mixture(shown.mixture, totals), "mixture")
    if not binding.hidden(state, "counts"):
        with st.expander("Counts by kind and group", icon=":material/table:"):
            st.dataframe(with_total(shown.counts), hide_index=True, key="counts")


def where_it_lies(state: vs.State, scenario: Scenario, measurable: bool) -> None:
    """The place on the map of tasks, and the measured regularity or the button that measures it."""
    measuring = plan_regularity(scenario)
    job = job_for(measuring)
    record = store().get(measuring[0].key)
    if not binding.hidden(state, "plane") and vs.on_dial(state):
        measured = record.payload["measured"] if record else None
        aims = catalog.regions([name for name in state["methods"] if name not in catalog.REFERENCES[1:]])
        show.picture(task_map(state["regularity"], state["discovery"], aims, measured), "plane")
    if not measurable:
        show.note("Which labels are wrong is not known, so their regularity cannot be measured and there is no dial to read.")
        return
    if binding.hidden(state, "measured"):
        return
    if record is not None:
        st.metric("Measured regularity", f"{record.payload['measured']:.2f}", border=True, help=MEASURED)
        show.note("Near 0 the wrong labels share nothing, near 1 one rule explains them all.")
        return
    jobs.panel(measuring, job)
    if not jobs.running(job) and not audience.visitor():
        show.note("How much do these examples really share? Ask models that never saw them.")
        st.button(
            "Measure the regularity", icon=":material/straighten:", key="measure", help=MEASURED, width="stretch",
            on_click=jobs.hand_over, args=(measuring, "Measured regularity"),
        )  # fmt: skip


with page(
    "Craft a corruption",
    see="training examples before and after they were corrupted, and how many of them are known.",
    attempt=lambda state: (
        "look at the examples that are held to be wrong, then compare methods that unlearn them."
        if vs.as_found(state)
        else "move the upper dial from trigger to random labels, and watch which examples stay."
    ),
) as (state, corner):
    with corner:
        show.share(state, list(state["methods"]))
    controls, picture, side = st.columns([1, 1.95, 1.3], gap="medium")
    with controls:
        facts = choices(state)
    with picture, end_on_error("Change the dials or the options."):
        scenario = vs.to_scenario(state)
        shown = preview(scenario, limit=state["examples"] if vs.has_images(state) else EVERY_POINT)
    facts.caption(known(shown.discovered, shown.corrupted if shown.known else None, shown.train_size))
    with picture:
        before_and_after(state, scenario, shown)
    with side:
        where_it_lies(state, scenario, measurable=shown.known)
