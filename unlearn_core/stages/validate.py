"""Whether a scenario can be computed at all, said before anything runs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

from unlearn_core.corruption import (
    NOTHING_WRONG,
    UNKNOWN_TRUTH,
    check_forget,
    corrupt,
    corrupted_count,
    discovered_count,
)
from unlearn_core.datasets import load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.methods import registry as methods
from unlearn_core.models import registry as models
from unlearn_core.specs import MethodSpec, Scenario


def check_task(scenario: Scenario) -> None:
    """Raise :class:`UserError` for a corruption, trigger, discovery, forget set or checkpoint that does not suit this data."""
    size, corrupted, known = _corruption_facts(scenario)
    train, _ = datasets.get(scenario.dataset.name).sizes or (0, 0)
    if scenario.forget is not None:
        check_forget(scenario.forget, size)
    elif scenario.corruption.found and scenario.discovery:
        if not corrupted:
            raise UserError(NOTHING_WRONG if known else UNKNOWN_TRUTH)
        discovered_count(corrupted, scenario.discovery)
    elif train and not scenario.corruption.found:
        discovered_count(corrupted_count(scenario.corruption.amount, train), scenario.discovery)


def check_methods(scenario: Scenario, specs: Sequence[MethodSpec]) -> None:
    """Raise :class:`UserError` for a method that needs what this scenario doesn't have."""
    for method in (methods.get(spec.name) for spec in specs):
        if method.needs_forget and scenario.nothing_known:
            raise UserError(f"{method.label} needs a forget set, and at a discovery rate of 0 nothing is discovered.")
        if method.oracle and not truth_known(scenario):
            raise UserError(f"{method.label} needs to know every wrong label, and here nobody does: leave it out.")


def truth_known(scenario: Scenario) -> bool:
    """Whether it is known which training examples are corrupted: always, but for observed labels without clean ones."""
    return not scenario.corruption.found or _corruption_facts(scenario).known


class _Facts(NamedTuple):
    size: int
    """Examples in the training set."""
    corrupted: int
    known: bool
    """Whether it is known which are corrupted."""


def _corruption_facts(scenario: Scenario) -> _Facts:
    """What holds at every discovery rate; raises :class:`UserError` for a corruption or a network that does not suit."""
    return _cached_facts(scenario.at_rate(1.0).model_dump_json())


@functools.lru_cache(maxsize=256)
def _cached_facts(scenario_json: str) -> _Facts:
    scenario = Scenario.model_validate_json(scenario_json)
    split = load_dataset(scenario.dataset, scenario.seed)
    truth = corrupt(split, scenario.dataset, scenario.corruption, scenario.seed).truth
    network = models.get(scenario.model.name)
    network.check(network.params(scenario.model.params), split.train.shape, split.train.class_names)
    return _Facts(len(split.train), len(truth.corrupted), truth.known)
