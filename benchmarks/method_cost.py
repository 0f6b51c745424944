"""What each method costs beside retraining, on the digits preset (trigger, 30 % discovered, seed 0).

    python -m benchmarks.method_cost [--repeats 3]

Every method runs in this process on one thread, one after the other in each of several passes, so that a slow moment of the
machine hits all of them; the median of the CPU seconds counts. Writes ``benchmarks/method_cost.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from importlib import metadata
from pathlib import Path

import torch

from unlearn_core.engine.stages import make_task, plan_runs, run_stage
from unlearn_core.evaluation import build_arena
from unlearn_core.methods import registry
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter, deterministic

TARGET = Path(__file__).with_suffix(".json")
REFERENCE = "retrain"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--store", required=True, help="a folder for the original model")
    options = parser.parse_args()
    store = Store.open(options.store)
    scenario = make_scenario("digits", regularity=1.0, discovery=0.3, seed=0)
    if store.get(scenario.original_key) is None:
        run_stage(plan_runs(scenario, [])[0], store, "cpu", SilentReporter())
    seconds: dict[str, list[float]] = {method.name: [] for method in registry}
    with deterministic(threads=1):
        arena = build_arena(scenario, torch.device("cpu"))
        for number in range(options.repeats):
            for method in registry:
                chosen = method(method.params(make_method(method.name, scenario).params))
                task = make_task(store, scenario, arena, method.oracle)
                start = time.process_time()
                chosen.unlearn(task, SilentReporter())
                seconds[method.name].append(time.process_time() - start)
                print(f"pass {number + 1}: {method.name} {seconds[method.name][-1]:.2f} s", flush=True)
    base = statistics.median(seconds[REFERENCE])
    rows = [
        {"method": name, "seconds": round(statistics.median(s), 3), "ratio": round(statistics.median(s) / base, 3)}
        for name, s in seconds.items()
    ]
    rows.sort(key=lambda row: row["ratio"])  # type: ignore[arg-type, return-value]
    for row in rows:
        print(f"{row['method']:20s} {row['seconds']:8.2f} s  {row['ratio']:6.2f} × retraining")
    provenance = {"command": "python -m benchmarks.method_cost", "torch": metadata.version("torch"), "threads": 1}
    TARGET.write_text(json.dumps({"provenance": provenance | {"repeats": options.repeats}, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
