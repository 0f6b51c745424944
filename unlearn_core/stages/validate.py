"""Whether a scenario can be computed at all, said before anything runs."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from unlearn_core.corruption import (
    NOTHING_WRONG,
    UNKNOWN_TRUTH,
    CorruptionSummary,
    check_counts,
    check_forget,
    discovered_count,
    summarize_corruption,
    truth_known,
)
from unlearn_core.datasets import load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.methods import registry as methods
from unlearn_core.models import registry as models
from unlearn_core.specs import MethodSpec, Scenario


def check_task(scenario: Scenario) -> None:
    """Raise :class:`UserError` for a corruption, trigger, discovery, forget set or checkpoint that does not suit this data."""
    summary = _check_task(scenario.at_rate(1.0).model_dump_json())
    train, _ = datasets.get(scenario.dataset.name).sizes or (0, 0)
    if scenario.forget is not None:
        check_forget(scenario.forget, summary.train_size)
    elif scenario.corruption.found and scenario.discovery:
        if not summary.corrupted:
            raise UserError(NOTHING_WRONG if summary.known else UNKNOWN_TRUTH)
        discovered_count(summary.corrupted, scenario.discovery)
    elif scenario.corruption.kind:
        discovered_count(summary.corrupted, scenario.discovery)
    elif train:
        check_counts(scenario, train)


def check_methods(scenario: Scenario, specs: Sequence[MethodSpec]) -> None:
    """Raise :class:`UserError` for a method that needs what this scenario doesn't have."""
    for method in (methods.get(spec.name) for spec in specs):
        if method.needs_forget and scenario.nothing_known:
            raise UserError(f"{method.label} needs a forget set, and at a discovery rate of 0 nothing is discovered.")
        if method.oracle and not truth_known(scenario):
            raise UserError(f"{method.label} needs to know every wrong label, and here nobody does: leave it out.")


@functools.lru_cache(maxsize=256)
def _check_task(scenario_json: str) -> CorruptionSummary:
    """The scenario's corruption, if it can be made and the network takes such data."""
    scenario = Scenario.model_validate_json(scenario_json)
    summary = summarize_corruption(scenario)
    train = load_dataset(scenario.dataset, scenario.seed).train
    network = models.get(scenario.model.name)
    network.check(network.params(scenario.model.params), train.shape, train.class_names)
    return summary
