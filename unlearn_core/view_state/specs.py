"""From a state to what is computed: complete specs, with the dataset's presets and the parameters of this view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from unlearn_core.view_state.controls import BY_NAME, CORRUPTIONS, PATCH, SECTIONS, State, by_name, with_changes
from unlearn_core.view_state.fields import ParamField, param_fields

if TYPE_CHECKING:
    from unlearn_core.datasets import Preset
    from unlearn_core.specs import MethodSpec, Scalar, Scenario, TrainingSpec

_SPEC_FIELDS: Final = {
    "trigger_kind": "trigger.kind",
    "class_a": "corruption.class_a",
    "class_b": "corruption.class_b",
    "target_class": "corruption.target_class",
    "trigger_size": "trigger.size",
    "trigger_corner": "trigger.corner",
    "trigger_value": "trigger.value",
    "trigger_opacity": "trigger.opacity",
}
_PAIR: Final = ("corruption.class_a", "corruption.class_b")
DISCOVERY: Final = "rem_discover"
"""The method that the search for suspects runs."""


def all_overrides(state: State, methods: Iterable[str] = ()) -> dict[str, Scalar]:
    """Everything beyond the plain options as "section.field" → value, for the scenario and for ``methods``."""
    values = by_name(state)
    named = {field: values[name] for name, field in _SPEC_FIELDS.items() if values[name] is not None}
    wanted = {*SECTIONS, *methods}
    if as_found(state):
        named = {"corruption.found": True}
    elif not on_dial(state):  # it may ask for a class, and for the trigger; the two confused classes are the dial's
        named = {field: value for field, value in named.items() if field not in _PAIR} | {
            "corruption.kind": values["corruption"]
        }
    return named | {key: value for key, value in sorted(state["overrides"].items()) if key.partition(".")[0] in wanted}


def on_dial(state: State) -> bool:
    """Whether the regularity dial says what is corrupted: neither another corruption nor labels as they come."""
    return bool(state["corruption"] == "dial")


def as_found(state: State) -> bool:
    """Whether the labels are taken as they come."""
    return bool(state["corruption"] == "found")


def is_own(state: State) -> bool:
    """Whether the data come from files, and so may bring wrong labels of their own."""
    from unlearn_core.datasets import registry

    return bool(registry.get(state["dataset"]).needs_data)


def files_absent(state: State) -> bool:
    """Whether nothing can be computed in this view for lack of its files: results of these very files come with the code."""
    from unlearn_core.datasets import load_dataset, registry
    from unlearn_core.errors import UserError
    from unlearn_core.specs import DatasetSpec
    from unlearn_core.support.deferring import NotRead

    source = registry.get(state["dataset"])
    if not source.known:
        return False
    try:
        params = source.full_params(section_overrides(state["overrides"], "dataset"))
        load_dataset(DatasetSpec(name=source.name, params=params), state["seed"])
    except UserError:
        return True
    except NotRead:  # they are here
        return False
    return False


def edited(state: State) -> int:
    """The size of the edited forget set in use; 0 where the discovery rate counts."""
    return len(state.get("indices") or ()) if state["forget"] else 0


def nothing_known(state: State) -> bool:
    """Whether there is no forget set at all."""
    return bool(state["discovery"] == 0 and not edited(state))


def to_scenario(state: State) -> Scenario:
    """The scenario of this view. Raises :class:`UserError` when the state is not settled.

    ``state["indices"]``: what the key ``state["forget"]`` stands for, ``state["listed"]``: which images join the training part
    for that; where there is a store, they are filled in from it.
    """
    from unlearn_core.presets import make_scenario

    made = make_scenario(
        state["dataset"],
        regularity=state["regularity"] if on_dial(state) else BY_NAME["regularity"].default,
        amount=state["amount"],
        discovery=state["discovery"],
        model=state["model"],
        seed=state["seed"],
        overrides=all_overrides(state) | joining(state),
        recipe=state["recipe"],
    )
    return made.knowing(state["indices"], state.get("relabelled", {}), state.get("trusted", ())) if edited(state) else made


def joining(state: State) -> dict[str, Scalar]:
    """The override by which images that the edited forget set names join the training part; empty where none does."""
    from unlearn_core.datasets import registry

    fits = "listed" in registry.get(state["dataset"]).Params.model_fields
    return {"dataset.listed": state["listed"]} if fits and edited(state) and state.get("listed") else {}


def to_methods(state: State, names: Iterable[str] | None = None) -> list[MethodSpec]:
    """Complete method specs for ``names`` (default: the chosen methods) with this view's parameters."""
    from unlearn_core.presets import make_method

    scenario = to_scenario(state)
    chosen = state["methods"] if names is None else names
    return [make_method(name, scenario, section_overrides(state["overrides"], name), state["values"]) for name in chosen]


def searching(state: State) -> State:
    """The state with the parameters of the search for suspects that it asks for: its own, or one quick round."""
    more: dict[str, Scalar] = {f"{DISCOVERY}.rounds": 1} if state["search"] == "quick" else {}
    return state | {"overrides": state["overrides"] | more}


def to_search(state: State) -> MethodSpec:
    """The discovery that this view asks for."""
    return to_methods(searching(state), [DISCOVERY])[0]


def amount_of(state: State) -> float:
    """How many examples are corrupted, as a fraction or a count: what the view says, or the usual amount."""
    from unlearn_core.specs import CorruptionSpec

    usual: float = CorruptionSpec.model_fields["amount"].default
    return usual if state["amount"] is None else state["amount"]


def preset_of(state: State) -> State:
    """What the dataset's preset says about the controls whose default is None."""
    from unlearn_core.presets import usual_recipe

    p = _preset(state)
    t = p.trigger
    return {
        "amount": amount_of(state | {"amount": None}),
        "class_a": p.class_a,
        "class_b": p.class_b,
        "target_class": p.target_class,
        "trigger_kind": t.kind,
        "trigger_size": t.size,
        "trigger_corner": t.corner,
        "trigger_value": t.value,
        "trigger_opacity": t.opacity,
        "model": p.model,
        "recipe": usual_recipe(as_found(state)) if p.accurate else None,
    }


def _preset(state: State) -> Preset:
    """The preset of the dataset with this view's parameters; what holds for any data where these cannot be used."""
    from unlearn_core.datasets import registry
    from unlearn_core.errors import UserError

    source = registry.get(state["dataset"])
    try:
        preset: Preset = source.preset_for(source.full_params(section_overrides(state["overrides"], "dataset")))
    except UserError:
        preset = source.preset
    return preset


def with_defaults(state: State) -> State:
    """The state with the dataset's preset in place of every None: what the widgets show."""
    values = by_name(state)
    return with_changes(state, {name: value for name, value in preset_of(state).items() if values[name] is None})


def section_fields(state: State, section: str) -> list[ParamField]:
    """The parameters of a section of the scenario or of a method, with the defaults that hold for this dataset: of a method
    those of the set of values that this view has; of a trigger that is a patch none, because it has controls."""
    from unlearn_core.datasets import registry as datasets
    from unlearn_core.methods import registry as methods
    from unlearn_core.models import registry as models
    from unlearn_core.person import PersonSpec
    from unlearn_core.presets import recipe_of, values_of
    from unlearn_core.specs import TrainingSpec

    source = datasets.get(state["dataset"])
    if section == "dataset":
        return param_fields(source.Params.model_json_schema())
    if section in ("corruption", "trigger"):
        return corruption_fields(state) if section == "corruption" else trigger_fields(state)
    if section == "person":
        return param_fields(PersonSpec.model_json_schema())
    if section in ("training", "model"):
        preset = _preset(state)
        network = models.get(state["model"] or preset.model)
        if section == "training":
            return param_fields(TrainingSpec.model_json_schema(), recipe_of(_recipe(state, preset), network))
        defaults = preset.model_params if network.name == preset.model else {}
        return param_fields(network.Params.model_json_schema(), defaults)
    usual = values_of(section, source.name, augmented(state), state["values"], foreign(state))
    return param_fields(methods.get(section).Params.model_json_schema(), usual)


def corruption_fields(state: State) -> list[ParamField]:
    """The parameters of the corruption that takes the dial's place; empty where none does."""
    from unlearn_core.corruption import registry

    kind = state["corruption"]
    return [] if kind in CORRUPTIONS else param_fields(registry.get(kind).Params.model_json_schema())


def trigger_fields(state: State) -> list[ParamField]:
    """The parameters of the trigger, if it is no patch."""
    from unlearn_core.corruption import trigger_kinds

    usual = _preset(state).trigger
    kind = state["trigger_kind"] or usual.kind
    if kind == PATCH or as_found(state):
        return []
    return param_fields(trigger_kinds.get(kind).Params.model_json_schema(), usual.params if kind == usual.kind else {})


def foreign(state: State) -> bool:
    """Whether the network of this view was trained elsewhere."""
    from unlearn_core.models import registry as models

    fields = models.get(state["model"]).Params.model_fields if state["model"] else {}
    return "weights" in fields and bool(state["overrides"].get("model.weights"))


def augmented(state: State) -> bool:
    """Whether training crops and flips in this view: presets may depend on it."""
    from unlearn_core.models import registry as models
    from unlearn_core.presets import recipe_of

    if "training.augment" in state["overrides"]:
        return bool(state["overrides"]["training.augment"])
    preset = _preset(state)
    return bool(recipe_of(_recipe(state, preset), models.get(state["model"] or preset.model))["augment"])


def starts_quickly(state: State) -> bool:
    """Whether the quick recipe is for this view's network."""
    from unlearn_core.models import registry

    return registry.get(state["model"] or _preset(state).model).quick_start


def _recipe(state: State, preset: Preset) -> TrainingSpec:
    """The recipe that this view asks for, before the network and the overrides have their say."""
    from unlearn_core.presets import usual_recipe

    return preset.recipe(state["recipe"] or usual_recipe(as_found(state)))


def section_overrides(overrides: Mapping[str, Scalar], section: str) -> dict[str, Scalar]:
    """The part of ``overrides`` with this prefix, as plain names: {"rem.epochs": 5} → {"epochs": 5}."""
    return {key.partition(".")[2]: value for key, value in overrides.items() if key.partition(".")[0] == section}


def as_text(value: object) -> str:
    """A value as links and commands write it; floats read back to the same bit."""
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)
