"""Keys that stores in the world hold: a field more, a default less or another order of JSON must not change them.

Where one of these fails, every stored result of that kind is lost to its owner: either the change is undone, or it is meant
and said in the change log. Keys of methods are kept in keys.json together with the revisions that they belong to: a raised
revision asks for ``make_golden.py --keys``, another key in the same revision is a mistake.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from goldenkeys import method_keys, scenario_keys, scenarios
from goldentools import differences, read_golden, revision_today

from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import MethodSpec, Scenario

GOLDEN = read_golden("keys")
REVISIONS: dict[str, int] = GOLDEN["revisions"]
SMALL_TRIGGER = {"trigger.size": 5, "trigger.corner": "top-left", "training.epochs": 12, "model.width": 8}
SCENARIOS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "digits": ("digits", {}, "5c4f24294d32ff54", "34e07370cef611d5"),
    "random": ("digits", {"regularity": 0.0, "discovery": 0.1, "seed": 7}, "fa753ef7483cd945", "516694ddc5d1b904"),
    "confusion": (
        "digits",
        {"regularity": 0.5, "amount": 100, "overrides": {"corruption.class_a": 4, "corruption.class_b": 9}},
        "438273813a70b82a",
        "67ee583e14951eb4",
    ),
    "trigger": ("digits", {"overrides": SMALL_TRIGGER}, "aa10cb534c0c1855", "4522bca049db9c5d"),
    "mlp": ("digits", {"model": "mlp"}, "f6aff6dbcc22a225", "3393dac85d30325d"),
    "blobs": ("blobs", {"regularity": 0.0}, "bb2fa06e5c8c22e6", "730b4f299b91fdf8"),
    "waves": ("waves", {}, "adcb151ed6470699", "26609e5315e514d2"),
    "spirals": ("spirals", {"discovery": 1.0}, "0e21595abae3b6c5", "275c4eb57a7c032c"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_keeps_its_keys(name: str) -> None:
    dataset, wanted, key, original = SCENARIOS[name]
    scenario = make_scenario(dataset, **wanted)
    assert (scenario.key, scenario.original_key) == (key, original)


def test_an_edited_forget_set_keeps_its_key_and_its_original() -> None:
    edited = make_scenario("digits").knowing([5, 3, 9])
    assert (edited.key, edited.original_key) == ("ede3d4df76cd6613", "34e07370cef611d5")


def stored(**changes: Any) -> dict[str, Any]:
    """A scenario on photographs as an earlier version wrote it into a record."""
    data: dict[str, Any] = {
        "dataset": {"name": "images", "params": {"content": "0123456789abcdef", "size": 32, "limit": 0, "test_limit": 0}},
        "corruption": {
            "regularity": 0.0,
            "amount": 300,
            "class_a": 3,
            "class_b": 5,
            "target_class": 0,
            "trigger": {"size": 3, "corner": "bottom-right", "value": 255, "opacity": 1.0},
        },
        "discovery": 0.1,
        "model": {"name": "resnet9", "params": {"width": 0.25}},
        "training": make_scenario("digits").training.model_dump(mode="json"),
        "seed": 1,
    }
    return data | changes


def test_what_older_stores_hold_keeps_its_keys() -> None:
    dial, found = Scenario.parse(stored()), Scenario.parse(stored(corruption={"found": True}))
    assert (dial.key, dial.original_key) == ("7e5ed7c604c9bc08", "455fb06946d88e3e")
    assert (found.key, found.original_key) == ("836803afb9778a51", "9b5cd237bbdc3512")
    named = found.knowing([0, 4], {4: "cat"})
    assert named.key == found.knowing([0, 4]).key == "688743075eeb851d"


def test_a_run_keeps_its_key() -> None:
    scenario = make_scenario("digits")
    rem = MethodSpec(name="rem", params={"epochs": 7, "x": 0.5}, revision=3)
    assert (rem.key, scenario.run_key(rem)) == ("c196a58ea6304fb1", "46d5f1ab0e835537")
    assert scenario.knowing([5, 3, 9]).run_key(rem) == "2c67984697cc25ca"
    # The gallery of 2026-11-22 has this run.
    assert scenario.run_key(MethodSpec(name="retrain", params={})) == "346a8a4c45883c18"
    assert make_method("retrain", scenario).params == {}


def test_scenarios_on_every_kind_of_data_keep_their_keys(folder: Path, bare: None) -> None:
    now = {kind: scenario_keys(scenario) for kind, scenario in scenarios(folder).items()}
    assert differences(GOLDEN["scenarios"], now) == []


@pytest.mark.parametrize("name", REVISIONS)
def test_a_method_keeps_its_revision_until_it_is_raised_on_purpose(name: str) -> None:
    assert revision_today(name) == REVISIONS[name], (
        f"The revision of {name} was raised, so its stored runs count as outdated. If its numbers really differ, say so in the "
        "change log and run: python tests/golden/make_golden.py --keys"
    )


@pytest.mark.parametrize("name", REVISIONS)
def test_a_method_keeps_its_keys(name: str, folder: Path, bare: None) -> None:
    changed = differences(GOLDEN["methods"][name], method_keys(name, folder, REVISIONS[name]))
    assert changed == [], (
        f"The values of {name} have changed: every stored run of it with them is lost. If that is meant, say so in the change "
        "log and run: python tests/golden/make_golden.py --keys"
    )
