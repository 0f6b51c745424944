"""A network that was trained outside this project, healed through side channels, beside the networks of this project.

    python -m benchmarks.own_model --data photos/ --store FOLDER [--seeds 0 1 2]

``photos/`` is an image folder such as CIFAR-10's (train/<class>/…, test/<class>/…), of which a stated subsample is taken. Its
labels are corrupted, and the corrupted images and a CSV of the given labels are all that ``tests/train_torchvision.py`` sees:
torchvision's resnet18, trained with nothing of this project. That checkpoint is imported and healed (a) as it is, with side
channels, and (b) put into the native resnet18 of the same architecture, widened by redirect channels. Rows (c) and (d) are the
native resnet18 and the vision transformer, trained here. REM has the same preset in all of them. Each step is one process on
one thread; seconds are CPU seconds. Writes ``benchmarks/own_model.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from unlearn_core.corruption import corrupt
from unlearn_core.datasets import load_dataset
from unlearn_core.engine.stages import arena_of, make_task, plan_runs, run_stage
from unlearn_core.evaluation import Evidence, measure, observe
from unlearn_core.methods import registry
from unlearn_core.models import RedirectNet, build_model, parse_normalise
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import MethodSpec, ModelSpec, Scenario
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter, deterministic, seeded

TARGET = Path(__file__).with_suffix(".json")
SCRIPT = Path(__file__).parents[1] / "tests" / "train_torchvision.py"
TRAIN, TEST, EPOCHS = 1500, 1000, 15
TASKS = {"confusion": 0.5, "trigger": 1.0}
DISCOVERY, AMOUNT = 0.5, 90
SHOWN = ("healed", "utility", "healed_x_utility", "healed_discovered", "healed_undiscovered")
VIT = {"model.patch": 4, "model.width": 96, "training.optimizer": "adam", "training.learning_rate": 1e-3}


def scenario_of(data: str, regularity: float, seed: int, model: str, **overrides: Any) -> Scenario:
    """The task on a subsample of ``data``; nothing is augmented, as outside."""
    fixed = {"dataset.data": data, "dataset.limit": TRAIN, "dataset.test_limit": TEST, "dataset.size": 32}
    recipe = {"training.epochs": EPOCHS, "training.augment": False}
    named = {name.replace("__", "."): value for name, value in overrides.items()}
    return make_scenario(
        "images", regularity=regularity, amount=AMOUNT, discovery=DISCOVERY, model=model, seed=seed,
        overrides=fixed | recipe | named,
    )  # fmt: skip


def train_outside(scenario: Scenario, folder: Path, seed: int) -> tuple[Path, float]:
    """The checkpoint of a plain script that is shown the corrupted images and their given labels; CPU seconds."""
    train = corrupt(load_dataset(scenario.dataset, seed), scenario.dataset, scenario.corruption, seed).train
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label"])
        for k, (pixels, label) in enumerate(zip(train.inputs, train.labels.tolist(), strict=True)):
            Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(folder / f"{k:05d}.png")
            rows.writerow([f"{k:05d}.png", train.class_names[label]])
    out = folder / "outside.pt"
    used = time.process_time(), children()
    command = [sys.executable, str(SCRIPT), str(folder / "labels.csv"), str(out), str(EPOCHS), str(seed)]
    subprocess.run(command, check=True, env={"OMP_NUM_THREADS": "1", "PATH": os.environ.get("PATH", "")}, cwd=folder)
    return out, children() - used[1]


def children() -> float:
    """CPU seconds of finished child processes."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def through_stages(store: Store, scenario: Scenario, names: list[str]) -> Iterator[dict[str, Any]]:
    """Original and methods as the app computes them."""
    specs = [make_method(name, scenario) for name in names]
    for stage in plan_runs(scenario, specs):
        start = time.process_time()
        if store.get(stage.key) is None:
            run_stage(stage, store, "cpu", SilentReporter())
        record = store.get(stage.key)
        assert record is not None
        if record.kind == "run":
            measured = {name: record.payload["metrics"].get(name) for name in SHOWN}
            yield {"method": record.payload["method"], "seconds": time.process_time() - start} | measured


def native(scenario: Scenario, weights: dict[str, torch.Tensor], spec: MethodSpec, store: Store) -> dict[str, Any]:
    """REM on the native network of the same architecture, started from the same weights on the same inputs."""
    arena = arena_of(scenario, torch.device("cpu"))
    mean, std = (255 * torch.tensor(value) for value in parse_normalise("imagenet"))
    train, test, triggered = (replace(d, mean=mean, std=std) for d in (arena.train, arena.test, arena.triggered))
    arena = replace(arena, train=train, test=test, triggered=triggered)

    def fresh(seed: int) -> RedirectNet:
        params = {"width": 1.0, "stem": "imagenet"}
        return build_model(ModelSpec(name="resnet18", params=params), arena.corrupted.train.shape, train.classes, seed)

    original = fresh(0)
    found = original.as_torchvision()
    assert found is not None
    ours = dict(zip(found[1], (n for n in original.state_dict()), strict=True))
    original.load_state_dict({ours[name]: value for name, value in weights.items()})
    task = replace(make_task(store, scenario, arena), original=original.eval(), fresh_model=fresh)
    method, start = registry.get(spec.name), time.process_time()
    with deterministic(threads=1), seeded(scenario.seed):
        model = method(method.params(spec.params)).unlearn(task, SilentReporter())
        forget = arena.corrupted.truth.forget_of(scenario)
        evidence = Evidence(scenario, arena.corrupted, forget, observe(model, arena))
        measured = measure(evidence, list(SHOWN))
    return {"method": spec.name, "seconds": time.process_time() - start} | {name: measured[name] for name in SHOWN}


def cell(data: str, task: str, seed: int, store: Store) -> list[dict[str, Any]]:
    """All rows of one task and seed."""
    regularity, rows = TASKS[task], []
    with tempfile.TemporaryDirectory() as place:
        plain = scenario_of(data, regularity, seed, "resnet18")
        checkpoint, seconds = train_outside(plain, Path(place), seed)
        given = {"model__weights": str(checkpoint), "model__architecture": "resnet18", "model__normalise": "imagenet"}
        outside = scenario_of(data, regularity, seed, "torchvision", **given)
        rows += [{"network": "outside, side channels"} | row for row in through_stages(store, outside, ["finetune", "rem"])]
        weights = torch.load(checkpoint, weights_only=True)
        row = native(outside, weights, make_method("rem", outside), store)
        rows.append({"network": "outside, native redirect channels"} | row)
    vit = scenario_of(data, regularity, seed, "vit", **{name.replace(".", "__"): value for name, value in VIT.items()})
    rows += [{"network": "vit trained here"} | row for row in through_stages(store, vit, ["finetune", "rem"])]
    said = {"task": task, "seed": seed, "outside_training_seconds": round(seconds, 1)}
    return [said | {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows]


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and standard error over seeds of healed × utility."""
    found = []
    for key in dict.fromkeys((row["task"], row["network"], row["method"]) for row in rows):
        ours = [row for row in rows if (row["task"], row["network"], row["method"]) == key]
        entry: dict[str, Any] = dict(zip(("task", "network", "method"), key, strict=True)) | {"seeds": len(ours)}
        for name in SHOWN:
            values = [row[name] for row in ours]
            error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
            entry[name] = [round(statistics.mean(values), 4), None if error is None else round(error, 4)]
        found.append(entry)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    store, rows = Store.open(options.store), []
    for seed in options.seeds:
        for task in options.tasks:
            rows += cell(options.data, task, seed, store)
            for row in rows[-5:]:
                print(json.dumps(row), flush=True)
            provenance = {
                "command": "python -m benchmarks.own_model --data photos/ --store FOLDER",
                "seeds": options.seeds,
                "images": f"{TRAIN} training and {TEST} test images of CIFAR-10, 32×32, every class in its share",
                "outside": f"tests/train_torchvision.py, {EPOCHS} epochs",
                "discovery": DISCOVERY,
                "amount": AMOUNT,
                "threads": 1,
                "torch": metadata.version("torch"),
                "torchvision": metadata.version("torchvision"),
            }
            answer = {"provenance": provenance, "summary": summary(rows), "rows": rows}
            TARGET.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
