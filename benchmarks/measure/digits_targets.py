"""The picture of the REM paper on digits: what was asked for beside what is measured, seeds 0, 1, 2.

    python -m benchmarks run digits_targets [--store FOLDER]

Runs fine-tuning, retraining and REM (one preset for the whole plane) at regularity 0, 0.5, 1 and discovery 0.1, 0.3, 0.5,
1.0 with the default amount of 6 %, through the same engine and store as the app, and prints a table. Writes
``benchmarks/results/digits_targets.json`` and the table in the README.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator

from benchmarks.computing import complete
from benchmarks.paths import RESULTS, ROOT
from benchmarks.report.sections import write_section
from benchmarks.target import Target
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.tables import original_metrics
from unlearn_core.specs import Scenario
from unlearn_core.store import Store

SEEDS, REGULARITY, DISCOVERY = (0, 1, 2), (0.0, 0.5, 1.0), (0.1, 0.3, 0.5, 1.0)
METHODS = ("finetune", "retrain", "rem")
START = "<!-- written by benchmarks run digits_targets -->"
ASKED = {  # REM's healed × utility, at least
    (0.0, 1.0): 0.91, (0.5, 1.0): 0.91, (1.0, 1.0): 0.91,
    (0.0, 0.5): 0.84, (0.5, 0.5): 0.84, (1.0, 0.5): 0.80,
    (0.0, 0.3): 0.80, (0.5, 0.3): 0.80, (1.0, 0.3): 0.80,
    (0.0, 0.1): 0.52, (0.5, 0.1): 0.65, (1.0, 0.1): 0.70,
}  # fmt: skip


Task = tuple[float, float, int]
"""Regularity, discovery rate, seed."""


class Measured:
    """What the store has of the grid."""

    def __init__(self, store: Store, grid: dict[Task, Scenario]) -> None:
        self.store, self.grid = store, grid

    def mean(self, method: str, metric: str, regularity: float, discovery: float) -> tuple[float, float]:
        """Mean over the seeds and its standard error; ``method`` may be the original."""
        values = [self._value(method, metric, self.grid[regularity, discovery, seed]) for seed in SEEDS]
        return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5

    def _value(self, method: str, metric: str, scenario: Scenario) -> float:
        if method == "original":
            value = original_metrics(self.store, scenario)[metric]
            assert value is not None
            return value
        record = self.store.get(scenario.run_key(make_method(method, scenario)))
        assert record is not None
        return float(record.payload["metrics"][metric])

    def at_least(self, name: str, least: float, method: str, metric: str, task: tuple[float, float]) -> Target:
        value, error = self.mean(method, metric, *task)
        return Target.at_least(value, least, name, error=error)

    def at_most(self, name: str, most: float, method: str, metric: str, task: tuple[float, float]) -> Target:
        value, error = self.mean(method, metric, *task)
        return Target.at_most(value, most, name, error=error)


def targets(found: Measured) -> Iterator[Target]:
    """What was asked for, of the originals, of REM, and of the two that it is held against."""
    for r in REGULARITY:
        if r < 1:
            yield found.at_most(f"original, healed, regularity {r}", 0.02, "original", "healed", (r, 1.0))
        else:
            name = f"original, attack success, regularity {r}"
            yield found.at_least(name, 0.9, "original", "attack_success", (r, 1.0))
        yield found.at_least(f"original, utility, regularity {r}", 0.94, "original", "utility", (r, 1.0))
    for (r, d), least in ASKED.items():
        name = f"rem, healed × utility, regularity {r}, discovery {d}"
        yield found.at_least(name, least, "rem", "healed_x_utility", (r, d))
    for r, d in ASKED:
        yield found.at_least(f"rem, utility, regularity {r}, discovery {d}", 0.95, "rem", "utility", (r, d))
    for d in DISCOVERY:
        value, error = found.mean("retrain", "healed", 0.0, d)
        name = f"retrain, healed, regularity 0, discovery {d}"
        yield Target(name, f"{d} ± 0.15", value, abs(value - d) <= 0.15, error)
    for r in REGULARITY:
        for d in DISCOVERY:
            name = f"finetune, healed, regularity {r}, discovery {d}"
            if d < 1:
                yield found.at_most(name, 0.1, "finetune", "healed", (r, d))
            else:
                # With everything discovered the retain set is clean, and fine-tuning on it may heal: the task allows it.
                value, error = found.mean("finetune", "healed", r, d)
                yield Target(name, "any", value, True, error)


def table(found: Measured) -> list[str]:
    """Healed and utility of every method in every cell, as Markdown."""
    tasks = [(r, d) for r in REGULARITY for d in DISCOVERY]
    lines = ["| healed / utility | " + " | ".join(f"r {r:g}, {d:.0%}" for r, d in tasks) + " |"]
    lines.append("|---" * (1 + len(tasks)) + "|")
    for method in METHODS:
        cells = [
            f"{found.mean(method, 'healed', *task)[0]:.2f} / {found.mean(method, 'utility', *task)[0]:.2f}" for task in tasks
        ]
        lines.append(f"| `{method}` | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=None)
    store = Store.open(parser.parse_args().store)
    grid = {
        (r, d, seed): make_scenario("digits", regularity=r, discovery=d, seed=seed)
        for r in REGULARITY
        for d in DISCOVERY
        for seed in SEEDS
    }
    complete(store, [(sc, [make_method(name, sc) for name in METHODS]) for sc in grid.values()], "digits targets")
    found = Measured(store, grid)
    reached = list(targets(found))
    print("\n".join(target.line() for target in reached))
    write_section(ROOT / "README.md", START, table(found))
    about = next(iter(store.find("run"))).environment
    content = {"rows": [target.plain() for target in reached], "seeds": SEEDS, "environment": about}
    (RESULTS / "digits_targets.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
