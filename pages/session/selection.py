"""The chosen and the pinned training examples: one choice that all pages share for as long as the data stay the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from pages.widgets import show
from unlearn_core.views.picture import Picture

HOW = ("replace", "add", "remove", "intersect")
MAX_PINS = 12
_EMPTY: dict[str, Any] = {"of": "", "chosen": (), "pins": (), "inspected": None}


def begin(of: str) -> None:
    """Called with the key of the data: what was chosen in other data means nothing here and is forgotten."""
    if st.session_state.get("examples", _EMPTY)["of"] != of:
        st.session_state["examples"] = _EMPTY | {"of": of}


def chosen() -> tuple[int, ...]:
    """Training indices that are selected, ascending; empty when nothing is."""
    return tuple(_memory()["chosen"])


def pins() -> tuple[int, ...]:
    """Training indices that are pinned, oldest first."""
    return tuple(_memory()["pins"])


def inspected() -> int | None:
    """The training index that is looked at closely."""
    found = _memory()["inspected"]
    return None if found is None else int(found)


def choose(indices: Iterable[int]) -> None:
    """Select exactly these."""
    _remember(chosen=tuple(sorted({int(index) for index in indices})))


def inspect(index: int) -> None:
    """Look closely at this example."""
    _remember(inspected=int(index))


def pin(index: int) -> None:
    """Keep an example at hand; the oldest goes when there are more than :data:`MAX_PINS`."""
    _remember(pins=(*(kept for kept in pins() if kept != index), int(index))[-MAX_PINS:])


def unpin(index: int) -> None:
    """Let a pinned example go."""
    _remember(pins=tuple(kept for kept in pins() if kept != index))


def combined(old: Iterable[int], new: Iterable[int], how: str) -> set[int]:
    """``new`` put together with what was selected; ``how``: one of :data:`HOW`."""
    before, now = set(old), set(new)
    if how == "add":
        return before | now
    if how == "remove":
        return before - now
    return before & now if how == "intersect" else now


def chart(shown: Picture, name: str) -> None:
    """A picture whose points can be selected by lasso, box or click; their custom data begin with the training index."""
    key = f"figure:{name}"
    st.plotly_chart(
        shown.figure,
        key=key,
        alt=shown.alt,
        on_select=lambda: _picked(key),
        selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]},
    )
    show.caption(shown.caption, shown.data, name)


def way() -> None:
    """How the next selection is put together with the present one, and a button that ends it."""
    st.segmented_control(
        "Next selection",
        HOW,
        default=None if "how" in st.session_state else "replace",
        key="how",
        help="Lasso, box or click in a picture: the new points replace the selection, join it, leave it, or narrow it.",
        width="stretch",
    )


def clear() -> None:
    """A button that ends the selection."""
    st.button(
        "Clear", key="clear-selection", icon=":material/deselect:", on_click=choose, args=((),), disabled=not chosen(),
        width="stretch", help="Select nothing",
    )  # fmt: skip


def _picked(key: str) -> None:
    event = st.session_state.get(key)
    points = event["selection"]["points"] if event else []
    indices = [_index(point) for point in points]
    found = [index for index in indices if index is not None]
    # The browser also reports an empty selection when a figure is redrawn below one that was just made; to select nothing
    # there is a button.
    if not found:
        return
    choose(combined(chosen(), found, st.session_state.get("how") or "replace"))
    if len(found) == 1:
        inspect(found[0])


def _index(point: dict[str, Any]) -> int | None:
    # The browser sends a list, or an object with the positions as keys for typed arrays.
    data = point.get("customdata")
    first = data.get("0") if isinstance(data, dict) else data[0] if isinstance(data, list) and data else None
    return None if first is None else int(first)


def _memory() -> dict[str, Any]:
    found: dict[str, Any] = st.session_state.get("examples", _EMPTY)
    return found


def _remember(**values: Any) -> None:
    st.session_state["examples"] = _memory() | values
