"""The picture of the REM paper on digits: what was asked for beside what is measured, seeds 0, 1, 2.

    python -m benchmarks.digits_targets [--store FOLDER]

Runs fine-tuning, retraining and REM (one preset for the whole plane) at regularity 0, 0.5, 1 and discovery 0.1, 0.3, 0.5,
1.0 with the default amount of 6 %, through the same engine and store as the app, and prints a table. Writes
``benchmarks/digits_targets.json`` and the table in the README.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from unlearn_core.engine import Engine
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.tables import original_metrics
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

SEEDS, REGULARITY, DISCOVERY = (0, 1, 2), (0.0, 0.5, 1.0), (0.1, 0.3, 0.5, 1.0)
METHODS = ("finetune", "retrain", "rem")
START, END = "<!-- written by benchmarks.digits_targets -->", "<!-- end -->"
ASKED = {  # REM's healed × utility, at least
    (0.0, 1.0): 0.91, (0.5, 1.0): 0.91, (1.0, 1.0): 0.91,
    (0.0, 0.5): 0.84, (0.5, 0.5): 0.84, (1.0, 0.5): 0.80,
    (0.0, 0.3): 0.80, (0.5, 0.3): 0.80, (1.0, 0.3): 0.80,
    (0.0, 0.1): 0.52, (0.5, 0.1): 0.65, (1.0, 0.1): 0.70,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=None)
    options = parser.parse_args()
    store = Store.open(options.store)
    grid = {
        (r, d, seed): make_scenario("digits", regularity=r, discovery=d, seed=seed)
        for r in REGULARITY
        for d in DISCOVERY
        for seed in SEEDS
    }
    stages = {s.key: s for sc in grid.values() for s in plan_runs(sc, [make_method(m, sc) for m in METHODS])}
    engine = Engine(store)
    try:
        view = engine.wait(engine.submit(list(stages.values()), "digits targets"))
    finally:
        engine.close()
    if view.state != "done":
        raise SystemExit(f"Not everything was computed: {[s.message for s in view.stages if s.message]}")

    def mean(method: str, metric: str, r: float, d: float) -> tuple[float, float]:
        values = []
        for seed in SEEDS:
            scenario = grid[r, d, seed]
            if method == "original":
                values.append(original_metrics(store, scenario)[metric])
            else:
                record = store.get(scenario.run_key(make_method(method, scenario)))
                assert record is not None
                values.append(record.payload["metrics"][metric])
        return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5

    rows: list[dict[str, object]] = []

    def row(what: str, value: tuple[float, float], asked: str, met: bool) -> None:
        rows.append({"what": what, "asked": asked, "mean": value[0], "standard_error": value[1], "met": met})
        print(f"{what:58s} asked {asked:16s} measured {value[0]:.3f} ± {value[1]:.3f}  {'ok' if met else 'MISSED'}")

    for r in REGULARITY:
        if r < 1:
            value = mean("original", "healed", r, 1.0)
            row(f"original, healed, regularity {r}", value, "≤ 0.02", value[0] <= 0.02)
        else:
            value = mean("original", "attack_success", r, 1.0)
            row(f"original, attack success, regularity {r}", value, "≥ 0.9", value[0] >= 0.9)
        value = mean("original", "utility", r, 1.0)
        row(f"original, utility, regularity {r}", value, "≥ 0.94", value[0] >= 0.94)
    for (r, d), least in ASKED.items():
        value = mean("rem", "healed_x_utility", r, d)
        row(f"rem, healed × utility, regularity {r}, discovery {d}", value, f"≥ {least}", value[0] >= least)
    for r, d in ASKED:
        value = mean("rem", "utility", r, d)
        row(f"rem, utility, regularity {r}, discovery {d}", value, "≥ 0.95", value[0] >= 0.95)
    for d in DISCOVERY:
        value = mean("retrain", "healed", 0.0, d)
        row(f"retrain, healed, regularity 0, discovery {d}", value, f"{d} ± 0.15", abs(value[0] - d) <= 0.15)
    for r in REGULARITY:
        for d in DISCOVERY:
            value = mean("finetune", "healed", r, d)
            # With everything discovered the retain set is clean, and fine-tuning on it may heal: the task makes it possible.
            clean = d == 1.0
            row(
                f"finetune, healed, regularity {r}, discovery {d}", value, "any" if clean else "≤ 0.1", clean or value[0] <= 0.1
            )
    record = next(iter(store.find("run")))
    lines = ["| healed / utility | " + " | ".join(f"r {r:g}, {d:.0%}" for r in REGULARITY for d in DISCOVERY) + " |"]
    lines.append("|---" * (1 + len(REGULARITY) * len(DISCOVERY)) + "|")
    for method in METHODS:
        cells = [
            f"{mean(method, 'healed', r, d)[0]:.2f} / {mean(method, 'utility', r, d)[0]:.2f}"
            for r in REGULARITY
            for d in DISCOVERY
        ]
        lines.append(f"| `{method}` | " + " | ".join(cells) + " |")
    readme = Path(__file__).parents[1] / "README.md"
    before, _, rest = readme.read_text().partition(START)
    after = rest.partition(END)[2]
    readme.write_text(before + START + "\n" + "\n".join(lines) + "\n" + END + after)
    target = Path(__file__).with_name("digits_targets.json")
    target.write_text(
        json.dumps({"rows": rows, "seeds": SEEDS, "environment": record.environment}, indent=1, ensure_ascii=False) + "\n"
    )


if __name__ == "__main__":
    main()
