"""What the start page's picture is about: one set of points, one network, and the settings of its two sliders."""

from __future__ import annotations

import itertools
from typing import Final

from unlearn_core.canonical import content_key
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import MethodSpec, Scalar, Scenario
from unlearn_core.views.start.data import MODELS, film_key

DATASET: Final = "blobs"
SEED: Final = 0
AMOUNT: Final = 60
# A network that learns wrong labels by heart: one that does not has nothing to forget.
NETWORK: Final[dict[str, Scalar]] = {"model.depth": 6, "training.epochs": 400, "training.batch_size": 128}
REGULARITY: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
DISCOVERY: Final = (0.1, 0.3, 0.6, 1.0)
FIRST: Final = (0.25, 0.1)
"""The setting that the picture opens with."""


def make_start_scenario(regularity: float, discovery: float, seed: int = SEED) -> Scenario:
    """The scenario at one setting of the sliders."""
    return make_scenario(DATASET, regularity=regularity, discovery=discovery, seed=seed, amount=AMOUNT, overrides=NETWORK)


def models_of(scenario: Scenario) -> dict[str, MethodSpec | None]:
    """The three models and their methods; the original has none."""
    return {name: None if name == "original" else make_method(name, scenario) for name in MODELS}


def all_settings() -> list[tuple[float, float]]:
    """Every setting: (regularity, discovery)."""
    return list(itertools.product(REGULARITY, DISCOVERY))


def films_digest() -> str:
    """Of the keys of all films: it changes with every setting, value and revision that goes into one."""
    scenarios = [make_start_scenario(*setting) for setting in all_settings()]
    return content_key(*(film_key(scenario, spec) for scenario in scenarios for spec in models_of(scenario).values()))
