"""Embedding: the features of the original and of unlearned models in one plane, with a selection that all views share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages.cache import catalog
from pages.cache import embedding as embedded
from pages.session import audience, binding, selection
from pages.session.services import job_for, store, submit
from pages.widgets import burst, jobs, more_like, occlusion, samples, selecting, set_editor, show
from pages.widgets.page import end_on_error, end_page, page
from unlearn_core import view_state as vs
from unlearn_core.views.craft.data import triggers
from unlearn_core.views.embedding import examples as embedded_examples
from unlearn_core.views.embedding.figure import clouds, distributions
from unlearn_core.views.embedding.stage import plan_embedding
from unlearn_core.views.text.sentences import scenario_line

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec
    from unlearn_core.stages.stage import Stage
    from unlearn_core.views.embedding.data import Embedding
    from unlearn_core.views.embedding.figure import Cloud

PROJECTIONS = {"umap": "UMAP", "pca": "PCA"}
COLOURS = {
    "group": "group",
    "class": "true class",
    "given": "given label",
    "prediction": "prediction",
    "loss": "loss",
    "suspicion": "suspicion",
}


def controls() -> None:
    """Models, projection, colour, and whether arrows are drawn."""
    models, projection, colour, arrows = st.columns([2.1, 0.9, 1.1, 1.2], vertical_alignment="center")
    burst.switch(state, arrows)
    if not binding.hidden(state, "embedded"):
        models.multiselect(
            options=list(catalog.methods()),
            format_func=lambda name: short(name),
            max_selections=vs.MAX_EMBEDDED,
            placeholder="Choose up to two methods to be shown beside the original",
            label_visibility="collapsed",
            **binding.widget_args(state, "embedded", tuple, list),
        )
    binding.segments(state, "projection", PROJECTIONS, projection, "stretch")
    if not binding.hidden(state, "colour"):
        colour.selectbox(
            options=list(COLOURS),
            format_func=lambda name: f"Colour: {COLOURS[name]}",
            label_visibility="collapsed",
            **binding.widget_args(state, "colour"),
        )


def computing(stages: Sequence[Stage], specs: Sequence[MethodSpec]) -> list[MethodSpec]:
    """The button and the progress of what is not stored; returns the methods that are."""
    runs = [stage for stage in stages if stage.kind != "embedding"]
    job = job_for(runs)
    stored = store().has(stage.key for stage in runs)
    missing = [stage for stage in runs if stage.key not in stored]
    ready = [spec for spec in specs if scenario.run_key(spec) in stored] if scenario.original_key in stored else []
    if missing and not jobs.running(job):
        jobs.offer(missing, stages, "Models for the embedding")
    if missing or jobs.running(job):
        jobs.panel(runs, job)
    if scenario.original_key not in stored:
        end_page()
    return ready


def coordinates(ready: Sequence[MethodSpec]) -> tuple[Embedding | None, list[Stage]]:
    """UMAP when it is stored, and until then PCA; with it the stages that are not stored yet, which the engine computes."""
    stages = [stage for stage in plan_embedding(scenario, ready) if stage.kind == "embedding"]
    wanted = stages if state["projection"] == "umap" else stages[:1]
    found = embedded.embedding(scenario, ready, state["projection"])
    if found is not None:
        return found, []
    asked = st.session_state.setdefault("embeddings-asked", set())
    last = wanted[-1].key
    if last not in asked and store().failure(last) is None and not audience.visitor():
        asked.add(last)
        submit(wanted, "Embedding")
    return embedded.embedding(scenario, ready, "pca"), wanted


def progress(wanted: list[Stage], models: Sequence[Stage]) -> None:
    """How far the coordinates are, or the button that computes them after they failed or were cancelled."""
    job = job_for(wanted)
    above = job_for(models)
    if job is None or above is None or job.id != above.id or not jobs.running(job):  # else it is shown with the models
        jobs.panel(wanted, job)
    if not jobs.running(job):
        if store().has([wanted[-1].key]):  # finished since the page looked
            st.rerun()
        if audience.visitor():
            return
        st.button(
            f"Compute {wanted[-1].title}", key="compute", icon=":material/play_arrow:", on_click=jobs.hand_over,
            args=(wanted, "Embedding"),
        )  # fmt: skip


def highlights(shown: embedded_examples.Examples, names: Sequence[str]) -> tuple[str | None, np.ndarray | None]:
    """Which method is judged, and which examples its highlight mode keeps strong (None: all)."""
    if not names:
        return None, None
    judged = state["judged"] if state["judged"] in names else names[-1]
    found = embedded_examples.modes(shown, judged) | embedded_examples.parts(shown)
    mode = state["highlight"] if state["highlight"] in found else "all"
    pills, whose = st.columns([4.1, 1.1], vertical_alignment="center")
    words = {"all": "all"} | {one: f"{one} {int(marked.sum())}" for one, marked in found.items()}
    if found:
        binding.segments(state, "highlight", words, pills, "stretch", lambda _: mode)
    if len(names) > 1:
        methods = {name: f"by {short(name)}" for name in names}
        binding.segments(state | {"judged": judged}, "judged", methods, whose, "stretch")
    if mode == "all":
        return judged, None
    words = embedded_examples.MODES | embedded_examples.PARTS
    show.note(f"<b>{mode.capitalize()} {int(found[mode].sum())}</b>: {words[mode].format(method=short(judged))}")
    return judged, found[mode]


def arrows(cloud: Cloud, shown: embedded_examples.Examples, found: Embedding, focus: np.ndarray | None) -> bool:
    """Where the examples in focus went, if that is asked for; whether there was a way to draw."""
    if not flying or focus is None:
        return False
    name = " ".join(filter(None, ("" if picked is None else "selected", "" if marked is None else mode)))
    return burst.picture(cloud, shown, found, ready_names, focus, name)


def short(name: str) -> str:
    return catalog.method_label(name).partition(":")[0]


def details(shown: embedded_examples.Examples, judged: str | None, focus: np.ndarray, ready: Sequence[MethodSpec],
            found: Embedding | None) -> None:  # fmt: skip
    """The examples in focus as pictures, table and histograms, and one of them closely."""
    parts: dict[str, tuple[str, Callable[[], None]]] = {
        "thumbnails": ("Pictures" if vs.has_images(state) else "In the data", lambda: gallery(shown, judged, focus)),
        "example_table": ("Table", lambda: listing(embedded_examples.table(shown, judged).iloc[focus])),
        "example_histograms": (
            "Histograms",
            lambda: histograms(embedded_examples.table(shown, judged).iloc[focus], shown, judged),
        ),
        "inspector": ("Inspector", lambda: closely(shown, judged, focus, ready, found)),
    }
    show.tabs_in_link(state, "details", {name: part for name, part in parts.items() if not binding.hidden(state, name)})


def histograms(rows: pd.DataFrame, shown: embedded_examples.Examples, judged: str | None) -> None:
    show.picture(distributions(rows, shown.names, judged, short(judged) if judged else ""), "distributions")


def gallery(shown: embedded_examples.Examples, judged: str | None, focus: np.ndarray) -> None:
    if not vs.has_images(state):
        cloud = embedded.data_cloud(scenario, shown, judged or embedded_examples.ORIGINAL, doubt)
        strong = None if len(focus) == len(shown) else np.isin(np.arange(len(shown)), focus)
        selecting.chart(clouds(cloud, colour, strong, height=460), "data")
        return
    first, end = samples.pages(len(focus))
    wanted = focus[first:end].tolist()
    samples.thumbnails(
        dict(zip(wanted, embedded_examples.pictures(scenario, wanted), strict=True)), shown, judged, triggers(scenario)
    )
    after = f" → what {short(judged)} predicts" if judged else ""
    show.note(f"Examples {first + 1 if len(focus) else 0} to {end} of {len(focus):,}: given label (true label){after}.")


def listing(rows: pd.DataFrame) -> None:
    numbers = {name: st.column_config.NumberColumn(format="%.3g") for name in ("loss before", "loss after")}
    event = st.dataframe(
        rows, hide_index=True, height=330, key="examples-table", on_select="rerun", selection_mode="single-row",
        column_config=numbers,
    )  # fmt: skip
    picked = event["selection"]["rows"]
    if picked and picked[0] < len(rows):
        selection.inspect(int(rows["index"].iloc[picked[0]]))
    show.caption(
        "Mark a row to open it in the inspector. Losses are in nats, against the given label: high means disbelief.",
        rows,
        "examples",
    )


def closely(shown: embedded_examples.Examples, judged: str | None, focus: np.ndarray, ready: Sequence[MethodSpec],
            found: Embedding | None) -> None:  # fmt: skip
    start = selection.inspected()
    if start is None or start >= len(shown):
        start = int(focus[0]) if len(focus) else 0
    key = "inspected"
    st.session_state[key] = start
    number, bar = st.columns([1, 4], vertical_alignment="bottom")
    index = number.number_input(
        "Training example", min_value=0, max_value=len(shown) - 1, step=1, key=key,
        on_change=lambda: selection.inspect(st.session_state[key] or 0),
    )  # fmt: skip
    with bar:
        samples.pinned(index)
    sample = embedded.sample(scenario, ready, shown, found, index)
    near = sorted({one for indices in sample.neighbours.values() for one in indices}) if vs.has_images(state) else []
    labels = {embedded_examples.ORIGINAL: "Original"} | {spec.name: short(spec.name) for spec in ready}
    samples.inspector(
        sample, shown, labels, dict(zip(near, embedded_examples.pictures(scenario, near), strict=True)), triggers(scenario)
    )
    spec = next((spec for spec in ready if spec.name == judged), None)
    occlusion.section(state, scenario, spec, index, sample)
    more_like.section(state, scenario, [index], "embedding")


with page(
    "Embedding",
    see="every training example where the last hidden layer puts it, before and after unlearning, in one shared plane.",
    attempt="lasso a group of points: the same examples stay strong in all panels, and appear below.",
) as (state, corner):
    names, blocked = embedded.split_by_need(state)
    with corner:
        show.share(state, names)
    controls()
    if blocked:
        st.info(catalog.why_blocked(state, blocked, "see"), icon=":material/block:")

    with end_on_error():
        scenario = vs.to_scenario(state)
        specs = vs.to_methods(state, names) if names else []
        stages = plan_embedding(scenario, specs)

    selection.begin(scenario.corruption_key)
    ready = computing(stages, specs)
    try:
        shown = embedded.examples(scenario, ready)
    except LookupError:  # what was stored has just been found damaged, and dropped
        st.info("The outputs of these models are not in the store any more; press **Run** again.", icon=":material/info:")
        end_page()

    ready_names = [spec.name for spec in ready]
    doubt = embedded.suspicion(state, scenario) if state["colour"] == "suspicion" else None
    colour = state["colour"] if doubt is not None or state["colour"] != "suspicion" else "group"
    if colour != state["colour"]:
        st.info(
            "Nobody has searched for suspects in this scenario yet: run the search on the page **Forget set**, then colour by "
            "suspicion. Until then the colours are the groups.",
            icon=":material/checklist:",
        )
    judged, marked = highlights(shown, ready_names)
    found, computed = coordinates(ready)
    if computed and found is not None:
        show.note("PCA is shown until UMAP is ready.")
    picked = np.isin(np.arange(len(shown)), selection.chosen()) if selection.chosen() else None
    mode, flying = state["highlight"], state["went"] == "on" and bool(ready_names)
    if flying and picked is None and marked is None:
        mode, marked = embedded_examples.corrupted(shown)
    focus = embedded_examples.together(picked, marked)
    if found is not None and not binding.hidden(state, "embedding"):
        cloud = embedded.cloud(
            shown, found, [embedded_examples.ORIGINAL, *ready_names], ["Original", *map(short, ready_names)], doubt
        )
        if not arrows(cloud, shown, found, focus):
            strong = None if focus is None else focus[found.points]
            phone = audience.on_phone()
            lasso = not phone or selecting.by_touch()
            selecting.chart(clouds(cloud, colour, strong, stacked=phone, lasso=lasso), "embedding")
        if len(found.points) < found.total:
            show.note(
                f"UMAP is drawn for {len(found.points):,} of {found.total:,} examples, taken at random with a fixed seed."
            )
    if computed:
        progress(computed, [stage for stage in stages if stage.kind != "embedding"])
    how, clear, line = st.columns([2.6, 0.8, 3.2], vertical_alignment="bottom")
    if not binding.hidden(state, "selecting"):
        with how:
            selecting.way()
        with clear:
            selecting.clear()
    line.markdown(embedded_examples.in_focus(len(shown), picked, marked, mode))
    selecting.too_many_for_a_link()
    set_editor.for_selection(state, scenario, selection.chosen())
    everything = np.arange(len(shown))
    details(shown, judged, everything if focus is None else np.flatnonzero(focus), ready, found)
    st.caption(scenario_line(scenario.model_dump(), catalog.dataset_label(state["dataset"]), state["values"]))
