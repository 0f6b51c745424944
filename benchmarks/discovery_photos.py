"""Discovery on photographs: ``rem_discover`` beside REM, at discovery 0.1 and regularity 0 and 1.

    python -m benchmarks.discovery_photos --data FOLDER [--images 10000] [--seeds 0] [--regularity 0 1] [--no-crops]
                                          [--methods original rem rem_discover rem_tuned] [--parts FOLDER]

``FOLDER`` holds train/<class>/… and test/<class>/… (CIFAR-10 as image files); ResNet-9 at a quarter of its width on the
processor, with the recipe that photographs get in the app; ``--no-crops`` trains without crops and flips, so that random
labels are learned by heart. Asked for: healed × utility at least twice that of REM. Healed and utility are computed from the
ground truth here, after the methods have run. Seconds are seconds of one processor.
``--parts`` keeps what is done, so that a run that was interrupted goes on. Writes ``benchmarks/discovery_photos.json``, where
other regularities and numbers of images are kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.discovery_digits import Row, Work, mean, measured, pick
from unlearn_core.engine.stages import environment
from unlearn_core.presets import make_scenario

MODULE = "benchmarks.discovery_photos"
REGULARITY, RATE, TIMES = (0.0, 1.0), 0.1, 2.0
DIGITS = {"added": ".0f", "seconds": ".0f"}


def task_name(regularity: float, options: argparse.Namespace) -> str:
    return f"regularity {regularity:g}, {options.images} images" + (", no crops" if options.no_crops else "")


def overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What differs from the usual scenario."""
    data = {"dataset.data": str(options.data), "dataset.limit": options.images, "dataset.test_limit": 2000}
    return data | ({"training.augment": False} if options.no_crops else {})


def make_work(options: argparse.Namespace) -> list[Work]:
    return [
        Work(
            "photographs",
            task_name(regularity, options),
            seed,
            (("regularity", regularity), ("overrides", overrides(options))),
            tuple(options.methods),
            (RATE,),
            "images",
        )
        for seed in options.seeds
        for regularity in options.regularity
    ]


def report(rows: Sequence[Row]) -> list[str]:
    """A line for each task and method, and whether discovery reaches what was asked."""
    lines = []
    rows = [row | {"product": row["healed"] * row["utility"]} for row in rows]
    for task in dict.fromkeys(row["task"] for row in rows):
        scores = {}
        for name in dict.fromkeys(row["method"] for row in pick(rows, task=task)):
            here = pick(rows, task=task, method=name)
            scores[name] = mean(here, "product")[0]
            cells = {
                key: mean(here, key)[0] for key in ("healed", "utility", "product", "added", "precision", "recall", "seconds")
            }
            values = ", ".join(f"{key} {value:{DIGITS.get(key, '.3f')}}" for key, value in cells.items() if value == value)
            lines.append(f"{task}: {name} (n = {len(here)}): {values}")
        if {"rem", "rem_discover"} <= set(scores):
            ratio = scores["rem_discover"] / scores["rem"]
            lines.append(f"{task}: {ratio:.2f} times REM, asked {TIMES:g}: {'ok' if ratio >= TIMES else 'MISSED'}")
        # Healed through and through, a network says of corrupted images what it says of any others.
        utility = max(mean(pick(rows, task=task, method=name), "utility")[0] for name in scores)
        line = f"{task}: healing everything at the best utility above would give about {utility**2:.3f}"
        if "rem" in scores and (ratio := utility**2 / scores["rem"]) < TIMES:
            line += f", {ratio:.2f} times REM: {TIMES:g} times is out of reach"
        lines.append(line)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--regularity", nargs="+", type=float, choices=REGULARITY, default=list(REGULARITY))
    parser.add_argument("--methods", nargs="+", default=["original", "rem", "rem_discover"])
    parser.add_argument("--parts", type=Path, default=None)
    parser.add_argument("--no-crops", action="store_true")
    options = parser.parse_args()
    if options.parts:
        options.parts.mkdir(parents=True, exist_ok=True)
    target = Path(__file__).with_suffix(".json")
    runs = json.loads(target.read_text())["runs"] if target.exists() else {}
    rows = [row for work in make_work(options) for row in measured(work, options.parts)]
    training = make_scenario("images", overrides=overrides(options)).training
    for regularity in options.regularity:
        task = task_name(regularity, options)
        here = pick(rows, task=task)
        runs[task] = {
            "command": f"python -m {MODULE} --data FOLDER --images {options.images} --regularity {regularity:g}"
            + " --no-crops" * options.no_crops
            + f" --methods {' '.join(options.methods)}",
            "setting": f"{options.images:,} training images, ResNet-9 at a quarter of its width, {training.epochs} epochs "
            f"{'with' if training.augment else 'without'} crops and flips, 6 % corrupted, 10 % of that known, "
            f"seeds {', '.join(map(str, options.seeds))}",
            "rows": here,
            "environment": environment(torch.device("cpu")),
        }
        print("\n".join(report(here)))
    target.write_text(json.dumps({"runs": runs}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
