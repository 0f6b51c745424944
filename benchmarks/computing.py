"""Having the workers compute what a store lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unlearn_core.engine import Engine
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store


def complete(store: Store, runs: Iterable[tuple[Scenario, Sequence[MethodSpec]]], title: str) -> None:
    """Compute the runs that are not there yet, and what they need; ends the command where one of them fails."""
    stages = {stage.key: stage for scenario, specs in runs for stage in plan_runs(scenario, list(specs))}
    engine = Engine(store)
    try:
        view = engine.wait(engine.submit(list(stages.values()), title))
    finally:
        engine.close()
    if view.state != "done":
        raise SystemExit(f"Not everything was computed: {[stage.message for stage in view.stages if stage.message]}")
