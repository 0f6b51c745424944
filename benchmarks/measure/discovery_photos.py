"""Discovery on photographs: ``rem_discover`` beside REM, at discovery 0.1 and regularity 0 and 1.

    python -m benchmarks run discovery_photos --data FOLDER [--images 10000] [--seeds 0 1 2] [--regularity 0 1]
        [--recipe accurate] [--methods original rem rem_discover retrain oracle_retrain] [--parts FOLDER]
    python -m benchmarks run discovery_photos --data FOLDER --images 400 --epochs 8 --recipe memorising --discovery 0.3
        --regularity 1 --seeds 0 1 2 --methods original retrain rem rem_discover --note "what else ran"

``FOLDER`` holds train/<class>/… and test/<class>/… (CIFAR-10 as image files); ResNet-9 at a quarter of its width on the
processor, with the recipe that people's own photographs get in the app, or with ``--recipe memorising`` the one for simulated
corruption, so that random labels are learned by heart. Asked for: healed × utility at least twice that of REM, at no more than
six times the seconds of retraining, and REM at no more than those. Healed and utility are computed from the ground truth here,
after the methods have run. Seconds are seconds of one processor. ``--parts`` keeps what is done, so that a run that was
interrupted goes on. Writes ``benchmarks/results/discovery_photos.json``, where other regularities and numbers of images stay.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure.discovery_digits import Work, measured
from benchmarks.paths import RESULTS
from benchmarks.report.rows import Row, mean, pick
from benchmarks.target import Target
from unlearn_core.methods import registry as methods
from unlearn_core.presets import make_scenario
from unlearn_core.results.memorised import TAKEN_UP
from unlearn_core.specs import TrainingSpec
from unlearn_core.stages.execution import environment

USUAL = "accurate"
REGULARITY, RATE, TIMES = (0.0, 1.0), 0.1, 2.0
MOST = {"rem": 1.0, "rem_discover": 6.0}
"""Asked for: so many times the seconds of retraining at most."""
COLUMNS = (
    ("healed", "healed", ".3f"),
    ("utility", "utility", ".3f"),
    ("healed × utility", "product", ".3f"),
    ("added", "added", ".0f"),
    ("of these corrupted", "precision", ".3f"),
    ("found", "recall", ".3f"),
    ("seconds", "seconds", ".0f"),
)
"""Heading, key and format of the table's columns."""


def task_name(regularity: float, options: argparse.Namespace) -> str:
    unusual = [f"{options.epochs} epochs"] * bool(options.epochs) + [options.recipe] * (options.recipe != USUAL)
    unusual += [f"discovery {options.discovery:g}"] * (options.discovery != RATE)
    return ", ".join([f"regularity {regularity:g}", f"{options.images} images", *unusual])


def overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What differs from the usual scenario."""
    epochs = {"training.epochs": options.epochs} if options.epochs else {}
    return {"dataset.data": str(options.data), "dataset.limit": options.images, "dataset.test_limit": 2000} | epochs


def make_work(options: argparse.Namespace) -> list[Work]:
    return [
        Work(
            "photographs",
            task_name(regularity, options),
            seed,
            (("regularity", regularity), ("overrides", overrides(options)), ("recipe", options.recipe)),
            tuple(options.methods),
            (options.discovery,),
            "images",
        )
        for seed in options.seeds
        for regularity in options.regularity
    ]


def table(rows: Sequence[Row]) -> list[str]:
    """Markdown: a line for each task and method, mean ± standard error over the seeds."""
    heads = [head for head, _, _ in COLUMNS]
    lines = ["| " + " | ".join(["task", "model", "n", *heads]) + " |", "|---" * (len(heads) + 3) + "|"]
    for task, name in dict.fromkeys((row["task"], row["method"]) for row in rows):
        here = [row | {"product": row["healed"] * row["utility"]} for row in pick(rows, task=task, method=name)]
        cells = [cell(*mean(here, key), form) for _, key, form in COLUMNS]
        model = "before unlearning" if name == "original" else f"`{name}`" + " (an oracle)" * methods.get(name).oracle
        lines.append("| " + " | ".join([task, model, str(len(here)), *cells]) + " |")
    return lines


def cell(middle: float, error: float, form: str) -> str:
    if middle != middle:
        return "–"
    return f"{middle:{form}}" + (f" ± {error:{form}}" if error == error else "")


def verdicts(rows: Sequence[Row]) -> list[str]:
    """For each task whether discovery reaches what was asked, and what can be had there at all."""
    lines = []
    for task in dict.fromkeys(row["task"] for row in rows):
        scores = {
            name: statistics.mean(row["healed"] * row["utility"] for row in pick(rows, task=task, method=name))
            for name in dict.fromkeys(row["method"] for row in pick(rows, task=task))
        }
        healed = [row["healed"] for row in pick(rows, task=task, method="original")]
        if healed and 1 - statistics.mean(healed) < TAKEN_UP:
            lines.append(
                f"{task}: {statistics.mean(healed):.2f} is predicted right before unlearning, so at most "
                f"{1 - statistics.mean(healed):.2f} is memorised: the model never took these labels up, and there is "
                "nothing to heal."
            )
        if {"rem", "rem_discover"} <= set(scores) and {row["discovery"] for row in pick(rows, task=task)} == {RATE}:
            ratio = scores["rem_discover"] / scores["rem"]
            asked = Target.at_least(ratio, TIMES)
            lines.append(f"{task}: `rem_discover` has {ratio:.2f} times REM, asked {TIMES:g}: {asked.verdict}.")
        if {"rem", "oracle_retrain"} <= set(scores):
            ratio = scores["oracle_retrain"] / scores["rem"]
            line = f"{task}: retraining without all corruption has {ratio:.2f} times REM"
            lines.append(line + (f": {TIMES:g} times is out of reach." if ratio < TIMES else "."))
        lines += [f"{task}: {line}" for line in costs([row for row in rows if row["task"] == task])]
    return lines


def costs(rows: Sequence[Row]) -> list[str]:
    """How many times as long as retraining the methods take that are asked to take no longer than so."""
    spent = {name: [row["seconds"] for row in pick(rows, method=name)] for name in ("retrain", *MOST)}
    if not spent["retrain"]:
        return []
    lines = []
    for name, most in MOST.items():
        if spent[name]:
            asked = Target.at_most(statistics.mean(spent[name]) / statistics.mean(spent["retrain"]), most)
            lines.append(
                f"`{name}` takes {asked.measured:.2f} times as long as retraining, asked {asked.asked}: {asked.verdict}."
            )
    return lines


def about(regularity: float, options: argparse.Namespace, training: TrainingSpec) -> dict[str, str]:
    """What was run, as a command and in words."""
    unusual = f" --recipe {options.recipe}" if options.recipe != USUAL else ""
    unusual += f" --epochs {options.epochs}" if options.epochs else ""
    unusual += f" --discovery {options.discovery:g}" if options.discovery != RATE else ""
    return {
        "command": f"python -m benchmarks run discovery_photos --data FOLDER --images {options.images} "
        f"--regularity {regularity:g}{unusual} --seeds {' '.join(map(str, options.seeds))} "
        f"--methods {' '.join(options.methods)}",
        "setting": f"{options.images:,} training images, ResNet-9 at a quarter of its width, {training.epochs} epochs "
        f"{'with' if training.augment else 'without'} crops and flips, 6 % corrupted, {100 * options.discovery:g} % of that "
        f"known, seeds {', '.join(map(str, options.seeds))}" + (f"; {options.note}" if options.note else ""),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--regularity", nargs="+", type=float, choices=REGULARITY, default=list(REGULARITY))
    parser.add_argument("--methods", nargs="+", default=["original", "rem", "rem_discover", "retrain", "oracle_retrain"])
    parser.add_argument("--parts", type=Path, default=None)
    parser.add_argument("--epochs", type=int, default=0, help="of training from scratch [default: the recipe's]")
    parser.add_argument("--discovery", type=float, default=RATE)
    parser.add_argument("--note", default="", help="what else the machine did, for the report")
    parser.add_argument("--recipe", choices=("memorising", "accurate"), default=USUAL)
    options = parser.parse_args()
    if options.parts:
        options.parts.mkdir(parents=True, exist_ok=True)
    target = RESULTS / "discovery_photos.json"
    runs = json.loads(target.read_text())["runs"] if target.exists() else {}
    rows = [row for work in make_work(options) for row in measured(work, options.parts)]
    training = make_scenario("images", overrides=overrides(options), recipe=options.recipe).training
    for regularity in options.regularity:
        task = task_name(regularity, options)
        here = [row for name in options.methods for row in pick(rows, task=task, method=name)]
        runs[task] = about(regularity, options, training) | {"rows": here, "environment": environment(torch.device("cpu"))}
        print("\n".join([*table(here), "", *verdicts(here)]))
    target.write_text(json.dumps({"runs": runs}, indent=1, ensure_ascii=False) + "\n")
