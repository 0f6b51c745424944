"""State ↔ widgets ↔ link. The state is the master: widgets show it, change it through callbacks, and the link follows."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Unpack

import streamlit as st

from pages.session import audience, following, own_plugins, permission
from pages.session.entry import within_app
from pages.session.services import elsewhere, warm_up
from unlearn_core import view_state as vs
from unlearn_core.support.deferring import NotRead

_STALE_SECONDS = 2.0
_LOCKED = "The link that you opened keeps this as it is."

Place = Any
"""Where a widget goes: a container of Streamlit's, or its module, which has the same functions and no type of theirs."""


def begin() -> vs.State:
    """The state of this session: read from the link when the session starts or when you follow another link."""
    within_app()
    memory = st.session_state
    query = st.query_params.to_dict()
    if "state" not in memory or _followed_a_link(query):
        memory["state"], memory["notices"] = permission.read_link(query)
        memory["by-link"] = bool(query)
    if "unsettled" in memory:
        memory["state"], memory["notices"] = vs.clamp_state(memory["unsettled"])
        del memory["unsettled"]
    own_plugins.settle()
    if memory["state"]["forget"] or "indices" in memory["state"]:
        from pages.session import forget_sets

        memory["state"], more = forget_sets.resolved(memory["state"])
        memory["notices"] = [*memory.get("notices", []), *more]
    memory["touched"] = False
    state: vs.State = memory["state"]
    return state.copy()


def _followed_a_link(query: dict[str, str]) -> bool:
    memory = st.session_state
    if not query or memory.get("touched") or query == memory.get("written"):
        return False
    # A browser that is a moment behind still sends the link from before the last change.
    written_at: float = memory.get("written_at", 0.0)
    return time.monotonic() - written_at > _STALE_SECONDS


def finish(state: vs.State) -> None:
    """Write the state into the address bar, and let the workers start: the last call before a page ends or is left."""
    warm_up()
    marked = st.session_state["state"]["marked"]  # what was looked at more closely while the page was drawn
    query = _as_dict(vs.encode(state | {"marked": marked}))
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
    if st.session_state.get("written") != query:
        st.session_state["written"], st.session_state["written_at"] = query, time.monotonic()


def _as_dict(query: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(query, keep_blank_values=True))


def open_with(state: vs.State, **values: Unpack[vs.State]) -> vs.State:
    """The state with what a page opens with, once a session, where neither a link nor a lesson said how."""
    memory, what = st.session_state, "opened:" + ",".join(values)
    if what not in memory and not memory.get("by-link") and not state["lesson"]:
        memory["state"] = memory["state"] | values
        state |= values
    memory[what] = True
    return state


def change(**values: Unpack[vs.State]) -> None:
    """Set controls, then bring the whole state within its limits; what had to give is said on the page."""
    if following.following():  # its controls rest; a browser that is a moment behind still says what they were
        return
    memory = st.session_state
    values, refused = permission.allowed(values)
    permission.remember_typed(values)
    if "discovery" in values:  # you moved the discovery rate: it counts
        values = {"forget": ""} | values
    if values.get("dataset", memory["state"]["dataset"]) != memory["state"]["dataset"]:
        values = {"corruption": vs.BY_NAME["corruption"].default} | values  # other data bring other labels
    if values.get("corruption", memory["state"]["corruption"]) != memory["state"]["corruption"]:
        # A forget set belongs to its data, and where it was not known what is wrong there was no discovery rate to keep.
        values = {"forget": "", "discovery": memory["state"]["discovery"] or vs.BY_NAME["discovery"].default} | values
    memory["touched"] = True
    wanted = memory["state"] | vs.change_kind(memory["state"], values)
    if not vs.same_data(memory["state"], wanted):
        wanted["marked"] = ""  # what was chosen in other data
    try:
        with elsewhere():
            memory["state"], notices = vs.clamp_state(wanted)
            memory["notices"] = [*refused, *notices]
    except NotRead:  # the page shows how its files are read, and settles it then
        memory["unsettled"] = wanted


def hidden(state: vs.State, name: str) -> bool:
    """Whether a teacher's link, or the layout, leaves this control or panel out. A lesson speaks of whatever it needs, so that
    no layout counts there."""
    return name in state["hide"] or (not state["lesson"] and name in vs.LAYOUTS[state["layout"]].hide)


def locked(state: vs.State, name: str) -> bool:
    """Whether a teacher's link shows this control without letting you change it."""
    return name in state["lock"]


def _same(value: Any) -> Any:
    return value


def widget_args(
    state: vs.State, name: str, convert: Callable[[Any], Any] = _same, show: Callable[[Any], Any] = _same
) -> dict[str, Any]:
    """Label, help, key and callback of the widget for one control; the widget then shows the state's value.

    ``convert``: from the widget's value to the state's; ``show``: back.
    """
    control, key = vs.BY_NAME[name], f"control:{name}"
    st.session_state[key] = show(vs.by_name(vs.with_defaults(state))[name])
    fixed = locked(state, name)
    label, words = (f"{control.label} :material/lock:", f"{_LOCKED} {control.help}") if fixed else (control.label, control.help)
    common = {"label": label, "help": words, "key": key, "disabled": fixed}
    return common | {"on_change": _changed, "args": (name, key, convert)}


def _changed(name: str, key: str, convert: Callable[[Any], Any]) -> None:
    value = st.session_state[key]
    if value is None:  # an emptied number field: the last value stays
        return
    change_one(name, convert(value))


def change_one(name: str, value: object) -> None:
    """Set the control that is called ``name``."""
    change(**dict[str, Any]({name: value}))


def segments(
    state: vs.State,
    name: str,
    words: Mapping[Any, str],
    place: Place = st,
    width: Literal["content", "stretch"] = "content",
    show: Callable[[Any], Any] = _same,
) -> None:
    """A control with few choices, each in its ``words``, side by side and without its label; nothing if it is hidden."""
    if not hidden(state, name):
        place.segmented_control(
            options=list(words),
            format_func=lambda value: words[value],
            label_visibility="collapsed",
            width=width,
            **widget_args(state, name, show=show),
        )


def parameters(state: vs.State, section: str, columns: Sequence[Place] | None = None) -> None:
    """Widgets for every parameter of a dataset, network, recipe or method, made from its schema, dealt into ``columns``."""
    places = itertools.cycle(columns or [st])
    closed = audience.visitor() or audience.guest()
    apart = (vs.DOWNLOAD, *(vs.PATHS if closed else ()))  # a download has a button of its own (:mod:`.permission`)
    shown = [field for field in vs.section_fields(state, section) if f"{section}.{field.name}" not in apart]
    for field, place in zip(shown, places, strict=False):
        parameter(state, section, field, place)


def parameter(state: vs.State, section: str, field: vs.ParamField, place: Place = st) -> None:
    """The widget for one parameter."""
    name = f"{section}.{field.name}"
    key = f"parameter:{name}"
    st.session_state[key] = state["overrides"].get(name, field.default)
    common: dict[str, Any] = {
        "label": field.label,
        "help": field.help or field.limits(),
        "key": key,
        "disabled": locked(state, "parameters"),
        "on_change": _changed_parameter,
        "args": (name, key),
    }
    if field.kind == "bool":
        place.checkbox(**common)
    elif field.kind == "choice":
        place.selectbox(options=field.choices, **common)
    elif field.kind == "text":
        place.text_input(**common)
    else:
        low, high, step = field.bounds()
        place.number_input(min_value=low, max_value=high, step=step, format="%d" if field.kind == "int" else "%.6g", **common)


def _changed_parameter(name: str, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        change(overrides=st.session_state["state"]["overrides"] | {name: value})
