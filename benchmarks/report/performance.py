"""docs/performance.md from what was measured.

    python -m unlearn_core bench --repeats 3 --out benchmarks/results/bench.json
    python -m benchmarks run teaching_grid
    python -m benchmarks run where_time_goes
    python -m benchmarks run many_records --out benchmarks/results/many_records.json
    python -m benchmarks run browser_speed > benchmarks/results/browser_speed.json
    python -m benchmarks report performance

Run the first five with nothing else going on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report import gpu, in_browser, ways
from benchmarks.target import Target, verdict

PAGE = DOCS / "performance.md"
TITLES = {
    "floor": "(a) A training step against the floor",
    "usual": "(b) An epoch against the usual way",
    "methods": "(c) Each method against retraining",
    "masks": "(d) Memory of masks",
    "reopen": "(e) Opened again from the store",
    "sweep": "(f) A sweep with one and two workers",
    "growth": "(g) Cost against the amount of data and the width",
    "halved": "(h) bfloat16 on a processor",
}
WORDS = {
    "floor": "A bare loop of forward, backward and step on one batch that is on the device already, over our epoch, which also "
    "gathers and normalises every batch, follows the schedule and counts.",
    "usual": "The same epoch with a `DataLoader`, torchvision's transforms one image at a time, and a network of full width "
    "whose redirect channels are multiplied by zeros, over ours.",
    "methods": "Digits, trigger, 30 % discovered. The three methods that search run REM or retraining many times.",
    "masks": "Masks by seed and index against a stored mask per example and position of a feature map.",
    "reopen": "`run` with five methods from an empty store over the same command again, Python's start included.",
    "sweep": "36 stages on digits, the workers' start included.",
    "growth": "The fitted p of cost ∝ size^p; 1 is linear.",
    "halved": "An epoch as usual, in float32, over one with `--set training.precision=bfloat16`, on a processor that has "
    "instructions for it. A switch, never the default: other numbers, so other keys, and slower where there are none.",
}

MANY = {
    "fill_table_once_s": "The table of runs of a store of version 1, made once",
    "open_store_s": "Opening the store, all files looked at",
    "heatmap_data_first_s": "Heatmap's data, nothing in memory (opening included)",
    "results_data_first_s": "The data of `results`, nothing in memory (opening included)",
    "compare_worst_first_s": "Compare's worst cases, nothing in memory (opening included)",
    "heatmap_data_again_s": "Heatmap's data again",
    "heatmap_other_metric_s": "Heatmap's data, another metric",
    "compare_worst_again_s": "Compare's worst cases again",
    "recent_s": "Start: the runs of late",
    "compare_tables_s": "Compare's table",
    "heatmap_first_s": "The heatmap's page, nothing of the store's runs in memory",
    "heatmap_click_s": "A click in it, the page drawn anew",
    "heatmap_first_of_the_process_s": "The page as the first of a process, imports included",
    "results_command_s": "`results` in a terminal",
    "python_and_imports_s": "`methods` in a terminal: Python and imports alone",
}
LESSONS = (
    "What the profiles led to: masks are drawn from seed and index instead of being stored; reference losses are computed "
    "once where nothing is augmented; a pass with redirect off computes the base alone; evaluation pools by comparing "
    "slices where no gradient is wanted, a tenth of the time of torch's kernel for the same numbers, and goes through in "
    "pieces that fit a processor's cache; images with one channel are handed over with strides that say that channels are "
    "innermost (torch takes the other layout where both are the same memory; `where_time_goes` said 0.104 s for a training "
    "epoch of the digits CNN before, at commit 24ed4db); a sweep computes once what no forget set changes, and looks at "
    "the last round once.",
    "",
    "Workers keep freed memory (`MALLOC_*` in `engine/backends/local_cluster.py`). Without that every batch gave its "
    "activations back to the system and faulted them in again, page by page, which is slower still for two processes at "
    "once. Before these changes, at commit 24ed4db, the sweep of (f) took one worker 104 s and two 62 s.",
    "",
    "What the profile shows and is still there: with redirect channels on, batch norm of the digits CNN normalises base and "
    "redirect channels apart on strided slices (way b above).",
    "",
)
"""What the profiles led to."""


def read(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"{path.name} is missing: see the head of this file for the commands.")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def measurements(rows: list[dict[str, Any]], section: str) -> list[str]:
    """The table of one section of ``bench``."""
    lines = [
        f"## {TITLES[section]}",
        "",
        WORDS[section],
        "",
        "| What | Measured | Repeats | Asked | |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        asked = f"{'≥' if row['least'] else '≤'} {row['target']:g}" if row["target"] is not None else ""
        spread = f"{number(row['low'])} to {number(row['high'])}" if row["high"] > row["low"] else ""
        took = f"{row['seconds']:.2f} s" if row["seconds"] is not None else ""
        remarks = "; ".join(part for part in (verdict(row["met"]), took, row["note"]) if part)
        lines.append(f"| {row['name']} | {number(row['value'])} {row['unit']} | {spread} | {asked} | {remarks} |")
    return [*lines, ""]


def grid(source: Path) -> list[str]:
    """The teaching grid, or that it has not been measured."""
    head = ["## The teaching grid", ""]
    if not source.exists():
        return [*head, "Not measured on a free machine yet; `python -m benchmarks run teaching_grid` does that.", ""]
    found = json.loads(source.read_text())
    asked = Target.at_most(found["minutes"], found["asked"])
    dear = list(found["seconds_of_the_methods"].items())[:6]
    parts = ", ".join(f"`{name}` {value:.0f} s" for name, value in dear)
    return [
        *head,
        f"Digits, 3 regularities × 5 discovery rates × 3 seeds, {found['runs']:,} runs of the methods that run once, from "
        f"an empty store with {found['workers']} workers: **{found['minutes']:.1f} minutes** (asked {asked.asked}: "
        f"{asked.verdict}). Not in it: `rem_tuned`, `rem_discover` and `retrain_discover`, which run REM or retraining many "
        f"times (`benchmarks/plans/digits_searching.yaml`). Most time went into {parts} (seconds of one worker, all runs).",
        "",
    ]


def records(source: Path) -> list[str]:
    """A store with many runs, or that it has not been measured."""
    head = ["## Many records", ""]
    if not source.exists():
        return [*head, "Not measured yet; `python -m benchmarks run many_records` does that.", ""]
    found = json.loads(source.read_text())
    lines = [
        *head,
        f"A store with {found['runs']:,} runs of digits. Seconds of a processor, the least of {found['repeats']} repeats; "
        f"{found['note']}.",
        "",
        "| What | Seconds | Asked | |",
        "|---|---|---|---|",
    ]
    for name, value in found["measured"].items():
        most = found["asked"].get(name)
        asked = Target(name, "", value, None) if most is None else Target.at_most(value, most)
        lines.append(f"| {MANY[name]} | {value:.2f} | {asked.asked} | {asked.verdict} |")
    return [*lines, ""]


def profile(found: dict[str, Any]) -> list[str]:
    lines = [
        "## Where the time goes",
        "",
        "One training epoch, one round of REM (its reference losses, which later rounds share, included) and one evaluation, "
        "one thread, noise images: 1,437 of 8×8, 1,536 of 32×32. Shares are of the operators' own time.",
        "",
        "| Work | Seconds | Most of it |",
        "|---|---|---|",
    ]
    for name, row in found["work"].items():
        parts = ", ".join(
            f"{part['operator'].removeprefix('aten::')} {part['share']:.0%}"
            for part in row["operators"]
            if part["share"] >= 0.05
        )
        lines.append(f"| {name} | {row['seconds']:.3f} | {parts} |")
    return [*lines, ""]


def main() -> None:
    bench, time_goes = read("bench"), read("where_time_goes")
    where = bench["environment"]
    text = [
        "# Performance",
        "",
        "Ratios are measured in one process, the two sides alternating, and their median is given with the smallest and the "
        f"largest repeat. {bench['repeats']} repeats, {where['device_name']}, torch {where['torch']}, two cores, nothing else "
        "running.",
        "",
        "```sh",
        "python -m unlearn_core bench --repeats 3 --out benchmarks/results/bench.json",
        "python -m benchmarks run teaching_grid",
        "python -m benchmarks run where_time_goes",
        "python -m benchmarks run ways",
        "python -m benchmarks run many_records --out benchmarks/results/many_records.json",
        "python -m benchmarks run browser_speed > benchmarks/results/browser_speed.json",
        "python -m benchmarks report performance",
        "```",
        "",
    ]
    for section in TITLES:
        rows = [row for row in bench["measurements"] if row["section"] == section]
        if rows:
            text += measurements(rows, section)
    text += grid(RESULTS / "teaching_grid.json") + records(RESULTS / "many_records.json")
    text += in_browser.section(RESULTS / "browser_speed.json") + profile(time_goes)
    text += [*ways.section(RESULTS / "ways.json"), *LESSONS, *gpu.section()]
    PAGE.write_text("\n".join(text))
    print(f"{PAGE.name} written")
