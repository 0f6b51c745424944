"""From the few things the user says to complete specs: datasets' presets and methods' defaults filled in."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from unlearn_core.canonical import content_key
from unlearn_core.corruption import make_trigger
from unlearn_core.corruption.base import registry as corruptions
from unlearn_core.datasets import Preset, Recipe
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.methods import registry as methods
from unlearn_core.models import ModelSource
from unlearn_core.models import registry as models
from unlearn_core.person import STAND_IN, STAND_IN_SHARE
from unlearn_core.specs import (
    CorruptionSpec,
    DatasetSpec,
    MethodSpec,
    ModelSpec,
    Scalar,
    Scenario,
    TrainingSpec,
    TriggerSpec,
)

Values = Literal["tuned", "paper", "rem"]
"""A method's sets of values: found by the held-out-F rule, its publication's, and of REM's ablations the ones found for REM."""
TUNED = Path(__file__).with_name("tuning") / "tuned"
SECTIONS = ("dataset", "corruption", "trigger", "model", "training", "person")
"""Parts of a scenario that take overrides such as ``training.epochs``; every other prefix is a method's name."""


def make_scenario(
    dataset: str = "digits",
    *,
    regularity: float = 1.0,
    amount: float | str | None = None,
    discovery: float = 0.3,
    model: str | None = None,
    seed: int = 0,
    overrides: Mapping[str, Scalar] | None = None,
    recipe: Recipe | None = None,
) -> Scenario:
    """A complete scenario; what isn't given comes from the dataset's preset.

    With the override "corruption.found" the labels are taken as they come, and with "corruption.kind" one of the kinds of
    ``corruption.registry`` is made, its parameters beside it ("corruption.rho"); the dial then has no meaning.
    ``overrides`` maps "section.field" (sections: :data:`SECTIONS`) to values; keys that belong to methods are left alone.
    ``recipe``: which of the preset's two recipes; None: :func:`usual_recipe`. Raises :class:`UserError` with one sentence for
    anything that cannot be.
    """
    source = datasets.get(dataset)
    extra = {section: _section(overrides or {}, section) for section in SECTIONS}
    side = input_side(model, extra["model"])
    params = source.full_params(source.for_input(extra["dataset"], side))
    preset = source.preset_for(params)
    network = models.get(model or preset.model)
    defaults = preset.model_params if network.name == preset.model else {}
    trigger = make_trigger(preset.trigger, extra["trigger"])
    corruption = _make_corruption(preset, regularity, amount, trigger, extra["corruption"])
    usual = _chosen(preset, source.name, recipe, corruption.found)
    if recipe == "quick" and not network.quick_start:
        raise UserError(f"The quick recipe is for ResNet-9 alone, not for {network.name}; choose accurate.")
    return Scenario.parse(
        {
            "dataset": DatasetSpec(name=source.name, params=params),
            "corruption": corruption,
            "discovery": discovery,
            "model": ModelSpec(name=network.name, params=network.full_params(defaults | extra["model"])),
            "training": TrainingSpec.parse(recipe_of(usual, network) | extra["training"]),
            "person": extra["person"],
            "seed": seed,
        }
    )


def _make_corruption(
    preset: Preset, regularity: float, amount: float | str | None, trigger: TriggerSpec, extra: Mapping[str, Scalar]
) -> CorruptionSpec:
    made: dict[str, Any] = {
        "class_a": preset.class_a,
        "class_b": preset.class_b,
        "target_class": preset.target_class,
        "regularity": regularity,
        "trigger": trigger,
    }
    if amount is not None:
        made["amount"] = amount
    if kind := extra.get("kind"):
        source = corruptions.get(str(kind))
        own = {name: value for name, value in extra.items() if name not in CorruptionSpec.model_fields}
        extra = {name: value for name, value in extra.items() if name not in own}
        made["options"] = source.full_params(own)
        # What has no meaning has one value, so that the same data have the same key.
        if source.place is not None:
            made["regularity"] = source.place
        if source.own_amount:
            made.pop("amount", None)
            extra.pop("amount", None)
    return CorruptionSpec.parse(made | dict(extra))


def input_side(model: str | None, params: Mapping[str, Scalar]) -> int:
    """The side in pixels that this network takes whatever the images have, or 0."""
    if model is None:
        return 0
    network = models.get(model)
    side: int = network.input_side(network.params(network.full_params(dict(params))))
    return side


def usual_recipe(found: bool) -> Recipe:
    """Which of two recipes is taken where none is named: where a corruption is made the one that learns it by heart, so that
    there is something to heal; with labels as they come (``found``) the one that is better on new images."""
    return "accurate" if found else "memorising"


def _chosen(preset: Preset, dataset: str, recipe: Recipe | None, found: bool) -> TrainingSpec:
    if recipe is None:
        return preset.recipe(usual_recipe(found))
    if preset.accurate is None:
        raise UserError(f"{dataset!r} has one recipe for both purposes, which memorises; leave the recipe out.")
    return preset.recipe(recipe)


def recipe_of(usual: TrainingSpec, network: type[ModelSource]) -> dict[str, Scalar]:
    """How this network is trained on data whose usual recipe is ``usual``."""
    return dict(usual) | network.training


def make_method(
    name: str, scenario: Scenario, overrides: Mapping[str, Scalar] | None = None, values: Values = "tuned"
) -> MethodSpec:
    """A complete method spec: its values for this kind of data, then ``overrides`` (plain names).

    ``values``: "tuned" (:func:`preset_params`), "paper" (:func:`published_params`) or "rem" (REM's, for what was tuned for
    itself but is compared with it). A method that lacks the set has its tuned values. With tuned values a method that can
    makes its learning rate fit a network that was trained elsewhere.
    """
    method = methods.get(name)
    usual = values_of(name, scenario.dataset.name, scenario.training.augment, values, brought(scenario.model))
    params = method.full_params(with_overrides(name, usual, overrides or {}))
    given = given_to(name, scenario)
    return MethodSpec(name=method.name, params=params, revision=method.todays_revision(), given=given)


def with_overrides(name: str, usual: Mapping[str, Scalar], overrides: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """``usual`` values with ``overrides``. A learning rate that a person names is taken as it is; only that of REM and its like
    is where the trials for a foreign network begin."""
    method = methods.get(name)
    named = getattr(method, "rate_name", "learning_rate") in overrides and "fit_rate" in method.later
    return dict(usual) | ({"fit_rate": False} if named else {}) | dict(overrides)


def given_to(name: str, scenario: Scenario) -> dict[str, Scalar]:
    """What a person gives this method beside the forget set, by which its runs differ: a simulated person's shares and counts,
    or the content key of what a real one wrote; empty where it takes nothing, or nothing is given. A method that works on
    checked examples and has a stand-in for them takes that where there are none: "stand_in", the share of the data."""
    method, person, given = methods.get(name), scenario.person, dict[str, Scalar]()
    if method.needs_right_labels and scenario.relabelled:
        given["labels"] = content_key("right labels", scenario.relabelled)
    elif method.needs_right_labels and person.typed:
        given |= {"typed": person.typed, "slips": person.slips}
    if method.needs_trusted and person.trusted:
        given["trusted"] = content_key("trusted", person.trusted)
    elif method.needs_trusted and person.checked:
        given["checked"] = person.checked
    elif method.stands_in:
        given[STAND_IN] = STAND_IN_SHARE
    return given


def knows(spec: MethodSpec) -> tuple[str, ...]:
    """What the runs of this spec are told: as :meth:`Method.knows`, with "stand-in" for examples that nobody checked."""
    told: tuple[str, ...] = methods.get(spec.name).knows()
    return tuple("stand-in" if words == "trusted" and STAND_IN in spec.given else words for words in told)


def brought(model: ModelSpec) -> bool:
    """Whether this network was trained elsewhere."""
    return bool(model.params.get("content"))


def values_of(
    name: str, dataset: str, augment: bool = False, values: Values = "tuned", foreign: bool = False
) -> dict[str, Scalar]:
    """Where one of a method's sets of values departs from its defaults on this kind of data.

    ``augment``: whether training crops and flips; ``foreign``: whether the network was trained elsewhere.
    """
    method = methods.get(name)
    if values == "paper" and method.published is not None:
        return published_params(name, dataset)
    fitting = {"fit_rate": True} if foreign and "fit_rate" in method.Params.model_fields else {}
    if values == "rem" and method.tuned_as:
        name = method.tuned_as
    return preset_params(name, dataset, augment) | fitting


def value_sets(name: str, dataset: str, augment: bool = False, foreign: bool = False) -> dict[str, tuple[Scalar, Scalar]]:
    """Parameter → its tuned and its published value, for those in which the two sets of a method differ on this data."""
    method = methods.get(name)
    tuned, paper = (method.all_params(values_of(name, dataset, augment, v, foreign)) for v in ("tuned", "paper"))
    return {field: (value, paper[field]) for field, value in tuned.items() if value != paper[field]}


def published_params(name: str, dataset: str) -> dict[str, Scalar]:
    """Where a method's publication departs from the defaults here, which are its own where it says nothing else.

    Empty for what was never published (``Method.published`` None): that has one set of values, ours.
    """
    published = methods.get(name).published or {}
    return dict(published.get("", {})) | dict(published.get(datasets.get(dataset).family, {}))


def preset_params(name: str, dataset: str, augment: bool = False) -> dict[str, Scalar]:
    """Where a method departs from its defaults on this kind of data: its author's preset, then what ``tune`` found.

    ``augment``: whether training crops and flips. What was tuned without that gives way to the method's preset for it.
    """
    method, family = methods.get(name), datasets.get(dataset).family
    found = tuned_entry(name, dataset)
    usual, augmented = method.presets.get(family, {}), method.presets.get(f"{family}, augmented", {}) if augment else {}
    layers = [usual, found.get("params", {})]
    layers.insert(2 if tuned_without_crops(found) else 1, augmented)
    return {key: value for layer in layers for key, value in layer.items()}


def tuned_entry(name: str, dataset: str) -> dict[str, Any]:
    """What `tune` found for this method, or else for the one that it is ``tuned_as``; empty where neither was tuned."""
    method, entries = methods.get(name), tuned_entries(dataset)
    return dict(entries.get(method.name) or entries.get(method.tuned_as) or {})


def tuned_entries(dataset: str) -> dict[str, Any]:
    """Method → what `tune` found for it on this dataset's kind of data, or on this dataset itself, where it has values of its
    own; None there: the method's preset, whatever was found on others of the kind."""
    source = datasets.get(dataset)
    found = dict(tuned(source.family).get("methods", {}))
    return found | dict(tuned(source.name).get("methods", {})) if source.own_values else found


def values_file(dataset: str) -> str:
    """The name of the file of tuned values that a search on this dataset belongs in."""
    source = datasets.get(dataset)
    return str(source.name if source.own_values else source.family)


def tuned_without_crops(found: Mapping[str, Any]) -> bool:
    """Whether this entry of a tuned file was found on networks whose training neither crops nor flips."""
    return (found.get("training") or {}).get("augment", found.get("overrides", {}).get("training.augment")) is False


@functools.cache
def tuned(family: str) -> dict[str, Any]:
    """The committed outcome of ``tune`` for one family of data, or for a dataset that has values of its own, with its
    provenance; empty where there is none."""
    path = TUNED / f"{family}.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def method_overrides(overrides: Mapping[str, Scalar], name: str) -> dict[str, Scalar]:
    """The part of ``overrides`` that is meant for one method: {"rem.epochs": 5} → {"epochs": 5}."""
    return _section(overrides, name)


def check_overrides(overrides: Mapping[str, Scalar], chosen: list[str]) -> None:
    """Raise :class:`UserError` for a key that belongs to no section and to none of the chosen methods."""
    for key in overrides:
        prefix, dot, field = key.partition(".")
        if not dot or not field:
            raise UserError(
                f"An override needs a section and a field, such as rem.epochs=5 or training.epochs=40 (got {key!r})."
            )
        if prefix not in SECTIONS and prefix not in chosen:
            known = ", ".join([*SECTIONS, *chosen])
            raise UserError(f"{key!r} overrides nothing here: {prefix!r} is none of {known}.")


def _section(overrides: Mapping[str, Scalar], section: str) -> dict[str, Scalar]:
    return {key.partition(".")[2]: value for key, value in overrides.items() if key.partition(".")[0] == section}
