"""What is done where a round of REM loses a whole class, on digits: nothing, the whole run again, or that round again.

    python -m benchmarks run take_back [--store FOLDER] [--seeds 100 101 …]

Seeds 100 to 109 are for development: this was developed on them, and three of them chose the values of digits; no table of
results has them. A run counts as one that lost a class where its utility is more than 0.04 below the original's: one of ten
classes is 0.1 of it. About ten minutes on two idle cores.
Writes ``benchmarks/results/take_back.json`` and the table in docs/why-different.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.computing import complete
from benchmarks.paths import RESULTS, ROOT
from benchmarks.report.sections import markdown_table, write_section
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.tables import original_metrics
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.store import Store

SEEDS = tuple(range(100, 110))
TASKS = ((0.0, 0.1), (0.5, 0.1), (1.0, 0.1), (0.0, 0.75), (0.5, 0.75), (1.0, 0.75))
WAYS: dict[str, dict[str, bool | int]] = {
    "nothing": {"repeat": False, "take_back": 0},
    "the run again": {"repeat": True, "take_back": 0},
    "the round again": {"repeat": False, "take_back": 3},
}
"""What it is called in the table → REM's parameters; everything else is the preset of digits."""
LOST = 0.04
MARK = "<!-- take_back, written by benchmarks run take_back -->"


def spec_of(way: str, scenario: Scenario) -> MethodSpec:
    """REM with one way of dealing with a lost class."""
    return make_method("rem", scenario, dict(WAYS[way]))


class Run(NamedTuple):
    """What one run came to; ``lost``: it lost a class."""

    regularity: float
    discovery: float
    seed: int
    way: str
    healed_x_utility: float
    lost: bool


def read(store: Store, scenario: Scenario, way: str) -> Run:
    """The run as the store has it."""
    record = store.get(scenario.run_key(spec_of(way, scenario)))
    assert record is not None
    metrics, before = record.payload["metrics"], original_metrics(store, scenario)["utility"]
    assert before is not None
    lost = metrics["utility"] < before - LOST
    task = scenario.corruption.regularity, scenario.discovery, scenario.seed
    return Run(*task, way, round(metrics["healed_x_utility"], 4), lost)


def table(runs: Sequence[Run]) -> list[str]:
    """Mean, worst and runs that lost a class, a line for each task."""
    lines = []
    for task in TASKS:
        line = [f"{task[0]:g}", f"{task[1]:.0%}"]
        for way in WAYS:
            found = [run for run in runs if run.way == way and (run.regularity, run.discovery) == task]
            values = [run.healed_x_utility for run in found]
            error, lost = statistics.stdev(values) / len(values) ** 0.5, sum(run.lost for run in found)
            line.append(f"{statistics.mean(values):.3f} ± {error:.3f} · {min(values):.2f} · {lost}")
        lines.append(line)
    return markdown_table(["r", "known", *WAYS], lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=None)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    asked = parser.parse_args()
    store = Store.open(asked.store)
    scenarios = [make_scenario("digits", regularity=r, discovery=d, seed=s) for r, d in TASKS for s in asked.seeds]
    complete(store, [(scenario, [spec_of(way, scenario) for way in WAYS]) for scenario in scenarios], "take back")
    runs = [read(store, scenario, way) for scenario in scenarios for way in WAYS]
    about = next(iter(store.find("run"))).environment
    content = {"seeds": asked.seeds, "rows": [run._asdict() for run in runs], "environment": about}
    (RESULTS / "take_back.json").write_text(json.dumps(content, indent=1) + "\n")
    print("\n".join(table(runs)))
    write_section(ROOT / "docs" / "why-different.md", MARK, table(runs))
