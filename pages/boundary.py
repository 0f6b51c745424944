"""Decision boundary: what the original and unlearned models say over one plane, with the examples on it, round by round."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import boundary as planes
from pages.cache import catalog
from pages.session import audience, binding
from pages.session.services import job_for, store
from pages.widgets import boundary, jobs, more_like, show
from pages.widgets.page import end_on_error, end_page, page
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.boundary.figure import Look, Panel, boundaries
from unlearn_core.views.palette import GROUPS
from unlearn_core.views.text.sentences import scenario_line

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec
    from unlearn_core.views.boundary.plane import InputPlane

TIMES = {"result": "Result", "rounds": "Round by round"}
SHADINGS = {"soft": "Soft", "hard": "Hard"}
SPLITS = {"train": "Training points", "test": "Test points"}


def model_controls(names: Sequence[str]) -> None:
    """Which models, at the end or over time, soft or hard, and which points: one row above the picture."""
    models, time, shading, points = st.columns([3.1, 1.4, 0.8, 0.7], vertical_alignment="center")
    if not binding.hidden(state, "views"):
        models.multiselect(
            options=[planes.ORIGINAL, *catalog.methods()],
            format_func=planes.label,
            max_selections=vs.MAX_VIEWS,
            placeholder="Choose up to four models",
            label_visibility="collapsed",
            **binding.widget_args(state, "views", tuple, lambda _: list(names)),
        )
    binding.segments(state, "time", TIMES, time, "stretch")
    binding.segments(state, "shading", SHADINGS, shading, "stretch")
    with points:
        point_controls()


def _among(words: Mapping[str, str], chosen: Sequence[str]) -> list[str]:
    return [name for name in chosen if name in words]


def point_controls() -> None:
    """A drawer: which examples are strong; the others fade."""
    wanted = [name for name in ("splits", "groups") if not binding.hidden(state, name)]
    if not wanted:
        return
    groups = {name: f"{GROUPS[name].sign} {name}" for name in vs.EXAMPLE_GROUPS}
    if not vs.truth_known(state):
        unknown = GROUPS["unknown"]
        groups = {"clean": f"{unknown.sign} {unknown.label}", "discovered": groups["discovered"]}
    with st.popover("Points", icon=":material/scatter_plot:", width="stretch", help="Which points are drawn strongly"):
        for name in wanted:
            words = SPLITS if name == "splits" else groups
            st.pills(
                options=list(words),
                selection_mode="multi",
                format_func=words.__getitem__,
                **binding.widget_args(state, name, tuple, functools.partial(_among, words)),
            )
        show.note("Points that are not chosen fade.")


def computing(specs: Sequence[MethodSpec]) -> set[str]:
    """The button and the progress of what is not stored; returns the keys that are."""
    stages = plan_runs(scenario, specs)
    job = job_for(stages)
    stored = store().has(stage.key for stage in stages)
    missing = [stage for stage in stages if stage.key not in stored]
    if missing and not jobs.running(job):
        jobs.offer(missing, stages, f"{catalog.dataset_label(state['dataset'])}: models for the boundary")
    if missing or jobs.running(job):
        jobs.panel(stages, job)
    return stored


def over_time(shown: Sequence[MethodSpec | None]) -> list[Panel] | None:
    """The models round by round; what is not stored yet the engine computes, and until then the result is shown."""
    panels = planes.rounds(scenario, shown, wanted)
    if panels is not None:
        return panels
    stages = planes.frame_stages(scenario, shown, wanted)
    missing = [stage for stage in stages if stage.key not in store().has(stage.key for stage in stages)]
    return planes.rounds(scenario, shown, wanted) if jobs.at_once(missing, "Boundary over the rounds") else None


def opens_at(panels: Sequence[Panel]) -> None:
    """The step that the link opens with."""
    last = max(len(panel.winners) for panel in panels) - 1
    if last and not binding.hidden(state, "frame"):
        shown = min(state["frame"] or 0, last)
        place, _ = st.columns([1, 5])
        place.number_input(min_value=0, max_value=last, step=1, **binding.widget_args(state, "frame", int, lambda _: shown))


def anchor_part(where: InputPlane, panels: Sequence[Panel]) -> None:
    """The three images, what each model says of them, and the way to others."""
    from unlearn_core.views.craft.data import mark

    images, other = st.columns([6.2, 1], vertical_alignment="center")
    with images:
        boundary.cards(where, panels, names, [mark(scenario, anchor.index) for anchor in where.anchors])
    with other, st.popover("Other images", width="stretch", help="Choose the images that span the plane"):
        anchor_fields([anchor.index for anchor in where.anchors])
    more_like.section(state, scenario, [anchor.index for anchor in where.anchors], "anchors")


def _instead(value: int, _: object) -> int:
    return value


def anchor_fields(shown: Sequence[int] | None) -> None:
    """A number for each image; without the images themselves where there is no plane through them."""
    from unlearn_core.results.reader import scenario_data
    from unlearn_core.views.boundary.anchors import following

    last = len(scenario_data(scenario).train) - 1
    fixed = any(binding.locked(state, name) for name in vs.ANCHORS)
    st.button(
        "Another corrupted example",
        icon=":material/casino:",
        key="another",
        on_click=lambda: binding.change(anchor_a=following(scenario, shown[0] if shown else -1), anchor_b=None, anchor_c=None),
        width="stretch",
        disabled=fixed,
        help="A becomes the next corrupted example; B and C follow by rule",
    )
    for k, name in enumerate(vs.ANCHORS):
        value = shown[k] if shown else min(state[name] or 0, last)
        if not binding.hidden(state, name):
            bound = binding.widget_args(state, name, int, functools.partial(_instead, value))
            st.number_input(min_value=0, max_value=last, step=1, **bound)
    st.button(
        "Back to the default",
        key="default-anchors",
        on_click=binding.change,
        kwargs=dict.fromkeys(vs.ANCHORS),
        width="stretch",
        disabled=fixed,
    )


def see(state: vs.State) -> str:
    if vs.has_images(state):
        return "which class each model predicts on the plane through three images: A, B and C."
    return "which class each model predicts where, on the same plane."


def attempt(state: vs.State) -> str:
    if vs.has_images(state):
        return "compare the ground under A and B in the original and in the others, then look at other images."
    return "choose “Round by round”, press Play, and watch whose ground the corrupted points stand on."


with page("Decision boundary", see=see, attempt=attempt) as (state, corner):
    chosen, blocked = planes.chosen(state)
    model_controls(chosen)
    if blocked:
        st.info(catalog.why_blocked(state, blocked, "see"), icon=":material/block:")
    if len(state["views"]) > vs.MAX_VIEWS:
        st.info(f"Up to {vs.MAX_VIEWS} models fit side by side; the first {vs.MAX_VIEWS} of the link are shown.")
    wanted = planes.asked(state)
    with end_on_error():
        scenario = vs.to_scenario(state)
        names = planes.class_names(scenario)
        methods = [name for name in chosen if name != planes.ORIGINAL]
        specs = dict(zip(methods, vs.to_methods(state, methods) if methods else [], strict=True))
        stored = computing(list(specs.values()))
    with corner:
        show.share(state, methods or list(state["methods"]))

    ready: list[MethodSpec | None] = []
    for name in chosen:
        key = scenario.original_key if name == planes.ORIGINAL else scenario.run_key(specs[name])
        if key in stored:
            ready.append(specs.get(name))
    if not ready:
        end_page()

    unfinished = planes.unfinished(scenario, ready, wanted)
    while unfinished:
        if not jobs.at_once(unfinished, "Decision boundary"):
            anchor_fields(None)
            end_page()
        unfinished = planes.unfinished(scenario, ready, wanted)  # where the plane was found, now the models
    try:
        where, points = planes.plane(scenario, wanted)
    except UserError as error:
        st.warning(escape_markdown(audience.told(error)), icon=":material/image_search:")
        anchor_fields(None)
        end_page()
    try:
        finished = planes.results(scenario, ready, wanted)
        panels = over_time(ready) if state["time"] == "rounds" else None
    except LookupError:
        st.info("The weights of these models are not in the store any more. Reload the page and press Run.")
        end_page()

    if not binding.hidden(state, "boundary"):
        look = Look(state["shading"], state["splits"], state["groups"], state["frame"] or 0, stacked=audience.on_phone())
        show.picture(boundaries(panels or finished, where, points, names, look), "boundary")
    if panels:
        opens_at(panels)
    if vs.has_images(state) and not binding.hidden(state, "anchors"):
        anchor_part(where, finished)
    st.caption(scenario_line(scenario.model_dump(), catalog.dataset_label(state["dataset"]), state["values"]))
