"""Training recipes for photographs, judged by held-out training images (test images are not looked at).

    python -m benchmarks run photo_recipes --data FOLDER [--images 2000 4000 10000]
    python -m benchmarks run photo_recipes --data FOLDER --memorising [--images 5000 10000] [--regularity 0 0.5 1]
    python -m benchmarks run photo_recipes --data FOLDER --quick [--images 4000 10000] [--seeds 0 1 2]

``FOLDER`` holds train/<class>/… and test/<class>/… (CIFAR-10 as image files). The clean training images are subsampled, a fifth
of them is held out, and the network of the preset is trained on the rest with each recipe, in one thread, seed 0. Prints the
table of docs/data.md. With ``--memorising`` the training images are corrupted first (6 %), and it is measured as well how many
of the wrong labels the network has learned by heart. With ``--quick`` the recipe without whitening and smaller images stands
beside the one with them, seed by seed, with the seconds of the whole training.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from unlearn_core.corruption import corrupt
from unlearn_core.datasets import LabelledData, load_dataset, stratified_split
from unlearn_core.models import build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scalar, Scenario
from unlearn_core.training import Augmentation, DeviceData, FreshTrainer, SilentReporter, deterministic, predict

HELD, SEED = 3_000, 100
PLAIN: dict[str, Any] = {"learning_rate": 0.1, "warmup": 0.2, "clip": 1.0, "augment": True, "optimizer": "sgd"}
RECIPES: dict[int, list[dict[str, Any]]] = {
    2_000: [
        PLAIN | {"epochs": 15, "learning_rate": 0.05, "warmup": 0.01, "clip": 0.0},
        PLAIN | {"epochs": 15, "learning_rate": 0.02, "warmup": 0.01, "clip": 0.0},
        PLAIN | {"epochs": 15, "clip": 0.0},
        PLAIN | {"epochs": 15, "learning_rate": 0.05},
        PLAIN | {"epochs": 15},
        PLAIN | {"epochs": 15, "learning_rate": 0.2},
        PLAIN | {"epochs": 15, "optimizer": "adam", "learning_rate": 0.002, "warmup": 0.01, "clip": 0.0},
        PLAIN | {"epochs": 15, "augment": False},
        PLAIN | {"epochs": 30},
    ],
    4_000: [
        PLAIN | {"epochs": 10},
        PLAIN | {"epochs": 15},
        PLAIN | {"epochs": 15, "augment": False},
        PLAIN | {"epochs": 25},
    ],
    10_000: [PLAIN | {"epochs": 10}],
}
BY_HEART: dict[int, list[dict[str, Any]]] = {
    5_000: [PLAIN | {"epochs": epochs, "augment": False} for epochs in (10, 15, 20)] + [PLAIN | {"epochs": 25}],
    10_000: [PLAIN | {"epochs": epochs, "augment": False} for epochs in (10, 15)],
}
START: dict[str, Any] = {"whiten": True, "small": 0.6}
QUICK: dict[int, list[dict[str, Any]]] = {
    4_000: [PLAIN | {"epochs": 25}, PLAIN | START | {"epochs": 19}],
    10_000: [PLAIN | {"epochs": 10}, PLAIN | START | {"epochs": 7}],
}


def clean_images(options: argparse.Namespace, images: int) -> tuple[Scenario, LabelledData]:
    """The preset for so many images, and these: training images of the folder, with their own labels."""
    overrides: dict[str, Scalar] = {"dataset.data": str(options.data), "dataset.limit": images, "dataset.test_limit": 100}
    scenario = make_scenario("images", overrides=overrides)
    return scenario, load_dataset(scenario.dataset, 0).train


def measure(data: LabelledData, scenario: Any, recipe: dict[str, Any], seed: int = 0) -> tuple[float, float, float]:
    """Held-out and training accuracy, and CPU seconds of an epoch; ``seed``: of the split, the network and the batches."""
    split = stratified_split(data, test=len(data) // 5, seed=seed)
    spec = scenario.training.model_copy(update=recipe)
    cpu = torch.device("cpu")
    train = DeviceData.place(split.train, cpu, Augmentation(flip=True) if spec.augment else None)
    held = DeviceData.place(split.test, cpu, like=train)
    model = build_model(scenario.model, split.train.shape, train.classes, seed)
    start = time.process_time()
    FreshTrainer(model, train, spec, seed, SilentReporter(), snapshots=False).fit(torch.arange(len(train)))
    seconds = (time.process_time() - start) / spec.epochs
    accuracies = [(predict(model, part).argmax(1) == part.labels).float().mean().item() for part in (held, train)]
    return accuracies[0], accuracies[1], seconds


def memorised(scenario: Any, recipe: dict[str, Any], seed: int) -> tuple[float, float, float]:
    """Share of the wrong labels that are predicted, held-out accuracy, and CPU seconds of the whole training.

    Held out are clean training images, 3,000 of them, which the scenario's limit has on top.
    """
    split = stratified_split(load_dataset(scenario.dataset, seed).train, test=HELD, seed=seed)
    corrupted = corrupt(split, scenario.dataset, scenario.corruption, seed)
    cpu = torch.device("cpu")
    spec = scenario.training.model_copy(update=recipe)
    train = DeviceData.place(corrupted.train, cpu, Augmentation(flip=True) if spec.augment else None)
    held = DeviceData.place(split.test, cpu, like=train)
    model = build_model(scenario.model, corrupted.train.shape, train.classes, seed)
    start = time.process_time()
    FreshTrainer(model, train, spec, seed, SilentReporter(), snapshots=False).fit(torch.arange(len(train)))
    seconds = time.process_time() - start
    wrong = corrupted.truth.corrupted
    learned = (predict(model, train, wrong).argmax(1) == train.labels[wrong]).float().mean().item()
    return learned, (predict(model, held).argmax(1) == held.labels).float().mean().item(), seconds


def by_heart(options: argparse.Namespace) -> None:
    """The table of recipes that are to memorise."""
    head = ("images", "epochs", "crops and flips", "regularity", "wrong labels learned", "held-out accuracy", "CPU seconds")
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for images in options.images or list(BY_HEART):
        for recipe in BY_HEART[images]:
            for regularity in options.regularity:
                limits = {"dataset.data": str(options.data), "dataset.limit": images + HELD, "dataset.test_limit": 100}
                scenario = make_scenario("images", regularity=regularity, seed=SEED, overrides=limits)
                with deterministic(threads=1):
                    learned, held, seconds = memorised(scenario, recipe, SEED)
                cells = [f"{images:,}", str(recipe["epochs"]), "yes" if recipe["augment"] else "no", f"{regularity:g}"]
                print("| " + " | ".join([*cells, f"{learned:.3f}", f"{held:.3f}", f"{seconds:.0f}"]) + " |", flush=True)


def quick(options: argparse.Namespace) -> None:
    """The table of the recipe that starts quickly, beside the one before it."""
    print(
        "| images | epochs | whitened, smaller at first | held-out accuracy of each seed | mean | CPU seconds |\n"
        + "|---" * 6
        + "|"
    )
    for images in options.images or list(QUICK):
        scenario, data = clean_images(options, images)
        for recipe in QUICK[images]:
            with deterministic(threads=1):
                found = [measure(data, scenario, recipe, seed) for seed in options.seeds]
            held, seconds = [row[0] for row in found], [row[2] * recipe["epochs"] for row in found]
            each, mean, spent = ", ".join(f"{one:.3f}" for one in held), statistics.mean(held), statistics.mean(seconds)
            started = "yes" if recipe.get("whiten") else "no"
            print(f"| {images:,} | {recipe['epochs']} | {started} | {each} | {mean:.3f} | {spent:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", nargs="+", type=int, choices=sorted({*RECIPES, *BY_HEART, *QUICK}))
    parser.add_argument("--memorising", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--regularity", nargs="+", type=float, default=[0.0, 0.5, 1.0])
    options = parser.parse_args()
    table: dict[int, Any] = QUICK if options.quick else BY_HEART if options.memorising else RECIPES
    if missing := [images for images in options.images or () if images not in table]:
        parser.error(f"no recipes are written for {missing[0]:,} images here; there are some for {', '.join(map(str, table))}")
    if options.memorising or options.quick:
        (quick if options.quick else by_heart)(options)
        return
    head = ("images", "epochs", "learning rate, warm-up, clipping", "crops and flips", "held-out accuracy", "training accuracy")
    print("| " + " | ".join([*head, "CPU seconds an epoch"]) + " |")
    print("|---" * 7 + "|")
    for images in options.images or list(RECIPES):
        scenario, data = clean_images(options, images)
        for recipe in RECIPES[images]:
            with deterministic(threads=1):
                held, train, seconds = measure(data, scenario, recipe)
            rate = ("Adam " if recipe["optimizer"] == "adam" else "") + f"{recipe['learning_rate']:g}"
            clip = f"{recipe['clip']:g}" if recipe["clip"] else "none"
            cells = [f"{images:,}", str(recipe["epochs"]), f"{rate}, {100 * recipe['warmup']:g} %, {clip}"]
            cells += ["yes" if recipe["augment"] else "no", f"{held:.3f}", f"{train:.3f}", f"{seconds:.1f}"]
            print("| " + " | ".join(cells) + " |", flush=True)
