"""The parts of docs/results.md on tasks other than the map: other digits, and photographs."""

from __future__ import annotations

import json

import pandas as pd

from benchmarks.measure.discovery_photos import table, verdicts
from benchmarks.paths import RESULTS

DIGITS, PHOTOS = (RESULTS / f"discovery_{name}.json" for name in ("digits", "photos"))


def other_tasks() -> list[str]:
    """Self-tuned REM on tasks that the preset was not made for: other tasks on digits, and photographs."""
    rows = [row for row in json.loads(DIGITS.read_text())["rows"] if row["section"] == "tuned"]
    for run in json.loads(PHOTOS.read_text())["runs"].values() if PHOTOS.exists() else ():
        if any(row["method"] == "rem_tuned" for row in run["rows"]):
            rows += [
                row | {"task": f"photographs, {row['task']}"} for row in run["rows"] if row["method"] in ("rem", "rem_tuned")
            ]
    if not rows:
        return []
    frame = pd.DataFrame(rows).assign(product=lambda table: table["healed"] * table["utility"])
    table = frame.groupby(["task", "discovery", "method"], sort=False)["product"].agg(["mean", "sem"]).unstack("method")
    lines = [
        "",
        "On tasks that the preset was not made for, three seeds:",
        "",
        "| task | discovered | `rem` | `rem_tuned` |",
        "|---|---|---|---|",
    ]
    for task, rate in table.index:
        row = table.loc[(task, rate)]
        cells = [f"{row['mean', name]:.2f} ± {row['sem', name]:.2f}".replace(" ± nan", "") for name in ("rem", "rem_tuned")]
        lines.append(f"| {task} | {rate:.0%} | " + " | ".join(cells) + " |")
    means = table["mean"]
    margin = pd.DataFrame(table["sem"]).max(axis=1).fillna(0)
    level = means["rem_tuned"] >= means["rem"] - margin
    worst = {name: means[name].min() for name in ("rem", "rem_tuned")}
    return [
        *lines,
        "",
        f"- Within one standard error of REM or better: {level.sum()} of {len(level)}. Mean: `rem` {means['rem'].mean():.3f}, "
        f"`rem_tuned` {means['rem_tuned'].mean():.3f}. The worst of these: `rem` {worst['rem']:.2f}, `rem_tuned` "
        f"{worst['rem_tuned']:.2f}.",
    ]


def photographs() -> list[str]:
    """Discovery on photographs, from ``discovery_photos.json``."""
    if not PHOTOS.exists():
        return []
    runs = json.loads(PHOTOS.read_text())["runs"]
    lines = ["## Photographs", "", "Discovery on CIFAR-10 as image files, mean ± standard error over the seeds.", ""]
    for setting in dict.fromkeys(run["setting"] for run in runs.values()):
        rows = [row for run in runs.values() if run["setting"] == setting for row in run["rows"]]
        lines += [f"{setting}:", "", *table(rows), "", *(f"- {line}" for line in verdicts(rows)), ""]
    return lines


def photo_commands() -> list[str]:
    """The commands that measured what :func:`photographs` writes."""
    return [run["command"] for run in json.loads(PHOTOS.read_text())["runs"].values()] if PHOTOS.exists() else []
