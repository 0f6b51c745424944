"""Every method on a network that was trained outside this project, at its preset's learning rate and at one that fits.

    python -m benchmarks run foreign_rates --data photos/ --store FOLDER [--seed 0] [--architecture mobilenet_v3_small]

``photos/`` is CIFAR-10 as an image folder; taken are the first images of its first four classes, at 64×64, and
``tests/train_torchvision.py`` trains the network on their corrupted labels with nothing of this project (see own_model). The
presets' rates were found on small networks of ours. MobileNetV3 has more layers and batch-norm statistics ten times as slow,
and rates that do no harm elsewhere may ruin it. Methods: all whose presets ask for a fitted rate, but for those that search.
One process on one thread. Writes ``benchmarks/results/foreign_rates.json``.
"""

from __future__ import annotations

import argparse
import json
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import own_model as outside
from benchmarks.measure.own_model import AMOUNT, CLASSES, DISCOVERY, TRAIN
from benchmarks.paths import RESULTS
from unlearn_core.methods import registry
from unlearn_core.presets import make_method
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import environment, run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter, deterministic

TARGET = RESULTS / "foreign_rates.json"
SIDE, REGULARITY = 64, 0.5
EPOCHS = 60
"""In own_model's fifteen the slow statistics are not yet those of the weights, and such a network would be refused."""
SHOWN = ("healed", "utility", "healed_x_utility", "retain_accuracy", "healed_discovered", "healed_undiscovered")
SEARCHING = ("rem_discover", "retrain_discover", "rem_relabel_discover", "rem_tuned")
"""They take an hour here."""

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--architecture", default="mobilenet_v3_small")
    parser.add_argument("--methods", nargs="+", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    store = Store.open(options.store)
    checkpoint = options.store / f"{options.architecture}-{options.seed}.pt"
    data = str(outside.subsample(options.data, options.store / "photos"))
    plain = outside.scenario_of(data, REGULARITY, options.seed, "resnet18", dataset__size=SIDE)
    if not checkpoint.exists():
        outside.train_outside(plain, checkpoint, options.seed, options.architecture, EPOCHS)
    given = {"model__weights": str(checkpoint), "model__architecture": options.architecture, "model__normalise": "imagenet"}
    scenario = outside.scenario_of(data, REGULARITY, options.seed, "torchvision", dataset__size=SIDE, **given)
    rows: list[Row] = [outside.original(store, scenario)]
    asked = methods(scenario)
    for name in options.methods or asked:
        for fitted in (False, True):
            rows.append(row(store, scenario, name, fitted))
            print(json.dumps(rows[-1]), flush=True)
            write(rows, asked, options)


def methods(scenario: Scenario) -> list[str]:
    """Those whose preset asks for a fitted rate on this network, but for oracles and what needs right labels."""
    asking = (method for method in registry if make_method(method.name, scenario).params.get("fit_rate"))
    told = (method.name for method in asking if not method.oracle and not method.needs_right_labels)
    return [name for name in told if name not in SEARCHING]


def row(store: Store, scenario: Scenario, name: str, fitted: bool) -> Row:
    """What is left of the network after this method, and the rate that was taken."""
    spec = make_method(name, scenario, {"fit_rate": fitted})
    with deterministic(threads=1):
        for stage in plan_runs(scenario, [spec]):
            if store.get(stage.key) is None:
                run_stage(stage, store, "cpu", SilentReporter())
    record = store.get(scenario.run_key(spec))
    assert record is not None
    rate = record.payload.get("report", {}).get("rate") or {}
    found = {metric: record.payload["metrics"].get(metric) for metric in SHOWN}
    named = getattr(registry.get(name), "rate_name", "learning_rate")
    taken = rate.get("changed", {}).get(named, spec.params[named])
    return {"method": name, "fitted": fitted, "rate": taken, "stopped": rate.get("stopped", False)} | found


def write(rows: list[Row], asked: list[str], options: argparse.Namespace) -> None:
    """What there is so far, of the methods that were ``asked`` about."""
    said = {
        "command": f"python -m benchmarks run foreign_rates --data photos/ --store FOLDER --seed {options.seed}",
        "architecture": options.architecture,
        "seed": options.seed,
        "images": CLASSES * TRAIN,
        "classes": CLASSES,
        "asked": asked,
        "side": SIDE,
        "epochs": EPOCHS,
        "amount": AMOUNT,
        "discovery": DISCOVERY,
        "regularity": REGULARITY,
        "torchvision": metadata.version("torchvision"),
        "environment": environment(torch.device("cpu")),
    }
    TARGET.write_text(json.dumps({"provenance": said, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
