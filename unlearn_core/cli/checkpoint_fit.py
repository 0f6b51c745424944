"""What a brought checkpoint is worth on the labels it is given, said by every command before it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unlearn_core.cli.follow import follow
from unlearn_core.cli.options import say
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.engine import Engine
    from unlearn_core.specs import Scenario
    from unlearn_core.store import Store


def say_fit(machine: Engine, store: Store, scenario: Scenario) -> dict[str, Any] | None:
    """Measure the checkpoint of ``scenario`` and say on stderr what was found; as :func:`fit_of`."""
    found = fit_of(machine, store, scenario)
    for sentence in [*found["words"], *found["sentences"]] if found else ():
        say(sentence)
    return found


def fit_of(machine: Engine, store: Store, scenario: Scenario) -> dict[str, Any] | None:
    """What the checkpoint of ``scenario`` is worth: numbers and sentences, or None where there is none.

    Raises :class:`UserError` for a checkpoint that does not fit.
    """
    from unlearn_core.stages.checkpoint_fit import plan_fit

    stages = plan_fit(scenario)
    if not stages:
        return None
    view = follow(machine, machine.submit(stages, "checkpoint"), details=False)
    record = store.get(stages[0].key)
    if record is None:
        raise UserError(view.stages[0].message or "The checkpoint could not be measured.")
    return with_sentences(record.payload)


def with_sentences(fit: dict[str, Any]) -> dict[str, Any]:
    """The numbers of :func:`unlearn_core.evaluation.measure_fit` and what they say."""
    from unlearn_core.evaluation import fit_sentences

    return dict(fit) | {"sentences": fit_sentences(fit)}
