"""A network that was trained outside this project, healed through side channels, beside the networks of this project.

    python -m benchmarks run own_model --data photos/ --store FOLDER [--seeds 0 1 2] [--parts FOLDER]

``photos/`` is CIFAR-10 as an image folder (train/<class>/…, test/<class>/…), of which the first images of the first four
classes are taken: of ten classes and so few images a network learns too little for a comparison. Their labels are corrupted,
and the corrupted images and a CSV of the given labels are all that ``tests/train_torchvision.py`` sees: torchvision's
resnet18, trained with nothing of this project. That checkpoint is imported and healed (a) as it is, with side channels, and
(b) put into the native resnet18 of the same architecture, widened by redirect channels. Row (c) is the vision transformer,
trained here; so few photographs teach it little (the oracle is the ceiling), so it is shown on the digits as well, with the
presets as they are. Adam trains it, as in the paper. REM has the same preset in all of them. One process on one thread;
seconds are CPU seconds. ``--parts`` keeps what is done, so that a run that was interrupted goes on. Writes
``benchmarks/results/own_model.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks.paths import RESULTS, ROOT
from unlearn_core.corruption import corrupt
from unlearn_core.datasets import load_dataset
from unlearn_core.evaluation import Evidence, load_scenario_data, measure, observe
from unlearn_core.methods import registry
from unlearn_core.models import RedirectNet, build_model, parse_normalise
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.tables import original_metrics
from unlearn_core.specs import ModelSpec, Scenario
from unlearn_core.stages.execution import environment, run_stage
from unlearn_core.stages.inputs import make_task
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter, deterministic, seeded

TARGET = RESULTS / "own_model.json"
SCRIPT = ROOT / "tests" / "train_torchvision.py"
CLASSES, TRAIN, TEST, EPOCHS = 4, 300, 250, 15
TASKS = {"confusion": 0.5, "trigger": 1.0}
DISCOVERY, AMOUNT = 0.5, 72
SHOWN = ("healed", "utility", "healed_x_utility", "healed_discovered", "healed_undiscovered")
OUTSIDE, NATIVE, DIGITS = "side channels", "native redirect channels", "vit, digits"
BESIDE = 4  # so many steps are the comparison that was asked for
# The transformer gets the epochs that it needs to know its training labels by heart, as resnet18 does in fewer.
VIT = {"model.patch": 8, "model.width": 96, "training.epochs": 40}


Row = dict[str, Any]


def subsample(data: Path, target: Path) -> Path:
    """The first images of the first classes of ``data``, as an image folder of its own."""
    for part, count in (("train", TRAIN), ("test", TEST)):
        for folder in sorted(path for path in (data / part).iterdir() if path.is_dir())[:CLASSES]:
            (target / part / folder.name).mkdir(parents=True, exist_ok=True)
            for image in sorted(folder.iterdir())[:count]:
                if not (copy := target / part / folder.name / image.name).exists():
                    shutil.copyfile(image, copy)
    return target


def scenario_of(data: str, regularity: float, seed: int, model: str, **overrides: Any) -> Scenario:
    """The task on these images; nothing is augmented, as outside."""
    fixed: dict[str, Any] = {"dataset.data": data, "dataset.size": 32}
    recipe = {"training.epochs": EPOCHS, "training.augment": False}
    named = {name.replace("__", "."): value for name, value in overrides.items()}
    return make_scenario(
        "images", regularity=regularity, amount=AMOUNT, discovery=DISCOVERY, model=model, seed=seed,
        overrides=fixed | recipe | named,
    )  # fmt: skip


def train_outside(scenario: Scenario, out: Path, seed: int, architecture: str = "resnet18", epochs: int = EPOCHS) -> float:
    """Leave in ``out`` the checkpoint of a plain script that is shown the corrupted images and their given labels; seconds."""
    train = corrupt(load_dataset(scenario.dataset, seed), scenario.dataset, scenario.corruption, seed).train
    with tempfile.TemporaryDirectory() as place:
        folder, start = Path(place), children()
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["path", "label"])
            for k, (pixels, label) in enumerate(zip(train.inputs, train.labels.tolist(), strict=True)):
                Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(folder / f"{k:05d}.png")
                rows.writerow([f"{k:05d}.png", train.class_names[label]])
        command = [sys.executable, str(SCRIPT), str(folder / "labels.csv"), str(out), str(epochs), str(seed), architecture]
        subprocess.run(command, check=True, env={"OMP_NUM_THREADS": "1", "PATH": os.environ.get("PATH", "")}, cwd=folder)
    return children() - start


def children() -> float:
    """CPU seconds of finished child processes."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def through_stages(store: Store, scenario: Scenario, name: str) -> Row:
    """The original, unless it is there, and one method as the app computes them."""
    spec = make_method(name, scenario)
    for stage in plan_runs(scenario, [spec]):
        start = time.process_time()
        if store.get(stage.key) is None:
            run_stage(stage, store, "cpu", SilentReporter())
    record = store.get(scenario.run_key(spec))
    assert record is not None
    measured = {metric: record.payload["metrics"].get(metric) for metric in SHOWN}
    return {"method": name, "seconds": time.process_time() - start} | measured


def original(store: Store, scenario: Scenario) -> Row:
    """What the network says before anything is unlearned."""
    for stage in plan_runs(scenario, []):
        if store.get(stage.key) is None:
            run_stage(stage, store, "cpu", SilentReporter())
    found = original_metrics(store, scenario)
    return {"method": "original", "seconds": None} | {metric: found[metric] for metric in SHOWN}


def native(scenario: Scenario, checkpoint: Path, store: Store) -> Row:
    """REM on the native network of the same architecture, started from the same weights on the same inputs."""
    arena, spec = load_scenario_data(scenario, torch.device("cpu")), make_method("rem", scenario)
    weights = torch.load(checkpoint, weights_only=True)
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


def steps(data: Path, task: str, seed: int, store: Store, parts: Path) -> dict[tuple[str, str], Callable[[], Row]]:
    """What is computed for one task and seed: network and method → its row. The first step leaves the checkpoint."""
    regularity, checkpoint = TASKS[task], parts / f"{task}-{seed}.pt"
    given = {"model__weights": str(checkpoint), "model__architecture": "resnet18", "model__normalise": "imagenet"}
    of_vit = {name.replace(".", "__"): value for name, value in VIT.items()}

    def outside() -> Scenario:
        return scenario_of(str(data), regularity, seed, "torchvision", **given)

    def vit() -> Scenario:
        return scenario_of(str(data), regularity, seed, "vit", **of_vit)

    def train() -> Row:
        seconds = train_outside(scenario_of(str(data), regularity, seed, "resnet18"), checkpoint, seed)
        return {"method": "training", "seconds": seconds} | dict.fromkeys(SHOWN)

    def digits() -> Scenario:
        return make_scenario("digits", regularity=regularity, discovery=DISCOVERY, model="vit", seed=seed)

    return {
        (OUTSIDE, "training"): train,
        (OUTSIDE, "original"): lambda: original(store, outside()),
        (OUTSIDE, "rem"): lambda: through_stages(store, outside(), "rem"),
        (NATIVE, "rem"): lambda: native(outside(), checkpoint, store),
        ("vit", "original"): lambda: original(store, vit()),
        ("vit", "rem"): lambda: through_stages(store, vit(), "rem"),
        ("vit", "finetune"): lambda: through_stages(store, vit(), "finetune"),
        (OUTSIDE, "finetune"): lambda: through_stages(store, outside(), "finetune"),
        ("vit", "oracle_retrain"): lambda: through_stages(store, vit(), "oracle_retrain"),
        (DIGITS, "original"): lambda: original(store, digits()),
        (DIGITS, "rem"): lambda: through_stages(store, digits(), "rem"),
        (DIGITS, "finetune"): lambda: through_stages(store, digits(), "finetune"),
        (DIGITS, "retrain"): lambda: through_stages(store, digits(), "retrain"),
        (DIGITS, "oracle_retrain"): lambda: through_stages(store, digits(), "oracle_retrain"),
    }


def kept(path: Path, compute: Callable[[], Row], head: Row) -> Row:
    """What an earlier run left in ``path``, or what is computed now."""
    if not path.exists():
        row = head | compute()
        path.write_text(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}))
        print(path.read_text(), flush=True)
    return dict(json.loads(path.read_text()))


def everything(options: argparse.Namespace, parts: Path) -> Iterator[Row]:
    """All rows, seed by seed; of each the comparison that was asked for comes first."""
    store, data = Store.open(options.store), subsample(options.data, parts / "photos")
    for seed in options.seeds:
        todo = {task: steps(data, task, seed, store, parts) for task in options.tasks}
        for among in (slice(0, BESIDE), slice(BESIDE, None)):
            for task, of_cell in todo.items():
                for (network, name), compute in list(of_cell.items())[among]:
                    head = {"task": task, "seed": seed, "network": network}
                    yield kept(parts / f"{task} {seed} {network} {name}.json", compute, head)


def summary(rows: list[Row]) -> list[Row]:
    """Mean and standard error over seeds."""
    found = []
    for key in dict.fromkeys((row["task"], row["network"], row["method"]) for row in rows if row["method"] != "training"):
        ours = [row for row in rows if (row["task"], row["network"], row["method"]) == key]
        entry: Row = dict(zip(("task", "network", "method"), key, strict=True)) | {"seeds": len(ours)}
        for name in SHOWN:
            values = [row[name] for row in ours]
            error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
            entry[name] = [round(statistics.mean(values), 4), None if error is None else round(error, 4)]
        found.append(entry)
    return found


def write(rows: list[Row]) -> None:
    """What there is so far."""
    said = {
        "command": "python -m benchmarks run own_model --data photos/ --store FOLDER",
        "seeds": sorted({row["seed"] for row in rows}),
        "images": f"the first {TRAIN} training and {TEST} test images of each of the first {CLASSES} classes of CIFAR-10",
        "epochs": EPOCHS,
        "discovery": DISCOVERY,
        "amount": AMOUNT,
        "vit": VIT,
        "of": CLASSES * TRAIN,
        "torchvision": metadata.version("torchvision"),
        "environment": environment(torch.device("cpu")),
    }
    content = {"provenance": said, "summary": summary(rows), "rows": rows}
    TARGET.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--parts", type=Path, default=None)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        (parts := options.parts or Path(place)).mkdir(parents=True, exist_ok=True)
        rows: list[Row] = []
        for row in everything(options, parts):
            rows.append(row)
            write(rows)
