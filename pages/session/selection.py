"""The chosen and the pinned training examples: one choice that all pages share for as long as the data stay the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

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


def _memory() -> dict[str, Any]:
    found: dict[str, Any] = st.session_state.get("examples", _EMPTY)
    return found


def _remember(**values: Any) -> None:
    st.session_state["examples"] = _memory() | values
