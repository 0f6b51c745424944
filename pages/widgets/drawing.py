"""Draw your own corruption: a plane to lasso points on, brushes, what is drawn, undo, and the way to the healed plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import boundary as planes
from pages.session import binding
from pages.session.notices import errors_as_notices
from pages.widgets import jobs, selecting, show
from unlearn_core import view_state as vs
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.craft.canvas import canvas_points
from unlearn_core.views.craft.canvas_figure import canvas

if TYPE_CHECKING:
    from unlearn_core.corruption.drawn import Drawing

WATCHED = ("original", "retrain", "rem")
"""The planes that a first drawing is healed on, where the view names none."""
_STROKES, _BRUSH, _KNOWN, _CANVAS = "strokes", "brush", "new-known", "canvas"
_MAX_UNDO = 100


def panel(state: vs.State) -> None:
    """Everything about drawing: brushes, plane, count, undo and the button that heals."""
    from unlearn_core.corruption.drawn import MAX_POINTS

    drawing, train = vs.drawing_of(state), vs.clean_points(state)
    _brushes(train.class_names)
    points = canvas_points(vs.to_scenario(vs.without_drawing(state)), drawing)
    # A new key for every stroke: the browser would keep the last one selected.
    selecting.chart(canvas(points, train.class_names), f"draw-{st.session_state.get(_CANVAS, 0)}", _paint)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Undo", key="draw-undo", icon=":material/undo:", on_click=_undo, disabled=not _strokes())
        st.button("Clear", key="draw-clear", icon=":material/delete:", on_click=_clear, disabled=not len(drawing))
        st.toggle("New ones are known", key=_KNOWN, help="Whether a point that you give a wrong label counts as discovered")
    most = min(MAX_POINTS, len(train) // 2)
    st.markdown(
        f"**{len(drawing)} flipped, {len(drawing.known)} known** of {len(train):,} points (at most {most} can be flipped)."
    )
    if not len(drawing):
        show.note("Nothing is drawn yet: take a brush and lasso points. Until then the corruption that is set counts.")
    elif not drawing.known:
        show.note("Nothing is known yet, so methods have nothing to unlearn: take the brush “known”, and lasso some of them.")
    if st.button(
        "Heal it, and watch the plane", key="draw-heal", type="primary", icon=":material/healing:", width="stretch",
        disabled=not drawing.known, help="Trains the original on what you drew, then the methods, and opens Decision boundary",
        on_click=_heal,
    ):  # fmt: skip
        binding.finish(state)
        st.switch_page("pages/boundary.py")


def _brushes(names: Sequence[str]) -> None:
    words = {f"class:{k}": f"→ {escape_markdown(name)}" for k, name in enumerate(names)}
    words |= {"known": "known ✖", "unknown": "not known ◆", "right": "right ●"}
    if st.session_state.get(_BRUSH) not in words:
        st.session_state[_BRUSH] = f"class:{len(names) - 1}"
    st.segmented_control(
        "Brush", list(words), format_func=lambda one: words[one], key=_BRUSH, required=True, width="stretch",
        help="What happens to the points that you lasso or click: they are given that class, or become known, or right again",
    )  # fmt: skip


def _strokes() -> list[Drawing]:
    """What was drawn on these data before each stroke, the latest last."""
    scenario = vs.to_scenario(vs.without_drawing(st.session_state["state"]))
    of = scenario.dataset.key, scenario.seed
    if st.session_state.get(_STROKES, (None, []))[0] != of:
        st.session_state[_STROKES] = of, []
    found: list[Drawing] = st.session_state[_STROKES][1]
    return found


def _paint(indices: Sequence[int]) -> None:
    """A callback: what the brush does to these points."""
    state: vs.State = st.session_state["state"]
    _draw(state, vs.stroke(state, str(st.session_state[_BRUSH]), indices, bool(st.session_state.get(_KNOWN))))


def _draw(state: vs.State, drawing: Drawing) -> None:
    """A stroke that changes nothing is none to undo: the browser may tell of one and the same lasso twice."""
    with errors_as_notices():
        changes, strokes, before = vs.with_drawing(state, drawing), _strokes(), vs.drawing_of(state)
        if drawing != before:
            strokes.append(before)
            del strokes[:-_MAX_UNDO]
        _change(changes)


def _change(changes: vs.State) -> None:
    st.session_state[_CANVAS] = st.session_state.get(_CANVAS, 0) + 1
    binding.change(**changes)


def _clear() -> None:
    from unlearn_core.corruption.drawn import Drawing

    _draw(st.session_state["state"], Drawing())


def _undo() -> None:
    """A callback: the drawing as it was before the last stroke; all else stays as it is now."""
    _change(vs.with_drawing(st.session_state["state"], _strokes().pop()))


def _heal() -> None:
    """A callback: the models of the planes that are to be watched, on what is drawn now."""
    from unlearn_core.stages.unlearn import plan_runs

    if not st.session_state["state"]["views"]:
        binding.change(views=WATCHED)
    state: vs.State = st.session_state["state"]
    names = [name for name in planes.chosen(state)[0] if name != planes.ORIGINAL]
    jobs.hand_over(plan_runs(vs.to_scenario(state), vs.to_methods(state, names)), "Your own corruption")
