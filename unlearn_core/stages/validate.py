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
from unlearn_core.person import STAND_IN, PersonSpec
from unlearn_core.specs import MethodSpec, Scenario


def check_task(scenario: Scenario) -> None:
    """Raise :class:`UserError` for a corruption, trigger, discovery, forget set or checkpoint that does not suit this data."""
    plain = scenario.at_rate(1.0).model_copy(update={"person": PersonSpec()})
    summary = _check_task(plain.model_dump_json())
    _check_person(scenario, summary)
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


def _check_person(scenario: Scenario, summary: CorruptionSummary) -> None:
    """Refuse more checked examples than there are, and such that are in the forget set too."""
    trusted, forget = scenario.person.trusted, scenario.forget or ()
    if trusted and trusted[-1] >= summary.train_size:
        raise UserError(f"There is no training example {trusted[-1]}: there are {summary.train_size:,}, numbered from 0.")
    if both := set(trusted) & set(forget):
        raise UserError(f"Training example {min(both)} is in the forget set and among the checked ones: it cannot be both.")
    most = max(0, summary.train_size - summary.corrupted - len(forget))
    if scenario.person.checked > most:
        raise UserError(f"At most {most:,} examples can be checked and found right here (got {scenario.person.checked:,}).")


def check_methods(scenario: Scenario, specs: Sequence[MethodSpec]) -> None:
    """Raise :class:`UserError` for a method that needs what this scenario doesn't have."""
    for method, spec in ((methods.get(spec.name), spec) for spec in specs):
        if method.needs_forget and scenario.nothing_known:
            raise UserError(f"{method.label} needs a forget set, and at a discovery rate of 0 nothing is discovered.")
        if method.oracle and not truth_known(scenario):
            raise UserError(f"{method.label} needs to know every wrong label, and here nobody does: leave it out.")
        if lacking := lacking_input(spec, scenario):
            raise UserError(f"{method.label} {lacking}")


def lacking_input(spec: MethodSpec, scenario: Scenario) -> str:
    """What a person would have to give before this method can run, as the rest of a sentence; "" where it has what it needs."""
    method, given = methods.get(spec.name), spec.given
    simulated = given.keys() & {"typed", "checked"}
    if simulated and not truth_known(scenario):
        return "needs answers that a simulated person cannot give: here nobody knows which labels are right."
    if method.needs_right_labels and not given.keys() & {"labels", "typed"}:
        return (
            "needs right labels of the forget set, and none is given: name them in the forget list (column clean_label), or "
            "let the simulated person type them (person.typed)."
        )
    if method.needs_trusted and not given.keys() & {"trusted", "checked", STAND_IN}:
        return (
            "needs examples that were checked and found right, and there are none: give a list of them (trusted), or let the "
            "simulated person check some (person.checked)."
        )
    return ""


@functools.lru_cache(maxsize=256)
def _check_task(scenario_json: str) -> CorruptionSummary:
    """The scenario's corruption, if it can be made and the network takes such data."""
    scenario = Scenario.model_validate_json(scenario_json)
    summary = summarize_corruption(scenario)
    train = load_dataset(scenario.dataset, scenario.seed).train
    network = models.get(scenario.model.name)
    network.check(network.params(scenario.model.params), train.shape, train.class_names)
    return summary
