"""What a scenario or a method sets otherwise than is usual, in words; what makes two of them one is their key, not these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from unlearn_core.corruption import registry as corruptions
from unlearn_core.corruption import spelled_out, trigger_kinds
from unlearn_core.datasets import Recipe
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.methods import registry as methods
from unlearn_core.models import registry as models
from unlearn_core.presets import Values, recipe_of, usual_recipe, values_of
from unlearn_core.specs import LOCATION, MethodSpec, Scalar, Scenario, TriggerSpec

SEPARATOR: Final = ", "
_CONTENT: Final = "content"
"""A parameter that says what files hold: named only where two settings would read the same without it."""
_SHORT = 12


def options_of(scenario: Scenario) -> str:
    """What a scenario sets beyond dataset, network, amount and dials, such as "trigger.size=5, training.epochs=40".

    No file is read: data whose preset depends on their files are compared with what holds for any such data.
    """
    untold = (_CONTENT, *LOCATION) if _is_known(scenario) else (_CONTENT, "download")
    ours = {name: value for name, value in _flat(scenario).items() if name.partition(".")[2] not in untold}
    recipe, parts = min(
        ((recipe, _departures(ours, usual)) for recipe, usual in _usual(scenario).items()), key=lambda found: len(found[1])
    )
    parts = [*([f"recipe={recipe}"] if recipe else []), *parts]
    if scenario.forget is not None:
        parts.append(f"forget={len(scenario.forget)} listed")
    return SEPARATOR.join(parts)


def read_options(options: str) -> dict[str, Scalar]:
    """The overrides that :func:`options_of` tells, of fields alone: "trigger.kind=warp" is {"trigger.kind": "warp"}."""
    pairs = (part.partition("=") for part in options.split(SEPARATOR) if "=" in part)
    return {name: value for name, _, value in pairs}


def _departures(ours: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in ours.items() if name not in usual or usual[name] != value]


PAPER: Final[Values] = "paper"
"""The variant whose parameters are those of the method's publication; "" is the one with the tuned values."""
_WORDS: Final[dict[Values, str]] = {"tuned": "", "paper": PAPER, "rem": "REM’s values"}
"""How a variant says from which set of values it departs."""


def variant_of(spec: MethodSpec, dataset: str, augment: bool, foreign: bool = False) -> str:
    """What a method's parameters change against the nearest of its sets of values on this data: "" or "epochs=5" against
    the tuned ones (also where another is as near), "paper" or "paper, epochs=5" against the published ones.

    ``augment``: whether training crops and flips; ``foreign``: whether the network was trained elsewhere.
    """
    changes = {name: _changes(spec, usual_params(spec.name, dataset, augment, name, foreign)) for name in _WORDS}
    nearest = min(changes, key=lambda name: len(changes[name]))  # the first of those that are as near
    return SEPARATOR.join([*filter(None, [_WORDS[nearest]]), *changes[nearest]])


def set_of(variant: str) -> Values:
    """Which of a method's sets of values a variant (:func:`variant_of`) departs from."""
    first = variant.split(SEPARATOR)[0]
    return next((name for name, word in _WORDS.items() if word and word == first), "tuned")


def read_variant(variant: str) -> tuple[Values, dict[str, str]]:
    """The set of values that a variant departs from, and its own values as they are written: "paper, epochs=5"."""
    pairs = (part.partition("=") for part in variant.split(SEPARATOR) if "=" in part)
    return set_of(variant), {name: value for name, _, value in pairs}


def _changes(spec: MethodSpec, usual: Mapping[str, Scalar]) -> list[str]:
    method = methods.get(spec.name) if spec.name in methods else None
    unwritten = {name: method.Params.model_fields[name].default for name in method.later} if method else {}
    found = unwritten | dict(spec.params)
    return [f"{name}={value}" for name, value in found.items() if name not in usual or usual[name] != value]


def usual_params(name: str, dataset: str, augment: bool, values: Values = "tuned", foreign: bool = False) -> dict[str, Scalar]:
    """A method's values on this data; its defaults where the dataset is not known; empty where the method is not."""
    if name not in methods:
        return {}
    try:
        params: dict[str, Scalar] = methods.get(name).all_params(values_of(name, dataset, augment, values, foreign))
    except UserError:
        params = methods.get(name).all_params({})
    return params


def told_apart(texts: Sequence[str], scenarios: Sequence[Scenario]) -> list[str]:
    """``texts`` of different settings, those that read the same with what their files hold, or at last with their key."""
    named = _where_twice(texts, (_contents(scenario) for scenario in scenarios))
    return _where_twice(named, (f"setting {scenario.setting_key[:_SHORT]}" for scenario in scenarios))


def _where_twice(texts: Sequence[str], more: Iterable[str]) -> list[str]:
    counts = Counter(texts)
    return [
        SEPARATOR.join(filter(None, (text, extra))) if counts[text] > 1 else text
        for text, extra in zip(texts, more, strict=True)
    ]


def _contents(scenario: Scenario) -> str:
    told = {"dataset": scenario.dataset.params.get(_CONTENT), "model": scenario.model.params.get(_CONTENT)}
    return SEPARATOR.join(f"{part}.{_CONTENT}={str(value)[:_SHORT]}" for part, value in told.items() if value)


def _flat(scenario: Scenario) -> dict[str, Any]:
    """Every field but the named columns and the forget set, as "section.field"."""
    corruption = scenario.corruption.model_dump(mode="json")
    for column in ("trigger", "amount", "regularity"):
        corruption.pop(column, None)
    trigger = scenario.corruption.trigger
    sections: dict[str, Mapping[str, Any]] = {
        "dataset": scenario.dataset.params,
        "trigger": {} if scenario.corruption.found else {"kind": trigger.kind} | spelled_out(trigger),
        "corruption": corruption | corruption.pop("options", {}),
        "model": scenario.model.params,
        "training": dict(scenario.training),  # what is written alone leaves out what was not there from the start
    }
    rest = scenario.model_dump(mode="json", exclude={"dataset", "corruption", "model", "training", "discovery", "seed"})
    sections["scenario"] = {name: value for name, value in rest.items() if name not in ("forget", "relabelled", "person")}
    return {f"{section}.{name}": value for section, values in sections.items() for name, value in values.items()}


def _usual(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """What the presets say of these fields without looking at any file, for each recipe: "" is the one that is taken where
    none is named. A part that is not registered says nothing."""
    usual: dict[str, Any] = {}
    if scenario.dataset.name not in datasets:
        return {"": usual}
    source = datasets.get(scenario.dataset.name)
    known = _is_known(scenario)
    preset = source.preset_for(scenario.dataset.params) if known else source.preset
    usual |= _section("dataset", source.full_params() if known else _defaults(source))
    usual |= _section("trigger", _usual_trigger(scenario.corruption.trigger.kind, preset.trigger))
    if (kind := scenario.corruption.kind) in corruptions:
        usual |= _section("corruption", _defaults(corruptions.get(kind)))
    usual |= {f"corruption.{name}": getattr(preset, name) for name in ("class_a", "class_b", "target_class")}
    if scenario.model.name not in models:
        return {"": usual}
    network = models.get(scenario.model.name)
    usual |= _section("model", _defaults(network) | (preset.model_params if network.name == preset.model else {}))
    taken = usual_recipe(scenario.corruption.found)
    recipes: list[Recipe] = (
        sorted(("accurate", "memorising", "quick"), key=lambda name: name != taken) if preset.accurate else [taken]
    )
    return {
        "" if name == taken else name: usual | _section("training", recipe_of(preset.recipe(name), network)) for name in recipes
    }


def _is_known(scenario: Scenario) -> bool:
    """Whether these are files of which it is known without them what they hold."""
    name = scenario.dataset.name
    return name in datasets and datasets.get(name).known


def _usual_trigger(kind: str, preset: TriggerSpec) -> dict[str, Any]:
    """The preset's kind with its values, or with what is usual of the ``kind`` that there is instead."""
    other = kind != preset.kind and kind in trigger_kinds
    return (_defaults(trigger_kinds.get(kind)) if other else spelled_out(preset)) | {"kind": preset.kind}


def _defaults(part: Any) -> dict[str, Any]:
    try:
        return dict(part.params(None).model_dump(mode="json"))
    except UserError:
        return {}


def _section(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{field}": value for field, value in values.items()}
