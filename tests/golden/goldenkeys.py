"""Keys of every method on every kind of data, with either set of values, in the revisions that its code has."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from unlearn_core.errors import UserError
from unlearn_core.methods import registry
from unlearn_core.presets import Values, make_method, make_scenario
from unlearn_core.specs import Scenario

VALUE_SETS: tuple[Values, ...] = ("tuned", "paper", "rem")


def scenarios(folder: Path) -> dict[str, Scenario]:
    """One scenario for each kind of data that methods have values for; photographs in both of their recipes."""
    photos = {"dataset.data": str(folder / "images")}
    return {
        "digits": make_scenario("digits"),
        "points": make_scenario("waves"),
        "photos": make_scenario("images", overrides=photos, recipe="memorising"),
        "photos, augmented": make_scenario("images", overrides=photos, recipe="accurate"),
    }


def all_keys(folder: Path) -> dict[str, Any]:
    """The content of keys.json."""
    revisions = {method.name: method.revision for method in registry}
    return {
        "revisions": revisions,
        "scenarios": {kind: scenario_keys(scenario) for kind, scenario in scenarios(folder).items()},
        "methods": {name: method_keys(name, folder, revision) for name, revision in revisions.items()},
    }


def scenario_keys(scenario: Scenario) -> dict[str, str]:
    """Every key that a scenario gives to records or to what pages group by."""
    names = ("key", "corruption_key", "sets_key", "original_key", "setting_key")
    return {name: getattr(scenario, name) for name in names}


def method_keys(name: str, folder: Path, revision: int) -> dict[str, str]:
    """Kind of data and set of values → the key of the method's run, as it is in ``revision`` of its code."""
    found = {}
    for kind, scenario in scenarios(folder).items():
        for values in VALUE_SETS:
            with contextlib.suppress(UserError):
                spec = make_method(name, scenario, None, values).model_copy(update={"revision": revision})
                found[f"{kind}, {values}"] = scenario.run_key(spec)
    return found
