"""Which kinds of trigger fit the data of a view, and the nearest possible choice of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from unlearn_core.errors import UserError
from unlearn_core.view_state.controls import BY_NAME, CORRUPTIONS, PATCH, PATCH_CONTROLS, State, by_name
from unlearn_core.view_state.specs import as_found, to_scenario, with_defaults

if TYPE_CHECKING:
    from unlearn_core.datasets import LabelledData
    from unlearn_core.specs import Scalar

_SECTION: Final = {"trigger_kind": "trigger", "corruption": "corruption"}
"""The control that chooses a kind, and the section of its parameters."""


def change_kind(state: State, changes: State) -> State:
    """``changes`` with what they take along: another kind of trigger or corruption starts from its own defaults."""
    before, after = by_name(with_defaults(state)), by_name(changes)
    for name, section in _SECTION.items():
        if name in after and after[name] != before[name]:
            # What comes with the change is meant for the new kind.
            more: State = {
                "overrides": changes["overrides"] if "overrides" in changes else _without(state["overrides"], section)
            }
            if name == "trigger_kind":
                more |= {"trigger_size": None, "trigger_corner": None, "trigger_value": None, "trigger_opacity": None}
            changes = changes | more
    return changes


def triggers_for(state: State, data: LabelledData | None) -> list[str]:
    """The kinds of trigger that can be put on this dataset's images, and the one that is chosen."""
    from unlearn_core.corruption import trigger_kinds

    if data is None or not data.is_image:
        return []
    chosen = with_defaults(state)["trigger_kind"]
    return [kind.name for kind in trigger_kinds if kind.name == chosen or not _why_not(kind.name, {}, data)]


def settle_trigger(state: State, data: LabelledData, notices: list[str]) -> None:
    """Bring the kind of trigger within the data, and the patch's fields within patches."""
    if state["trigger_kind"] is not None:
        refused = "Points have no kinds of trigger: they are displaced." if not data.is_image else _refused(state, data)
        if refused:
            notices.append(f"{refused} The dataset’s own trigger is used.")
            state["trigger_kind"], state["overrides"] = None, _without(state["overrides"], "trigger")
    kind = with_defaults(state)["trigger_kind"]
    strange = [name for name in PATCH_CONTROLS if by_name(state)[name] is not None] if kind != PATCH else []
    if strange and data.is_image:
        words = ", ".join(BY_NAME[name].label.lower() for name in strange)
        notices.append(f"A trigger of the kind {kind} has no {words}; that belongs to the patch and is ignored.")
        by_name(state).update(dict.fromkeys(strange))


def settle_corruption(state: State, notices: list[str]) -> None:
    """Go back to the dial where another corruption cannot be made on these data."""
    from unlearn_core.corruption import summarize_corruption

    if state["corruption"] in CORRUPTIONS:
        return
    try:
        summarize_corruption(to_scenario(state | {"forget": "", "discovery": 0.0}))
    except UserError as error:
        notices.append(f"{error} The dial takes its place.")
        state["corruption"], state["overrides"] = "dial", _without(state["overrides"], "corruption")


def _refused(state: State, data: LabelledData) -> str:
    kind = state["trigger_kind"] or ""
    given = {key.partition(".")[2]: value for key, value in state["overrides"].items() if key.startswith("trigger.")}
    return "" if as_found(state) else _why_not(kind, given, data)


def _why_not(kind: str, given: dict[str, Scalar], data: LabelledData) -> str:
    """Why this kind of trigger cannot be put on these images; "" where it can."""
    from unlearn_core.corruption import trigger_kinds

    source = trigger_kinds.get(kind)
    try:
        source.check(source.params(given), *data.shape[-2:])
    except UserError as error:
        return str(error)
    return ""


def _without(overrides: dict[str, Scalar], section: str) -> dict[str, Scalar]:
    return {key: value for key, value in overrides.items() if key.partition(".")[0] != section}
