"""The paper's grid on 1, 4 and 16 GPUs and the digits headline on 2, 8 and 32 cores, simulated from measured seconds.

    python -m benchmarks run cluster_plan

Nothing is computed but a simulation of events: a free worker takes the stage whose turn it is among those whose inputs are
there, as the engine hands them out (``unlearn_core/engine/order.py``). The paper's grid is what ``run gpu`` plans, originals
and runs of three seeds, with the seconds of one H200 in ``benchmarks/results/gpu.json``: of a stage where it was measured,
else the median of the same method and values. A stage of digits takes its method's mean in
``benchmarks/results/teaching_grid.json`` (two workers on two cores), and what that grid took beside its methods, shared evenly.
The engine orders by medians, as it would from a store; each stage then takes its own seconds. Left out: starting workers,
reading data for the first time, the network, and cores or cards that share the bandwidth of memory. Writes
``benchmarks/results/cluster_plan.json``.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measure.cluster_simulation import least, simulate
from benchmarks.measure.gpu.plan import plan
from benchmarks.measure.gpu.sizes import Sizes
from benchmarks.paths import PLANS, RESULTS
from unlearn_core.cli.sweep import plan_stages, read_plan
from unlearn_core.engine.order import arrange
from unlearn_core.methods import registry as methods
from unlearn_core.stages.stage import Stage

GPUS, CORES = (1, 4, 16), (2, 8, 32)
DIGITS = PLANS / "headline" / "digits.yaml"
_NOTHING = 0.1
"""Seconds: an original that took less was there from an earlier call, and says nothing of the time that one takes."""


@dataclass(frozen=True)
class Planned:
    """A plan: stages with what the engine expects as their weight (seconds), and what each takes (key → seconds)."""

    name: str
    stages: list[Stage]
    takes: dict[str, float]
    measured: int
    """Stages whose own seconds are known."""


def paper_grid(found: Mapping[str, Any]) -> Planned:
    """Every original and run of the paper's grid, as planned for a GPU; ``found``: what ``run gpu`` measured."""
    items = [item for item in plan(Sizes()) if item.kind in ("original", "run") and item.scenario is not None]
    own = {entry["key"]: entry["seconds"] for entry in found["items"] if entry["status"] == "done"}
    own = {item.key: own[item.key] for item in items if own.get(item.key, 0.0) > _NOTHING}
    groups: dict[str, list[float]] = {}
    for item in items:
        if item.key in own:
            groups.setdefault(item.like, []).append(own[item.key])
    usual = {like: statistics.median(seconds) for like, seconds in groups.items()}
    originals = {item.identity: item.key for item in items if item.kind == "original"}
    stages = []
    for item in items:
        assert item.scenario is not None
        needs = () if item.kind == "original" else (originals[item.scenario.original_key],)
        stages.append(Stage(item.kind, item.key, item.like, {}, needs, usual[item.like]))
    return Planned("paper", stages, {stage.key: own.get(stage.key, stage.weight) for stage in stages}, len(own))


def one_cell(grid: Planned) -> Planned:
    """Of the paper's grid what one seed has at discovery 0.1, with every method that there is: a plan with little in it."""
    runs = [stage for stage in grid.stages if stage.key.startswith("seed 0/") and "/discovery 0.1/" in stage.key]
    needed = {need for stage in runs for need in stage.needs}
    stages = [stage for stage in grid.stages if stage in runs or stage.key in needed]
    takes = {stage.key: grid.takes[stage.key] for stage in stages}
    return Planned("paper, part", stages, takes, sum(takes[stage.key] != stage.weight for stage in stages))


def digits_headline(found: Mapping[str, Any], file: Path = DIGITS) -> Planned:
    """The sweep behind the headline on digits; ``found``: what ``run teaching_grid`` measured, every method as often."""
    spent = found["seconds_of_the_methods"]
    each = found["runs"] / len(spent)
    mean = {name: seconds / each for name, seconds in spent.items()}
    sharing = {name for name in spent if not methods.get(name).needs_forget}
    rates = 5  # of the teaching grid: a method that does not look at what is known ran at one of them
    computed = sum(seconds / rates if name in sharing else seconds for name, seconds in spent.items())
    originals = each / rates * mean["retrain"]
    beside = (found["workers"] * found["minutes"] * 60 - computed - originals) / (found["runs"] + each / rates)
    stages = []
    for stage in plan_stages(read_plan(file)):
        name = stage.payload["method"]["name"] if stage.kind == "run" else "retrain"
        own = 0.0 if "same_model_as" in stage.payload else mean[name]
        stages.append(replace(stage, payload={}, weight=own + beside))
    return Planned("digits", stages, {stage.key: stage.weight for stage in stages}, 0)


def rows_of(planned: Planned, counts: Sequence[int]) -> list[dict[str, Any]]:
    """What becomes of a plan on so many workers: in the engine's order, in the plan's own, and with a worker lost halfway."""
    stages, takes = planned.stages, planned.takes
    naive = {stage.key: number for number, stage in enumerate(stages)}
    rows = []
    for workers in counts:
        turns = arrange(stages, workers)
        ours = simulate(stages, turns, takes, workers)
        lost = simulate(stages, turns, takes, workers, lost_at=ours.makespan / 2)
        rows.append(
            {"plan": planned.name, "workers": workers, "least": least(stages, takes, workers)}
            | {"engine": asdict(ours), "planned_order": asdict(simulate(stages, naive, takes, workers)), "lost": asdict(lost)}
        )
    return rows


def main() -> None:
    read = {name: json.loads((RESULTS / f"{name}.json").read_text()) for name in ("gpu", "teaching_grid")}
    grid = paper_grid(read["gpu"])
    plans = [(grid, GPUS), (one_cell(grid), GPUS), (digits_headline(read["teaching_grid"]), CORES)]
    about = {
        planned.name: {
            "stages": len(planned.stages),
            "measured": planned.measured,
            "seconds": sum(planned.takes.values()),
            "longest": max(planned.takes.values()),
        }
        for planned, _ in plans
    }
    about["paper"]["device"] = read["gpu"]["about"]["device"]
    rows = [row for planned, counts in plans for row in rows_of(planned, counts)]
    (RESULTS / "cluster_plan.json").write_text(json.dumps({"plans": about, "rows": rows}, indent=1) + "\n")
    for row in rows:
        ours, naive, lost = row["engine"], row["planned_order"], row["lost"]
        print(
            f"{row['plan']:11s} {row['workers']:3d} workers: {ours['makespan']:8.1f} s, idle {ours['idle']:.1%} "
            f"(the plan's order {naive['makespan']:.1f} s, idle {naive['idle']:.1%}; no order below {row['least']:.1f} s); "
            f"one lost halfway: {lost['makespan']:.1f} s"
        )
