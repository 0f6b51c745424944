"""A view in every kind of corruption that its data can have."""

from __future__ import annotations

from unlearn_core.view_state.controls import State
from unlearn_core.view_state.settle import fitting_triggers
from unlearn_core.view_state.settle_kinds import change_kind
from unlearn_core.view_state.specs import with_defaults

DIAL, TRIGGERED = "dial", 1.0


def kind_states(state: State) -> dict[str, State]:
    """Kind → this view in it: what the dial makes, the kinds of trigger that fit, and what takes the dial's place, each with
    its own defaults, but for the view's own kind. What needs a file or a drawing is there only if the view has it.
    """
    from unlearn_core.corruption import DIAL_KINDS, registry

    placed: State = state | {"forget": ""}
    dial = placed | change_kind(placed, {"corruption": DIAL})
    plain = dial | change_kind(dial, {"trigger_kind": None})
    own, usual = (with_defaults(view)["trigger_kind"] for view in (dial, plain))
    triggers = fitting_triggers(placed)
    places = [(name, place) for name, (_, place) in DIAL_KINDS.items() if not (triggers and place == TRIGGERED)]
    found: dict[str, State] = {name: plain | {"regularity": place} for name, place in places}
    for name in triggers:
        chosen: State = {"trigger_kind": None if name == usual else name}
        found[name] = (dial if name == own else plain | change_kind(plain, chosen)) | {"regularity": TRIGGERED}
    for source in registry:
        needs = {"file", "flips"} & source.Params.model_fields.keys()
        if source.name == placed["corruption"]:
            found[source.name] = placed
        elif not needs and (triggers or not source.images_only):
            found[source.name] = plain | change_kind(plain, {"corruption": source.name})
    return found
