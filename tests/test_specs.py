"""Specs: canonical JSON, keys, sentences for what cannot be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearn_core.canonical import canonical_json, content_key
from unlearn_core.errors import UserError
from unlearn_core.presets import check_overrides, make_method, make_scenario
from unlearn_core.specs import CorruptionSpec, Scenario, SweepSpec

unit = st.floats(0, 1, allow_nan=False)
amounts = st.one_of(st.integers(1, 500), st.floats(0.001, 0.5))


@settings(max_examples=80, deadline=None)
@given(regularity=unit, discovery=unit, amount=amounts, seed=st.integers(0, 2**31 - 1))
def test_scenarios_survive_json_and_keep_their_key(regularity: float, discovery: float, amount: float, seed: int) -> None:
    scenario = make_scenario(regularity=regularity, discovery=discovery, amount=amount, seed=seed)
    again = Scenario.parse(json.loads(canonical_json(scenario)))
    assert again == scenario
    assert again.key == scenario.key
    assert len(scenario.key) == 16
    int(scenario.key, 16)


def test_the_original_is_shared_between_discovery_rates_and_methods_and_nothing_else() -> None:
    base = make_scenario(discovery=0.3)
    assert make_scenario(discovery=0.9).original_key == base.original_key
    others = [
        make_scenario(seed=1),
        make_scenario(regularity=0.99),
        make_scenario(amount=0.07),
        make_scenario(overrides={"training.epochs": 31}),
        make_scenario(overrides={"model.width": 8}),
        make_scenario(overrides={"trigger.size": 3}),
    ]
    assert len({scenario.original_key for scenario in [base, *others]}) == 7


def test_a_run_s_key_changes_with_each_parameter_and_with_the_revision() -> None:
    scenario = make_scenario()
    rem = make_method("rem", scenario)
    keys = {
        scenario.run_key(rem),
        scenario.run_key(make_method("rem", scenario, {"epochs": 7})),
        scenario.run_key(rem.model_copy(update={"revision": 99})),
        scenario.run_key(make_method("npo", scenario)),
        make_scenario(discovery=0.4).run_key(rem),
    }
    assert len(keys) == 5


def test_spelling_out_a_default_does_not_change_the_key() -> None:
    assert make_scenario(overrides={"model.width": 16, "training.epochs": 30}).key == make_scenario().key


def test_numbers_typed_as_text_mean_the_same() -> None:
    assert make_scenario(amount="86").key == make_scenario(amount=86).key
    assert make_scenario(amount="0.06").key == make_scenario(amount=0.06).key


def test_canonical_json_ignores_order_and_refuses_nan() -> None:
    assert content_key({"a": 1, "b": [1.5]}) == content_key({"b": [1.5], "a": 1})
    with pytest.raises(ValueError):
        canonical_json({"a": float("nan")})


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"regularity": 1.7}, "regularity must be at most 1"),
        ({"regularity": float("nan")}, "regularity must be a finite number"),
        ({"regularity": "x"}, "regularity must be a number"),
        ({"amount": 0.9}, "amount: as a fraction must be above 0 and at most 0.5"),
        ({"amount": 0}, "amount: as a count must be at least 1"),
        ({"amount": "many"}, "amount: must be a count such as 86"),
        ({"amount": True}, "amount: must be a count or a fraction"),
        ({"class_a": 5}, "class_a and class_b must differ"),
        ({"bogus": 1}, "bogus is not a known option"),
        ({"trigger": {"corner": "middle"}}, "trigger.corner must be one of"),
    ],
)
def test_bad_corruption_is_named_in_one_sentence(data: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        CorruptionSpec.parse(data)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_names_come_with_a_suggestion() -> None:
    with pytest.raises(UserError, match=r"no dataset called 'digit'. Did you mean 'digits'"):
        make_scenario("digit")
    with pytest.raises(UserError, match=r"no method called 'ren'. Did you mean 'rem'"):
        make_method("ren", make_scenario())
    with pytest.raises(UserError, match=r"rem\.epoch is not a known option"):
        make_method("rem", make_scenario(), {"epoch": 3})
    with pytest.raises(UserError, match="overrides nothing here"):
        check_overrides({"npo.beta": 1}, ["rem"])


def test_a_sweep_needs_at_least_one_of_everything() -> None:
    with pytest.raises(UserError, match="seeds"):
        SweepSpec.parse({"seeds": []})
    with pytest.raises(UserError, match="regularity"):
        SweepSpec.parse({"regularity": [0.5, 2]})
