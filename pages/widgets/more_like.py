"""More like this: from any image of a page to the training images that are most like it, and on from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.cache import catalog
from pages.cache import likeness as stored_likeness
from pages.session import audience, binding, drafts, selection
from pages.session.services import job_for, store
from pages.widgets import examples, jobs, look_card, show
from unlearn_core import view_state as vs
from unlearn_core.results.reader import scenario_data
from unlearn_core.stages.original import plan_original
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.embedding.examples import pictures
from unlearn_core.views.likeness.data import WAYS
from unlearn_core.views.likeness.stage import plan_likeness
from unlearn_core.views.suspects.forget_set_edits import forget_of

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario

SHOWN = 15
"""How many are shown; the grid's last row stays whole on a wide screen and on a narrow one."""


def section(state: vs.State, scenario: Scenario, indices: Sequence[int], place: str) -> None:
    """Below the images of a page, folded: what is most like one of them. ``indices``: those that are shown, the most likely
    choice first; ``place``: names the page, or the part of it, in keys."""
    if not vs.has_images(state) or audience.visitor() or binding.hidden(state, "more_like") or not len(indices):
        return
    folded = st.expander("More like this", icon=":material/image_search:", key=f"more-like:{place}", on_change="rerun")
    if not folded.open:
        return
    with folded:
        if not _original(state, scenario):
            return
        way, spec = _way(state, scenario, place)
        index = _which(scenario, [int(one) for one in indices][: SHOWN + 1], place)
        stage = plan_likeness(scenario, way, spec)
        if not store().has([stage.key]) and not jobs.at_once([stage], "What is most alike"):
            return
        _shown(state, scenario, stage.key, index, place)


def _original(state: vs.State, scenario: Scenario) -> bool:
    """Whether the original is there; else the way to it."""
    stage = plan_original(scenario)
    job = job_for([stage])
    if store().has([stage.key]):
        return True
    jobs.panel([stage], job)
    if not jobs.running(job):
        st.caption("Images are alike in what a network makes of them, so the original model has to be trained first.")
        st.button(
            "Train it", key="more-like-train", icon=":material/play_arrow:", on_click=jobs.hand_over,
            args=([stage], f"{catalog.dataset_label(state['dataset'])}: original model"),
        )  # fmt: skip
    return False


def _healed(state: vs.State, scenario: Scenario) -> MethodSpec | None:
    """The first of the view's methods whose model is stored."""
    if vs.nothing_known(state):
        return None
    specs = vs.to_methods(state, catalog.split_by_need(state)[0])
    stored = store().has(scenario.run_key(spec) for spec in specs)
    return next((spec for spec in specs if scenario.run_key(spec) in stored), None)


def _way(state: vs.State, scenario: Scenario, place: str) -> tuple[str, MethodSpec | None]:
    """By what images are alike, and whose model says so."""
    healed = _healed(state, scenario)
    ways = {name: words for name, words in WAYS.items() if healed is not None or name != "healed"}
    way = st.segmented_control(
        "Alike in", list(ways), format_func=lambda name: ways[name], default="original", required=True,
        key=f"more-like-way:{place}:{len(ways)}", label_visibility="collapsed",
    )  # fmt: skip
    whose = None if way == "original" else healed
    said = "the original" if whose is None else catalog.method_label(whose.name)
    show.note(f"By the cosine of {_MEANING[way]} of {said}.")
    return way, whose


_MEANING = {
    "original": "penultimate features",
    "healed": "penultimate features",
    "gradient": "the last layer’s gradients (what an example would teach, with its given label)",
}


def _which(scenario: Scenario, indices: list[int], place: str) -> int:
    """The image in question: one of the page's, one that was found, or any by its number."""
    key, last = f"more-like-index:{place}", len(scenario_data(scenario).train) - 1
    memory: dict[str, tuple[int, ...]] = st.session_state.setdefault("more-like-from", {})
    if memory.get(place) != tuple(indices):  # the page shows other images
        memory[place] = tuple(indices)
        st.session_state[key] = indices[0]
    number, around = st.columns([1, 5], vertical_alignment="center")
    index = int(number.number_input(f"Example, 0 to {last:,}", min_value=0, max_value=last, step=1, key=key))
    if len(indices) > 1:
        with around:
            _grid(scenario, indices, f"from:{place}", key)
    return index


def _grid(scenario: Scenario, indices: list[int], name: str, key: str) -> None:
    data = scenario_data(scenario).corrupted.train
    addresses = [examples.address(pixels, 64) for pixels in pictures(scenario, indices)]
    labels = [data.class_names[int(data.labels[index])] for index in indices]

    def pressed(index: int) -> None:
        st.session_state[key] = index
        selection.begin(scenario.corruption_key)
        selection.inspect(index)

    look_card.draw(indices, addresses, labels, pressed, name)


def _shown(state: vs.State, scenario: Scenario, key: str, index: int, place: str) -> None:
    """The image, what is most like it, and what can be done with these."""
    try:
        found = stored_likeness.alike(key, index)
    except LookupError:
        st.info("This is not in the store any more; reload the page.", icon=":material/info:")
        return
    near = [int(one) for one in found.indices[:SHOWN]]
    data = scenario_data(scenario).corrupted.train
    same = int((data.labels[near] == data.labels[index]).sum())
    given = escape_markdown(data.class_names[int(data.labels[index])])
    st.markdown(
        f"Example **{index}**, given **{given}**, and the {len(near)} that are most like it; {same} of them have the same "
        "label. Press one to go on from there."
    )
    _grid(scenario, [index, *near], f"found:{place}", f"more-like-index:{place}")
    show.note(f"Likeness from {found.likeness[0]:.3f} to {found.likeness[len(near) - 1]:.3f}.")
    draft = drafts.draft_of(state, scenario, forget_of(scenario))
    new = np.setdiff1d([index, *near], draft.content.indices).tolist()
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Select these", key=f"more-like-select:{place}", icon=":material/select_all:", on_click=_select,
            args=(scenario.corruption_key, [index, *near]), help="Selected on all pages",
        )  # fmt: skip
        st.button(
            f"Add {len(new)} to your forget set", key=f"more-like-add:{place}", icon=":material/add:", disabled=not new,
            on_click=drafts.add, args=(draft, new),
        )  # fmt: skip


def _select(of: str, members: list[int]) -> None:
    selection.begin(of)
    selection.choose(members)
