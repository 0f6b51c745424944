"""REM's values for fifty thousand images: the preset was found on a tenth of them, where a round has a tenth of the steps.

By the rule of ``tune``: half of F is left in the retain set, and what counts is how little of it the model still says, times
the accuracy on the rest; geometric mean over the ends of the dial, on a seed that nothing else is measured on.
"""

from __future__ import annotations

import math
from typing import Any

from benchmarks.measure.gpu import cells
from benchmarks.measure.gpu.bench import Bench, forget_memory, seconds
from benchmarks.measure.gpu.plan import Item
from unlearn_core.methods import registry as methods
from unlearn_core.presets import Values, make_method
from unlearn_core.specs import Scalar
from unlearn_core.tuning.held_out import Trial, cross_validate

SEED, DISCOVERY = 100, 0.1
CANDIDATES: tuple[tuple[Values, dict[str, Scalar]], ...] = (
    ("tuned", {}),
    ("paper", {}),
    ("paper", {"learning_rate": 0.01}),
    ("paper", {"learning_rate": 0.02}),
    ("paper", {"learning_rate": 0.05}),
)
"""A set of values, and what is put in their place; the first is the preset itself."""


def values_of_rem(bench: Bench) -> dict[str, Any]:
    """The best of :data:`CANDIDATES`, and every trial."""
    ends = {bench.sizes.regularities[0], bench.sizes.regularities[-1]}
    tried: list[dict[str, Any]] = []
    for values, change in CANDIDATES[: bench.sizes.candidates]:
        trials, spent = [], 0.0
        params: dict[str, Scalar] = {}
        for regularity in sorted(ends):
            scenario = bench.sizes.scenario(regularity, DISCOVERY, SEED)
            if scenario.original_key not in bench.weights:
                cells.train_original(bench, Item("", "original", "original", scenario))
            params = make_method("rem", scenario, change | bench.sizes.method_values("rem"), values).params
            trial, took = _try(bench, scenario, params)
            trials.append(trial)
            spent += took
        tried.append(
            {
                "values": values,
                "change": change,
                "params": params,
                "score": math.prod(max(trial.score, 0.0) for trial in trials) ** (1 / len(trials)),
                "held_out": [trial.healed.mean().item() for trial in trials],
                "retain": [trial.retain for trial in trials],
                "seconds": spent,
            }
        )
    best = max(tried, key=lambda one: one["score"])
    return {"params": best["params"], "score": best["score"], "tried": tried, "seed": SEED, "discovery": DISCOVERY}


def _try(bench: Bench, scenario: Any, values: dict[str, Scalar]) -> tuple[Trial, float]:
    arena, method = bench.arena(scenario), methods.get("rem")
    task = cells.make_task(bench, scenario, arena, False)
    found: list[Trial] = []

    def run(params: dict[str, Any], told: Any, reporter: Any) -> Any:
        return method(method.params(params)).unlearn(told, reporter)

    forget_memory(bench.device)
    with bench.fast():
        spent = seconds(lambda: found.append(cross_validate(run, values, task, SEED, [bench.reporter])), bench.device)
    return found[0], spent
