"""Pictures whose points can be selected, and how the next selection is put together with the present one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.session import selection
from pages.widgets import show
from unlearn_core.views.picture import Picture


def chart(shown: Picture, name: str, act: Callable[[Sequence[int]], None] | None = None) -> None:
    """A picture whose points can be selected by lasso, box or click; their custom data begin with the training index.

    ``act``: a callback with these indices; without it they join the selection that all pages share.
    """
    key = f"figure:{name}"
    show.keep_readable(shown, key)
    st.plotly_chart(
        shown.figure,
        key=key,
        alt=shown.alt,
        on_select=lambda: _picked(key, act or _select),
        selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]},
    )
    show.caption(shown.caption, shown.data, name, figure=key)


def by_touch() -> bool:
    """Whether a finger draws a lasso: on a phone a picture fills the screen, and a finger on it scrolls until one says so."""
    return st.toggle("Lasso with a finger", key="lasso-by-touch", help="While this is on, scroll beside the picture")


def way() -> None:
    """How the next selection is put together with the present one, and a button that ends it."""
    st.segmented_control(
        "Next selection",
        selection.HOW,
        default=None if "how" in st.session_state else "replace",
        key="how",
        help="Lasso, box or click in a picture: the new points replace the selection, join it, leave it, or narrow it.",
        width="stretch",
    )


def clear() -> None:
    """A button that ends the selection."""
    st.button(
        "Clear", key="clear-selection", icon=":material/deselect:", on_click=selection.choose, args=((),),
        disabled=not selection.chosen(),        width="stretch", help="Select nothing",
    )  # fmt: skip


def too_many_for_a_link() -> None:
    """Says so where a copied link would open without the selection."""
    if not selection.in_link():
        show.note("This selection is too large for a link: a copied one opens without it.")


def _picked(key: str, act: Callable[[Sequence[int]], None]) -> None:
    event = st.session_state.get(key)
    points = event["selection"]["points"] if event else []
    indices = [_index(point) for point in points]
    found = [index for index in indices if index is not None]
    # The browser also reports an empty selection when a figure is redrawn below one that was just made; to select nothing
    # there is a button.
    if found:
        act(found)


def _select(found: Sequence[int]) -> None:
    selection.choose(selection.combined(selection.chosen(), found, st.session_state.get("how") or "replace"))
    if len(found) == 1:
        selection.inspect(found[0])


def _index(point: dict[str, Any]) -> int | None:
    # The browser sends a list, or an object with the positions as keys for typed arrays.
    data = point.get("customdata")
    first = data.get("0") if isinstance(data, dict) else data[0] if isinstance(data, list) and data else None
    return None if first is None else int(first)
