"""Training recipes for photographs, judged by held-out training images (test images are not looked at).

    python -m benchmarks.photo_recipes --data FOLDER [--images 2000 4000 10000]

``FOLDER`` holds train/<class>/… and test/<class>/… (CIFAR-10 as image files). The clean training images are subsampled, a fifth
of them is held out, and the network of the preset is trained on the rest with each recipe, in one thread, seed 0. Prints the
table of docs/data.md.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch

from unlearn_core.datasets import LabelledData, load_dataset, stratified_split
from unlearn_core.models import build_model
from unlearn_core.presets import make_scenario
from unlearn_core.training import Augmentation, DeviceData, SilentReporter, Trainer, deterministic, predict

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


def measure(data: LabelledData, scenario: Any, recipe: dict[str, Any]) -> tuple[float, float, float]:
    """Held-out and training accuracy, and CPU seconds of an epoch."""
    split = stratified_split(data, test=len(data) // 5, seed=0)
    spec = scenario.training.model_copy(update=recipe)
    cpu = torch.device("cpu")
    train = DeviceData.place(split.train, cpu, Augmentation(flip=True) if spec.augment else None)
    held = DeviceData.place(split.test, cpu, like=train)
    model = build_model(scenario.model, split.train.shape, train.classes, 0)
    start = time.process_time()
    Trainer(model, train, spec, 0, SilentReporter(), snapshots=False).fit(torch.arange(len(train)))
    seconds = (time.process_time() - start) / spec.epochs
    accuracies = [(predict(model, part).argmax(1) == part.labels).float().mean().item() for part in (held, train)]
    return accuracies[0], accuracies[1], seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", nargs="+", type=int, default=list(RECIPES), choices=list(RECIPES))
    options = parser.parse_args()
    head = ("images", "epochs", "learning rate, warm-up, clipping", "crops and flips", "held-out accuracy", "training accuracy")
    print("| " + " | ".join([*head, "CPU seconds an epoch"]) + " |")
    print("|---" * 7 + "|")
    for images in options.images:
        overrides = {"dataset.data": str(options.data), "dataset.limit": images, "dataset.test_limit": 100}
        scenario = make_scenario("images", overrides=overrides)
        data = load_dataset(scenario.dataset, 0).train
        for recipe in RECIPES[images]:
            with deterministic(threads=1):
                held, train, seconds = measure(data, scenario, recipe)
            rate = ("Adam " if recipe["optimizer"] == "adam" else "") + f"{recipe['learning_rate']:g}"
            clip = f"{recipe['clip']:g}" if recipe["clip"] else "none"
            cells = [f"{images:,}", str(recipe["epochs"]), f"{rate}, {100 * recipe['warmup']:g} %, {clip}"]
            cells += ["yes" if recipe["augment"] else "no", f"{held:.3f}", f"{train:.3f}", f"{seconds:.1f}"]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
