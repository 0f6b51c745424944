"""From what was computed back to a view: the state whose scenario, and whose methods, are these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from unlearn_core.errors import UserError
from unlearn_core.view_state.controls import (
    DEMO_METHODS,
    MAX_METHODS,
    MIN_METHODS,
    PATCH,
    PATCH_CONTROLS,
    VALUE_SETS,
    State,
    by_name,
    default_state,
)
from unlearn_core.view_state.settle import clamp_state
from unlearn_core.view_state.specs import to_scenario

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scalar, Scenario

GONE: Final = "This run cannot be opened as it was: {why}."
_FILLED: Final = ("content", "listed", "download")
"""Parameters that are filled in from files, or that only fetch them."""


def state_of(scenario: Scenario, specs: Iterable[MethodSpec], references: Sequence[str] = ()) -> State:
    """The view that compares these methods on this scenario, with ``references`` beside fewer than a view has.

    ``specs``: the newest first; of several with one method's name the first counts.

    Raises :class:`UserError` where no view has it: an edited forget set, files that are gone, a part that is not registered.
    """
    if scenario.edited:
        raise UserError(GONE.format(why="it has an edited forget set; open that set on the page Forget set"))
    state = default_state()
    by_name(state).update(_dials(scenario))
    state["overrides"] = _overrides(scenario)
    _add_methods(state, list(specs), references)
    # Whichever set of values says it with fewer parameters of their own.
    settled = min((clamp_state(state | {"values": name})[0] for name in VALUE_SETS), key=lambda one: len(one["overrides"]))
    if to_scenario(settled).key != scenario.key:
        raise UserError(GONE.format(why="its data, its network or its parameters are not what they were"))
    return settled


def _dials(scenario: Scenario) -> dict[str, Any]:
    corruption = scenario.corruption
    plain: dict[str, Any] = {
        "dataset": scenario.dataset.name,
        "discovery": scenario.discovery,
        "model": scenario.model.name,
        "seed": scenario.seed,
    }
    if corruption.found:
        return plain | {"corruption": "found"}
    plain |= {
        "corruption": corruption.kind or "dial",
        "amount": corruption.amount,
        "class_a": corruption.class_a,
        "class_b": corruption.class_b,
        "target_class": corruption.target_class,
        "trigger_kind": corruption.trigger.kind,
    }
    if not corruption.kind:
        plain["regularity"] = corruption.regularity
    if corruption.trigger.kind == PATCH:
        plain |= {name: getattr(corruption.trigger, name.removeprefix("trigger_")) for name in PATCH_CONTROLS}
    return plain


def _overrides(scenario: Scenario) -> dict[str, Scalar]:
    """Every parameter of every part; a view drops those that are usual."""
    corruption = scenario.corruption
    parts: dict[str, Mapping[str, Scalar]] = {
        "dataset": scenario.dataset.params,
        "model": scenario.model.params,
        "training": scenario.training.model_dump(),
        "person": {name: value for name, value in scenario.person.model_dump().items() if name != "trusted"},
    }
    if not corruption.found:
        parts |= {"corruption": corruption.options, "trigger": corruption.trigger.params}
    named = {f"{part}.{name}": value for part, values in parts.items() for name, value in values.items()}
    return {name: value for name, value in named.items() if name.partition(".")[2] not in _FILLED}


def _add_methods(state: State, specs: Sequence[MethodSpec], references: Sequence[str]) -> None:
    """The methods, with their own parameters in place of those of the view's set of values."""
    from unlearn_core.methods import registry

    known = {spec.name: spec for spec in reversed(specs) if spec.name in registry}  # of several the first counts
    names = list(known)[:MAX_METHODS]
    names += [name for name in references if name not in names][: max(0, MIN_METHODS - len(names))]
    in_order = [*DEMO_METHODS, *registry.names()] if set(names) == set(DEMO_METHODS) else list(registry.names())
    state["methods"] = tuple(sorted(names, key=in_order.index))
    for name in state["methods"]:
        if name in known:
            state["overrides"] |= {f"{name}.{field}": value for field, value in known[name].params.items()}
