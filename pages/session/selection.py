"""The chosen and the pinned training examples: one choice that all pages share for as long as the data stay the same.

It is part of the view (control ``marked``) and so of its link, as far as it fits: a session also keeps what does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from unlearn_core import view_state as vs
from unlearn_core.errors import UserError

HOW = ("replace", "add", "remove", "intersect")
_EMPTY: dict[str, Any] = {"of": "", "written": "", "chosen": (), "pins": (), "inspected": None}


def begin(of: str) -> None:
    """Called with the key of the data: what was chosen in other data means nothing here and is forgotten.

    What a link selects is taken over; what it says of other data, or does not say well, is said on the page."""
    memory, text = _memory(), _state()["marked"]
    if memory["of"] == of and memory["written"] == text:
        return
    found = vs.Marked()
    if text and text != memory["written"]:  # it came with a link, or from the lecturer who is followed
        try:
            found = vs.decode_marked(text, of)
        except UserError as error:
            st.info(str(error), icon=":material/link_off:")
    st.session_state["examples"] = _EMPTY | {"of": of}
    _remember(chosen=found.chosen, pins=found.pins, inspected=found.inspected)


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


def in_link() -> bool:
    """Whether a link of this view has the whole selection."""
    return vs.fits(_marked(_memory()), _memory()["of"])


def choose(indices: Iterable[int]) -> None:
    """Select exactly these."""
    _remember(chosen=tuple(sorted({int(index) for index in indices})))


def inspect(index: int) -> None:
    """Look closely at this example."""
    _remember(inspected=int(index))


def pin(index: int) -> None:
    """Keep an example at hand; the oldest goes when there are more than :data:`unlearn_core.view_state.MAX_PINS`."""
    _remember(pins=(*(kept for kept in pins() if kept != index), int(index))[-vs.MAX_PINS :])


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
    kept: dict[str, Any] = st.session_state.get("examples", {})
    return _EMPTY | kept


def _state() -> vs.State:
    found: vs.State = st.session_state["state"]
    return found


def _marked(memory: dict[str, Any]) -> vs.Marked:
    return vs.Marked(tuple(memory["chosen"]), tuple(memory["pins"]), memory["inspected"])


def _remember(**values: Any) -> None:
    memory = _memory() | values
    text = vs.encode_marked(_marked(memory), memory["of"])
    st.session_state["examples"] = memory | {"written": text}
    if _state()["marked"] != text:
        st.session_state["state"] = _state() | {"marked": text}
        st.session_state["touched"] = True
