"""Presets that depend on how photographs are trained on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from unlearn_core import presets
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.methods import registry as methods
from unlearn_core.methods.redirection.params import RemParams
from unlearn_core.methods.redirection.self_tuning import steps_of
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.settings import options_of, read_variant
from unlearn_core.results.tables import variant
from unlearn_core.views.text.method_card import method_card


def test_a_preset_may_depend_on_whether_training_crops_and_flips(photos: Path) -> None:
    rates, words = [], []
    for augment in (True, False):
        overrides = {"dataset.data": str(photos), "training.augment": augment}
        spec = make_method("rem", make_scenario("images", overrides=overrides))
        state = vs.default_state() | {"dataset": "images", "methods": ("rem", "finetune"), "overrides": overrides}
        assert vs.to_methods(state, ["rem"]) == [spec]
        assert {field.name: field.default for field in vs.section_fields(state, "rem")} == methods.get("rem").all_params(
            dict(spec.params)
        )
        rates.append(spec.params["learning_rate"])
        words.append(method_card("rem", "images", augment).source)
    assert rates[0] < rates[1]
    assert "with them it has learning_rate 0.02" in words[0]
    assert words[1] in words[0]


@pytest.mark.parametrize("method", ["rem", "rem_tuned", "rem_discover"])
def test_with_crops_more_photographs_are_not_more_work_and_no_harder_push(method: str) -> None:
    found = presets.preset_params(method, "images", augment=True)
    values = {name: value for name, value in found.items() if name in RemParams.model_fields}
    assert steps_of(values, 50_000) == steps_of(values, 10_000)
    # Where a label is as likely as by guessing, nothing was learned that the removal could count from.
    assert values["removal_cap"] < math.log(10)


@pytest.mark.parametrize("dataset", ["waves", "digits"])
def test_rem_and_what_is_compared_with_it_differ_in_nothing_else(dataset: str) -> None:
    rem = presets.preset_params("rem", dataset)
    family = [method for method in methods if method.tuned_as == "rem" and method.name != "rem"]
    assert {"rem_no_removal", "rem_tuned", "rem_discover"} <= {method.name for method in family}
    for method in family:
        assert presets.values_of(method.name, dataset, values="rem") == rem
        if method.name in ("rem_tuned", "rem_discover", "retrain_discover", "rem_ideal"):  # they start from REM's values
            assert presets.preset_params(method.name, dataset) == rem
            assert method_card(method.name, dataset).source == f"As REM: {method_card('rem', dataset).source}"


def test_an_ablation_has_its_own_values_and_rem_s_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"methods": {name: {"params": {"epochs": rounds}} for name, rounds in (("rem", 7), ("rem_no_redirect", 9))}}
    monkeypatch.setattr(presets, "tuned", lambda family: found)
    scenario = make_scenario("digits")
    own, shared = (make_method("rem_no_redirect", scenario, values=values) for values in ("tuned", "rem"))
    assert (own.params["epochs"], shared.params["epochs"]) == (9, 7)
    assert make_method("rem", scenario, values="rem") == make_method("rem", scenario)
    told = [variant(spec, scenario) for spec in (own, shared)]
    assert told == ["", "REM’s values"]
    assert read_variant("REM’s values, mask_share=0.3") == ("rem", {"mask_share": "0.3"})
    # Where an ablation was not tuned for itself, its values are REM's, and there is one row.
    monkeypatch.setattr(presets, "tuned", lambda family: {"methods": {"rem": {"params": {"epochs": 7}}}})
    assert make_method("rem_no_redirect", scenario) == make_method("rem_no_redirect", scenario, values="rem")
    assert variant(make_method("rem_no_redirect", scenario), scenario) == ""


@pytest.mark.parametrize(("overrides", "rate"), [({"training.augment": False}, 0.02), ({}, 0.3)])
def test_what_was_tuned_with_crops_wins_and_what_was_tuned_without_gives_way(
    overrides: dict[str, object], rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"methods": {"rem": {"params": {"learning_rate": 0.3}, "overrides": overrides}}}
    monkeypatch.setattr(presets, "tuned", lambda family: found)
    assert presets.preset_params("rem", "images", augment=True)["learning_rate"] == rate
    assert presets.preset_params("rem", "images")["learning_rate"] == 0.3


def test_the_quick_recipe_is_by_name_and_for_resnet9(photos: Path) -> None:
    data = {"dataset.data": str(photos), "dataset.size": 32}
    quick, accurate = (make_scenario("images", overrides=data, recipe=name).training for name in ("quick", "accurate"))
    assert (quick.whiten, quick.small > 0, quick.augment, quick.epochs < accurate.epochs) == (True, True, True, True)
    assert quick.model_copy(update={"whiten": False, "small": 0.0, "epochs": accurate.epochs}) == accurate
    for usual in (None, "memorising"):
        assert not make_scenario("images", overrides=data, recipe=usual).training.whiten
    with pytest.raises(UserError, match="ResNet-9 alone, not for vit"):
        make_scenario("images", model="vit", overrides=data, recipe="quick")
    assert options_of(make_scenario("images", overrides=data, recipe="quick")).startswith("recipe=quick")


def test_a_view_with_another_network_gives_the_quick_recipe_up_and_says_so(photos: Path) -> None:
    overrides = {"dataset.data": str(photos), "dataset.size": 32}
    state = vs.default_state() | {"dataset": "images", "overrides": overrides, "recipe": "quick"}
    kept, notices = vs.clamp_state(state)
    assert (kept["recipe"], notices) == ("quick", [])
    other, notices = vs.clamp_state(state | {"model": "vit"})
    assert other["recipe"] == "accurate"
    assert "The quick recipe is for ResNet-9 alone; the accurate one is used." in notices
