"""Kinds of corruption on road signs: every kind with every method, one table.

    python -m benchmarks run kinds --store FOLDER [--seeds 0] [--tasks NAME …] [--methods NAME …] [--minutes 25]

Dataset ``signs``, discovery 0.1. Triggers: patch, sticker, blended, sinusoid, warp, clean-label, several. Label noise: uniform
and pair confusion (the dial at 0 and 0.5), asymmetric, instance-dependent in both forms, at 6 % and 12 %; pair confusion at
6 % alone, because 12 % would take more than the 40 % of the two classes that the dial allows. A spurious attribute, and feature
noise. Healed and the like are computed from the ground truth after the methods have run; methods never see it.

What ``--store`` holds is not computed again, so that a run that was stopped goes on; no run starts after ``--minutes``.
Writes ``benchmarks/results/kinds.json`` after each task, keeping rows of other seeds, tasks and methods; ``python -m benchmarks
report kinds`` puts the tables into ``docs/kinds.md``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import torch

from benchmarks.paths import RESULTS
from benchmarks.report.rows import Row
from unlearn_core.front_door.places import open_engine
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import tables
from unlearn_core.specs import Scalar, Scenario
from unlearn_core.stages.execution import environment
from unlearn_core.stages.regularity import plan_regularity, regularity_key
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

PATH: Final = RESULTS / "kinds.json"
DATASET, DISCOVERY = "signs", 0.1
METHODS: Final = ("retrain", "oracle_retrain", "finetune", "scrub", "rem", "rem_discover")
PAIR: Final[dict[str, Scalar]] = {"corruption.class_a": 2, "corruption.class_b": 3}
TRIGGERS: Final[dict[str, dict[str, Scalar]]] = {
    "patch": {"trigger.kind": "patch", "trigger.size": 5},
    "sticker": {"trigger.kind": "sticker"},
    "blended": {"trigger.kind": "blended"},
    "sinusoid": {"trigger.kind": "sinusoid"},
    "warp": {"trigger.kind": "warp"},
}
NOISE: Final[dict[str, dict[str, Scalar]]] = {
    "uniform": {},
    "pair": PAIR,
    "asymmetric": {"corruption.kind": "asymmetric"},
    "instance_dependent": {"corruption.kind": "instance_dependent"},
    "instance_dependent, published": {"corruption.kind": "instance_dependent", "corruption.by": "published"},
}
OTHER: Final[dict[str, dict[str, Scalar]]] = {
    "clean_label": TRIGGERS["patch"] | {"corruption.kind": "clean_label"},
    "several_triggers": TRIGGERS["patch"] | {"corruption.kind": "several_triggers"},
    "spurious": {"corruption.kind": "spurious"},
    "feature_noise": {"corruption.kind": "feature_noise"},
}


def make_tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and the arguments of ``make_scenario`` of every task."""
    for name, overrides in TRIGGERS.items():
        yield name, {"regularity": 1.0, "overrides": overrides}
    for name, overrides in NOISE.items():
        for amount in (0.06,) if name == "pair" else (0.06, 0.12):
            yield (
                f"{name}, {amount:.0%}",
                {"regularity": 0.5 if name == "pair" else 0.0, "amount": amount, "overrides": overrides},
            )
    for name, overrides in OTHER.items():
        yield name, {"overrides": overrides}


def run(task: str, scenario: Scenario, methods: Sequence[str], store: Store, until: float) -> list[Row]:
    """One row for the original and each method; a method that has not started when the time is up is left out."""
    done = []
    with open_engine(store, "inline", None, "cpu") as machine:
        for name in methods:
            spec = make_method(name, scenario)
            if store.get(scenario.run_key(spec)) is None and time.monotonic() > until:
                continue
            machine.wait(machine.submit(plan_runs(scenario, [spec]), f"{task}: {name}"))
            done.append(spec)
        if store.get(regularity_key(scenario)) is None and time.monotonic() < until:
            machine.wait(machine.submit(plan_regularity(scenario), f"{task}: measured regularity"))
    measured = store.get(regularity_key(scenario))
    about = {"task": task, "seed": scenario.seed, "discovery": scenario.discovery}
    about["measured_regularity"] = None if measured is None else measured.payload["measured"]
    frame = tables.comparison(store, scenario, done) if done else pd.DataFrame()
    skip = ("label", "oracle", "device", "key", "params", "seconds")  # this is no measurement of speed
    return [
        about | {str(name): _plain(value) for name, value in row.items() if name not in skip}
        for row in frame.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    """A cell as JSON has it: numbers in four digits, nothing for NaN."""
    if isinstance(value, float):
        return None if value != value else round(value, 4)
    return value


def write(rows: Sequence[Row]) -> None:
    """Put these rows in the place of those of the same task, seed and method."""
    old = json.loads(PATH.read_text())["rows"] if PATH.exists() else []
    key = ("task", "seed", "method")
    new = {tuple(row[name] for name in key) for row in rows}
    kept = [row for row in old if tuple(row[name] for name in key) not in new]
    order = {name: k for k, (name, _) in enumerate(make_tasks())}
    merged = sorted([*kept, *rows], key=lambda row: (order.get(row["task"], len(order)), row["seed"]))
    content = {"dataset": DATASET, "discovery": DISCOVERY, "rows": merged, "environment": environment(torch.device("cpu"))}
    PATH.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [name for name, _ in make_tasks()]
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--tasks", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--minutes", type=float, default=25.0)
    options = parser.parse_args()
    until, wanted = time.monotonic() + 60 * options.minutes, dict(make_tasks())
    store = Store.open(options.store)
    for seed in options.seeds:
        for task in options.tasks:
            scenario = make_scenario(DATASET, discovery=DISCOVERY, seed=seed, **wanted[task])
            rows = run(task, scenario, options.methods, store, until)
            write(rows)
            for row in rows:
                shown = ("attack_success", "healed", "utility", "worst_group")
                print(task, seed, row["method"], {name: row.get(name) for name in shown}, flush=True)
