"""What the documents say of a GPU, from ``benchmarks/results/gpu.json``; "not measured" as long as there is no such file.

    python -m benchmarks report gpu [FILE]

prints the section; ``benchmarks.report.performance`` puts it into docs/performance.md.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.paths import RESULTS
from benchmarks.report.gpu_cells import cells_of_the_paper
from benchmarks.report.sections import markdown_table
from benchmarks.target import Target

SOURCE = RESULTS / "gpu.json"
CELLS_OF_THE_PAPER, SEEDS = 30, 3
GRID = ("rem", "rem_no_redirect", "retrain", "npo", "scrub", "potion", "bad_teacher")
"""What the grid consists of: its hours are told without what was not measured, and judged with all of it."""
EPOCH, REM, PEAK, STACKED, HOURS = 0.5, 8.0, 0.5, 10.0, 2.0
BASE_FITS, BASE_UTILITY = 0.97, 0.90


def section(path: Path = SOURCE) -> list[str]:
    """Lines of Markdown, with the heading."""
    if not path.exists():
        return ["## On a GPU", "", *_not_measured()]
    found = json.loads(path.read_text())
    results = {entry["key"]: entry["result"] for entry in found["items"] if entry["status"] == "done" and "result" in entry}
    about = found["about"]
    lines = ["## On a GPU", "", f"{about['device']}, torch {about['torch']}, Python {about['python']}."]
    if found["settings"]["scale"] != 1 or found["settings"]["device"] != "cuda":
        part = f"{found['settings']['scale']:g} of everything, on {found['settings']['device']}"
        lines += ["", f"**A trial of the command ({part}): these numbers say nothing about a GPU.**"]
    lines += ["", *_agreement(results), *_speed(results, found["rows"]), *_chosen(results), *cells_of_the_paper(found["rows"])]
    return [*lines, *_originals(results), *_recipes(results), *_missing(found), *_calls(found["calls"])]


def _not_measured() -> list[str]:
    return [
        "Not measured: no GPU was at hand, and the core has not run on one. `python -m benchmarks run gpu` measures everything "
        "asked for in one call (benchmarks/measure/gpu/README.md); a test runs it on a processor with a small part of "
        "everything. "
        "Asked for are an epoch of ResNet-9 at full width (50,000 images of 32×32, batch 512, bf16) in at most "
        f"{EPOCH:g} s, at least {PEAK:.0%} of the measured peak in the training step, REM with 10 rounds in at most {REM:g} s, "
        f"small networks stacked at least {STACKED:g} times as quick as one after the other, and the paper's grid in at most "
        f"{HOURS:g} hours. Until then training steps are replayed as CUDA graphs only where you set `UNLEARN_CUDA_GRAPHS=1`.",
        "",
    ]


def _agreement(results: dict[str, Any]) -> list[str]:
    found = results.get("agree")
    if found is None:
        return []
    words = {True: "within", False: "**beyond**"}
    rows = [
        [name, f"{found['difference'][name]:.1e}", f"{limit:.0e}", words[found["within"][name]]]
        for name, limit in found["tolerance"].items()
    ]
    word = "agree" if found["agrees"] else "**do not agree**"
    usual = "agree with plain ones; they are off unless you set `UNLEARN_CUDA_GRAPHS=1`"
    graphs = usual if found["graphs_agree"] else "**do not agree** with plain ones and were not used"
    return [
        f"Processor and GPU {word} on a small cell, from the first weights to REM's model; recorded training steps {graphs}."
        " ‖difference‖ / ‖value‖ of the logits (of the gradient):",
        "",
        *markdown_table(["What", "Difference", "Tolerance", ""], rows),
    ]


def _speed(results: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    if peak := results.get("speed/peak"):
        told = f"{peak['flops'] / 1e12:.0f} TFLOP/s; a copy moves {peak['bytes_per_second'] / 1e12:.2f} TB/s"
        lines.append(["product of bf16 matrices (the peak)", told, "", ""])
    lines += _epochs(results)
    if rem := results.get("speed/rem"):
        asked = Target.at_most(rem["seconds"], REM, f"REM, {rem['rounds']} rounds, {rem['steps']} steps", " s")
        lines.append([asked.name, f"{rem['seconds']:.1f} s", asked.asked, asked.verdict])
    if stacked := results.get("speed/small/stacked"):
        lines.append(_stacked(stacked))
    if hours := grid_hours(results, rows):
        here = {row["method"] for row in rows if row["values"] == "paper"}
        missing = [name for name in GRID if name not in here]
        told = f"{hours:.1f} h" + (f", without {', '.join(missing)}" if missing else "")
        asked = Target.at_most(hours, HOURS, "the paper's grid, from measured runs", " h")
        lines.append([asked.name, told, asked.asked, "not whole" if missing else asked.verdict])
    return markdown_table(["What", "Measured", "Asked", ""], lines) if lines else []


def _epochs(results: dict[str, Any]) -> list[list[str]]:
    """A line for every way of training an epoch."""
    ways = {key.removeprefix("speed/epoch/"): value for key, value in results.items() if key.startswith("speed/epoch/")}
    compiled = ways.pop("compiled", {})
    ways |= {f"compiled, {name}": compiled[name] for name in ("plain", "graph") if name in compiled}
    lines = []
    for name, value in ways.items():
        share = _share(value, results)
        told = f"{value['epoch_seconds']:.3f} s, step {1000 * value['step_seconds']:.2f} ms"
        told += "" if share is None else f", {share:.0%} of the peak"
        met = dict.fromkeys(
            asked.verdict for asked in (Target.at_most(value["epoch_seconds"], EPOCH), Target.at_least(share or 0.0, PEAK))
        )
        lines.append([f"epoch of ResNet-9, {name}", told, f"≤ {EPOCH:g} s, ≥ {PEAK:.0%}", ", ".join(met)])
    return lines


def _stacked(found: dict[str, Any]) -> list[str]:
    best = max(found["stacks"], key=lambda stack: stack["steps_per_second"])
    words = {"times_plain": "plain ones", "times_graph": "recorded ones"}
    times = [f"{found[key]:.1f} times {word}" for key, word in words.items() if key in found]
    told = f"{best['steps_per_second']:,.0f} steps a second; {' and '.join(times)}, one after the other"
    asked = Target.at_least(min(found.get(key, 0.0) for key in words), STACKED, unit=" times")
    return [f"{best['networks']} digits CNNs stacked", told, asked.asked, asked.verdict]


def _share(value: dict[str, Any], results: dict[str, Any]) -> float | None:
    ceiling = results.get("speed/peak")
    return None if ceiling is None else float(value["step_flops"] / value["step_seconds"] / ceiling["flops"])


def grid_hours(results: dict[str, Any], rows: list[dict[str, Any]]) -> float | None:
    """Hours of three seeds of thirty cells, from the mean seconds of what was measured of each method with its paper's values;
    None where nothing of REM was. Methods that were not reached are not in it."""
    spent: dict[str, list[float]] = {}
    for row in rows:
        if row["values"] == "paper" and row["method"] != "oracle_retrain":
            spent.setdefault(row["method"], []).append(row["seconds"])
    training = [value["training_seconds"] for key, value in results.items() if key.endswith("/original")]
    if "rem" not in spent or not training:
        return None
    cells = sum(statistics.fmean(values) for values in spent.values()) * CELLS_OF_THE_PAPER * SEEDS
    return (cells + statistics.fmean(training) * 3 * SEEDS) / 3600


def _chosen(results: dict[str, Any]) -> list[str]:
    """What REM's values for this size were chosen from."""
    found = results.get("choose/rem")
    if found is None:
        return []

    def said(one: dict[str, Any]) -> str:
        whose = {"paper": "the paper's", "tuned": "the preset's own"}[one.get("values", "tuned")]
        return ", ".join([whose, *(f"{name} {value}" for name, value in one["change"].items())])

    best = max(found["tried"], key=lambda one: one["score"])

    rows = [
        [
            said(one) + (" (taken)" if one is best else ""),
            " / ".join(f"{value:.2f}" for value in one["held_out"]),
            " / ".join(f"{value:.2f}" for value in one["retain"]),
            f"{one['score']:.3f}",
            f"{one['seconds']:.1f}",
        ]
        for one in found["tried"]
    ]
    return [
        f"REM's tuned values here, from seed {found['seed']}: half of the known tenth is left in the retain set, at the lowest "
        "and the highest regularity; neither ground truth nor test data is looked at.",
        "",
        *markdown_table(["Values", "Held-out half healed", "Retain accuracy", "Score", "Seconds"], rows),
    ]


def _originals(results: dict[str, Any]) -> list[str]:
    found = {key: value for key, value in results.items() if key.endswith("/original")}
    if not found:
        return []
    memorised, useful, spent = (
        statistics.fmean(value[name] for value in found.values()) for name in ("memorised", "utility", "training_seconds")
    )
    fits, utility = Target.at_least(memorised, BASE_FITS), Target.at_least(useful, BASE_UTILITY)
    return [
        f"Originals: {len(found)} trained, memorised share {memorised:.3f} (asked {fits.asked}: {fits.verdict}), "
        f"utility {useful:.3f} (asked {utility.asked}: {utility.verdict}), {spent:.1f} s each.",
        "",
    ]


def _recipes(results: dict[str, Any]) -> list[str]:
    """What the base learned by heart with which recipe."""
    found = {key.removeprefix("recipes/"): value for key, value in results.items() if key.startswith("recipes/")}
    if not found:
        return []
    rows = [
        [name, f"{value['memorised']:.3f}", f"{value['utility']:.3f}", f"{value['seconds']:.1f}"]
        for name, value in found.items()
    ]
    return [
        "Recipes of 4,018 steps for the base, random labels, seed 0:",
        "",
        *markdown_table(["Learning rate; augmentation", "Memorised", "Utility", "Seconds"], rows),
    ]


def _calls(calls: Sequence[dict[str, Any]]) -> list[str]:
    """What was particular about a call, where something was noted."""
    told = [f"{call['call']}: {call['note']} (commit {call['commit']})." for call in calls if "note" in call]
    return [f"Calls. {' '.join(told)}", ""] if told else []


def _missing(found: dict[str, Any]) -> list[str]:
    failed = [
        f"{entry['key']} ({entry.get('error', entry['status'])})"
        for entry in found["items"]
        if entry["status"] in ("failed", "out of time")
    ]
    lines = [f"Failed or cut off: {'; '.join(failed)}.", ""] if failed else []
    return lines + (
        [f"Not reached in the time there was: {len(found['left'])} items of the plan.", ""] if found["left"] else []
    )


def main() -> None:
    print("\n".join(section(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE)))
