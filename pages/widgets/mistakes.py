"""Compare's pictures of single examples: which class is taken for which, and whose labels a model still gives away."""

from __future__ import annotations

import functools
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.cache import catalog
from pages.session import binding, selection
from pages.session.services import store
from pages.widgets import examples, selecting, show
from unlearn_core import view_state as vs
from unlearn_core.views.picture import short, short_labels

if TYPE_CHECKING:
    import pandas as pd

    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.compare.confusion import Confusion

MOST = 48
"""So many images of a cell, or of the most exposed, are shown."""
CELL = "confusion-cell"
"""What was clicked: the classes' names, and the cell as the picture tells it."""
_SPLITS = {"test": "clean test data", "corrupted": "corrupted examples"}
_WALL = """<style>
.eunoe-wall {display: grid; grid-template-columns: repeat(auto-fill, minmax(74px, 1fr)); gap: 7px;}
.eunoe-wall figure {margin: 0; font-size: .78rem; line-height: 1.2; overflow-wrap: anywhere;}
.eunoe-wall img {width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; display: block;}
</style>"""


def judged(state: vs.State, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> MethodSpec | None:
    """The method whose examples are looked at, with the choice where there are several; None where none has finished."""
    here = {spec.name: spec for spec in specs if spec.name in set(frame["method"])}
    if not here:
        return None
    name = state["judged"] if state["judged"] in here else next(reversed(here))
    if len(here) > 1:
        words = dict(zip(here, short_labels(catalog.methods()[one].label for one in here), strict=True))
        binding.segments(state | {"judged": name}, "judged", words)
    return here[name]


def confusions(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    """Confusion matrices of the original and of one method; a click on a cell shows its images."""
    from unlearn_core.views.compare.confusion import confusion
    from unlearn_core.views.compare.confusion_figure import confusion_matrices

    spec = judged(state, specs, frame)
    if spec is None:
        return
    split = state["matrix"] if vs.truth_known(state) else "test"
    if vs.truth_known(state):
        binding.segments(state, "matrix", _SPLITS)
    found = confusion(store(), scenario, spec, split)
    if found is None:
        st.info("The outputs of these models are not in the store; run them to see which classes they confuse.")
        return
    label = short(catalog.methods()[spec.name].label)
    selecting.chart(confusion_matrices(found, label), "confusion", act=functools.partial(_choose_cell, found.names))
    _cell(scenario, found, label)


def _choose_cell(names: tuple[str, ...], found: Sequence[int]) -> None:
    st.session_state[CELL] = (names, found[0])


def _cell(scenario: Scenario, found: Confusion, label: str) -> None:
    classes = len(found.names)
    of, chosen = st.session_state.get(CELL, ((), 0))
    if of != found.names:  # nothing was clicked yet, or in a matrix of other classes
        return
    healed, place = divmod(chosen, classes**2)
    right, said = divmod(place, classes)
    inside = found.cell(right, said, bool(healed))
    names, who = found.names, label if healed else "the original"
    words = f"right class {names[right]}, taken for {names[said]} by {who}"
    if not len(inside):
        show.note(f"<b>None</b>: {html.escape(words)}.")
        return
    more = f", the first {MOST} of them" if len(inside) > MOST else ""
    show.note(f"<b>{len(inside):,}</b>: {html.escape(words)}{more}.")
    if found.split == "corrupted":
        st.button(
            "Select them on all pages", key="confusion-select", icon=":material/select_all:",
            on_click=_select, args=(scenario.corruption_key, tuple(int(k) for k in inside)),
            help="Embedding then shows where they are, and everything about each.",
        )  # fmt: skip
    _wall(scenario, found.split, inside[:MOST], [str(k) for k in inside[:MOST]])


def _select(of: str, examples: tuple[int, ...]) -> None:
    selection.begin(of)
    selection.choose(examples)


def exposed(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    """How sure models are of the labels of F beside unseen images, a threshold to move, and the images most exposed."""
    from unlearn_core.views.compare.exposure import exposure
    from unlearn_core.views.compare.exposure_figure import exposure_histograms

    spec = judged(state, specs, frame)
    reference = next((one for one in specs if one.name == "retrain"), None)
    found = exposure(store(), scenario, spec, reference) if spec is not None else None
    if spec is None or found is None:
        st.info("This needs a forget set of at least five, test images, and the outputs of the original and of a method.")
        return
    first = found.first_threshold(spec.name)
    scores = np.concatenate([*found.known.values(), *found.unseen.values()])
    low, high = (round(float(edge), 1) for edge in np.quantile(scores[np.isfinite(scores)], (0.01, 0.99)))
    threshold = st.slider(
        "Threshold", low, max(high, low + 0.1), min(max(round(first, 1), low), high), 0.1,
        key=f"exposure-threshold:{spec.name}",
        help="An attacker calls everything right of it known. It starts where one unseen image in twenty passes for known.",
    )  # fmt: skip
    labels = {name: "Original" if name == "original" else short(catalog.methods()[name].label) for name in found.known}
    show.picture(exposure_histograms(found, labels, threshold, spec.name), "exposure")
    most = found.most_exposed(spec.name, MOST // 2)
    scored = dict(zip(found.examples.tolist(), found.known[spec.name].tolist(), strict=True))
    show.note(f"The labels of the forget set that {html.escape(labels[spec.name])} is still surest of, with their log-odds.")
    _wall(scenario, "train", most, [f"{k}, {scored[int(k)]:+.1f}" for k in most])


def _wall(scenario: Scenario, split: str, chosen: np.ndarray, words: Sequence[str]) -> None:
    """Images of these positions in a split, as they were given to the models; points have their coordinates."""
    from unlearn_core.results.reader import scenario_data
    from unlearn_core.views.craft.data import as_picture

    corrupted = scenario_data(scenario).corrupted
    data = corrupted.test if split == "test" else corrupted.train
    pictures = [as_picture(data.inputs[int(k)].numpy()) for k in chosen]
    given = [data.class_names[int(data.labels[int(k)])] for k in chosen]
    if pictures and pictures[0].ndim == 1:
        places = (f"({x:.2f}, {y:.2f}) {html.escape(name)}" for (x, y), name in zip(pictures, given, strict=True))
        show.note(" · ".join(places))
        return
    kind, is_right = ("test image", "right") if split == "test" else ("training example", "given")
    cards = "".join(
        f"<figure>{examples.image(pixels, f'{kind} {int(k)}, labelled {html.escape(name)}')}"
        f"<figcaption>{html.escape(word)}<br>{is_right} {html.escape(name)}</figcaption></figure>"
        for pixels, k, word, name in zip(pictures, chosen, words, given, strict=True)
    )
    st.html(f'{_WALL}<div class="eunoe-wall">{cards}</div>')
