"""From specs back to a view: whatever a view can ask for is found again, and what it cannot is said."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from test_view_state import states

from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.view_state.from_specs import state_of

CHEAP = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CHEAP
@given(states())
def test_what_a_view_computes_opens_the_same_view(state: vs.State) -> None:
    scenario, specs = vs.to_scenario(state), vs.to_methods(state)
    again = state_of(scenario, specs)
    assert vs.to_scenario(again).key == scenario.key
    ours = {spec.key for spec in vs.to_methods(again, [spec.name for spec in specs])}
    assert ours == {spec.key for spec in specs}
    assert again["overrides"].keys() <= state["overrides"].keys()  # what is usual is not spelled out


@pytest.mark.parametrize(
    "query",
    [
        "dataset=signs&corruption=asymmetric&discovery=0.5",
        "dataset=signs&t_kind=sinusoid&person.typed=0.5",
        "dataset=signs&corruption=spurious&discovery=1&model.width=0.25",
        "dataset=spirals&regularity=0.25&training.epochs=33",
    ],
)
def test_other_kinds_of_corruption_are_found_again(query: str) -> None:
    state, notices = vs.decode(query)
    assert notices == []
    scenario = vs.to_scenario(state)
    again = state_of(scenario, vs.to_methods(state))
    assert vs.to_scenario(again).key == scenario.key
    assert vs.encode(again) == vs.encode(state)


def test_the_published_values_are_named_and_not_spelled_out() -> None:
    scenario = make_scenario("digits", regularity=0.0)
    again = state_of(scenario, [make_method(name, scenario, values="paper") for name in ("scrub", "npo")])
    assert again["values"] == "paper"
    assert again["overrides"] == {}


def test_one_method_is_shown_beside_the_references_and_many_are_the_last_six() -> None:
    scenario = make_scenario("blobs")
    one = state_of(scenario, [make_method("rem", scenario)], ("retrain", "oracle_retrain"))
    assert set(one["methods"]) == {"rem", "retrain"}
    names = ("rem", "finetune", "npo", "ascent", "retrain", "scrub", "salun")
    assert len(state_of(scenario, [make_method(name, scenario) for name in names])["methods"]) == vs.MAX_METHODS


def test_what_no_view_has_is_said() -> None:
    scenario = make_scenario("blobs")
    with pytest.raises(UserError, match="edited forget set"):
        state_of(scenario.knowing((1, 2, 3), {}), [])
    gone = scenario.model_copy(update={"dataset": scenario.dataset.model_copy(update={"params": {"points": 123456}})})
    with pytest.raises(UserError, match="not what they were"):
        state_of(gone, [make_method("rem", scenario)])
