"""A corruption drawn by hand in a view: what is drawn now, and what a stroke changes in the state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from unlearn_core.errors import UserError
from unlearn_core.view_state.controls import BY_NAME, State
from unlearn_core.view_state.specs import section_overrides, to_scenario

if TYPE_CHECKING:
    from unlearn_core.corruption.drawn import Drawing
    from unlearn_core.datasets import LabelledData

_FLIPS: Final = "corruption.flips"


def drawing_of(state: State) -> Drawing:
    """What is drawn in this view, of which the discovery rate says what is known; empty where another corruption counts."""
    from unlearn_core.corruption.drawn import DRAWN, Drawing, decode_drawing

    text = section_overrides(state["overrides"], "corruption").get("flips")
    if state["corruption"] != DRAWN or not text:
        return Drawing()
    try:
        return decode_drawing(str(text)).at_rate(state["discovery"])
    except UserError:
        return Drawing()


def with_drawing(state: State, drawing: Drawing) -> State:
    """The changes of ``state`` by which exactly ``drawing`` is its corruption; the regularity dial again for an empty one.

    Raises :class:`UserError` where the drawing is too large for a link.
    """
    from unlearn_core.corruption.drawn import DRAWN, encode_drawing

    others = {name: value for name, value in state["overrides"].items() if name.partition(".")[0] != "corruption"}
    if not len(drawing):
        corruption, discovery = (BY_NAME[name].default for name in ("corruption", "discovery"))
        return {"overrides": others, "forget": "", "corruption": corruption, "discovery": discovery}
    text = encode_drawing(drawing, clean_points(state))
    return {
        "corruption": DRAWN,
        "overrides": others | {_FLIPS: text},
        "discovery": drawing.rate,
        "forget": "",
    }


def stroke(state: State, brush: str, indices: Iterable[int], known: bool) -> Drawing:
    """What is drawn after a brush went over these points: "known", "unknown", "right", or "class:" and the number of one.

    ``known``: whether points that this gives a wrong label are known.
    """
    before = drawing_of(state)
    if brush == "right":
        return before.cleared(indices)
    if brush in ("known", "unknown"):
        return before.marked(indices, brush == "known")
    return before.painted(indices, int(brush.partition(":")[2]), clean_points(state).labels, known)


def clean_points(state: State) -> LabelledData:
    """The training half of this view's data before any corruption."""
    from unlearn_core.datasets import load_dataset

    scenario = to_scenario(without_drawing(state))
    return load_dataset(scenario.dataset, scenario.seed).train


def without_drawing(state: State) -> State:
    """The state with the dial in the place of a drawing: for what depends on the data alone."""
    from unlearn_core.corruption.drawn import Drawing

    return state | with_drawing(state, Drawing())
