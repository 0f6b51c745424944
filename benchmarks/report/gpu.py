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

SOURCE = RESULTS / "gpu.json"
FIRST = (0.1, 0.5, 1.0)
PUBLISHED = {"rem": 0.734, "npo": 0.564, "retrain": 0.485, "potion": 0.362}
"""H×U of arXiv:2505.17730's secondary tables for what runs here as it ran there: means over ten discovery rates. Its SCRUB and
its bad teacher start from example-tied dropout."""
CELLS_OF_THE_PAPER, SEEDS = 30, 3
GRID = ("rem", "rem_no_redirect", "retrain", "npo", "scrub", "potion", "bad_teacher")
"""What the grid consists of: its hours are told without what was not measured, and judged with all of it."""
EPOCH, REM, PEAK, STACKED, HOURS = 0.5, 8.0, 0.5, 10.0, 2.0
BASE_FITS, BASE_UTILITY, REM_SCORE = 0.97, 0.90, 0.734


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
    lines += ["", *_agreement(results), *_speed(results, found["rows"]), *_chosen(results), *_cells(found["rows"])]
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


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows), ""]


def _agreement(results: dict[str, Any]) -> list[str]:
    found = results.get("agree")
    if found is None:
        return []
    words = {True: "within", False: "**beyond**"}
    rows = [
        [name, f"{found['difference'][name]:.1e}", f"{limit:.0e}", words[found["within"][name]]]
        for name, limit in found["tolerance"].items()
    ]
    verdict = "agree" if found["agrees"] else "**do not agree**"
    usual = "agree with plain ones; they are off unless you set `UNLEARN_CUDA_GRAPHS=1`"
    graphs = usual if found["graphs_agree"] else "**do not agree** with plain ones and were not used"
    return [
        f"Processor and GPU {verdict} on a small cell, from the first weights to REM's model; recorded training steps {graphs}."
        " ‖difference‖ / ‖value‖ of the logits (of the gradient):",
        "",
        *_table(["What", "Difference", "Tolerance", ""], rows),
    ]


def _verdict(met: bool) -> str:
    return "reached" if met else "**missed**"


def _speed(results: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    if peak := results.get("speed/peak"):
        told = f"{peak['flops'] / 1e12:.0f} TFLOP/s; a copy moves {peak['bytes_per_second'] / 1e12:.2f} TB/s"
        lines.append(["product of bf16 matrices (the peak)", told, "", ""])
    lines += _epochs(results)
    if rem := results.get("speed/rem"):
        name, met = f"REM, {rem['rounds']} rounds, {rem['steps']} steps", rem["seconds"] <= REM
        lines.append([name, f"{rem['seconds']:.1f} s", f"≤ {REM:g} s", _verdict(met)])
    if stacked := results.get("speed/small/stacked"):
        lines.append(_stacked(stacked))
    if hours := grid_hours(results, rows):
        here = {row["method"] for row in rows if row["values"] == "paper"}
        missing = [name for name in GRID if name not in here]
        told = f"{hours:.1f} h" + (f", without {', '.join(missing)}" if missing else "")
        met = "not whole" if missing else _verdict(hours <= HOURS)
        lines.append(["the paper's grid, from measured runs", told, f"≤ {HOURS:g} h", met])
    return _table(["What", "Measured", "Asked", ""], lines) if lines else []


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
        met = dict.fromkeys(_verdict(met) for met in (value["epoch_seconds"] <= EPOCH, (share or 0) >= PEAK))
        lines.append([f"epoch of ResNet-9, {name}", told, f"≤ {EPOCH:g} s, ≥ {PEAK:.0%}", ", ".join(met)])
    return lines


def _stacked(found: dict[str, Any]) -> list[str]:
    best = max(found["stacks"], key=lambda stack: stack["steps_per_second"])
    words = {"times_plain": "plain ones", "times_graph": "recorded ones"}
    times = [f"{found[key]:.1f} times {word}" for key, word in words.items() if key in found]
    told = f"{best['steps_per_second']:,.0f} steps a second; {' and '.join(times)}, one after the other"
    met = all(found.get(key, 0) >= STACKED for key in words)
    return [f"{best['networks']} digits CNNs stacked", told, f"≥ {STACKED:g} times", _verdict(met)]


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


def recipe_words(recipe: dict[str, Any]) -> str:
    """A training recipe of the plan, in words."""
    crop = recipe.get("crop", 4)  # what is usual is not written
    moved = f"crops of {crop} and flips" if crop else "flips"
    fall = {0.0: "to 0", 0.2: "to a fifth"}.get(recipe["final"], f"to {recipe['final']:g} of it")
    return f"learning rate {recipe['learning_rate']:g}, falling {fall}; {moved if recipe['augment'] else 'images as they are'}"


def _cells(rows: list[dict[str, Any]]) -> list[str]:
    """The cells of every recipe that originals were trained with."""
    if not rows:
        return []
    by_recipe: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_recipe.setdefault(recipe_words(row["recipe"]), []).append(row)
    return [
        "The paper's cells: ResNet-9's restricted base, 50,000 JPEGs of CIFAR-10, 1,000 corrupted; regularity 0, 0.5, 1 × "
        "discovery 0.1, 0.5, 1 as far as the time went; mean ± standard error over cells and seeds. The published means are "
        "over ten discovery rates, of a base that fits 0.99; the oracle knows everything and is run once a regularity.",
        "",
        *(line for words, mine in by_recipe.items() for line in (f"Base trained with {words}:", "", *_of_one_recipe(mine))),
    ]


def _of_one_recipe(rows: list[dict[str, Any]]) -> list[str]:
    """Means over the nine first cells, and REM's cells one by one."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row["discovery"] is None or row["discovery"] in FIRST:
            groups.setdefault((row["method"], row["values"]), []).append(row)
    table = [_group(method, values, mine) for (method, values), mine in groups.items()]
    if not table:
        return []
    head = ["Method", "Values", "Cells", "Seeds", "Memorised", "Healed", "Utility", "Healed × utility", "Published", "Seconds"]
    return [
        *_table(head, table),
        *(line for values in ("paper", "tuned") for line in _rem_by_cell(groups.get(("rem", values), []), values)),
    ]


def _group(method: str, values: str, rows: list[dict[str, Any]]) -> list[str]:
    """One line of the table: means of a method's runs with one set of values."""
    published = PUBLISHED.get(method) if values == "paper" else None
    cells = {(row["regularity"], row["discovery"]) for row in rows}
    seeds = {row["seed"] for row in rows}
    numbers = [_mean(row[name] for row in rows) for name in ("memorised", "healed", "utility", "healed_x_utility")]
    spent = statistics.fmean(row["seconds"] for row in rows)
    beside = "" if published is None else f"{published:.3f}"
    return [f"`{method}`", values, str(len(cells)), str(len(seeds)), *numbers, beside, f"{spent:.1f}"]


def _mean(values: Any) -> str:
    numbers = [value for value in values if value is not None]
    if not numbers:
        return ""
    error = f" ± {statistics.stdev(numbers) / len(numbers) ** 0.5:.3f}" if len(numbers) > 1 else ""
    return f"{statistics.fmean(numbers):.3f}{error}"


def _rem_by_cell(rows: list[dict[str, Any]], values: str) -> list[str]:
    if not rows:
        return []
    scores = [row["healed_x_utility"] for row in rows]
    cells = {(row["regularity"], row["discovery"]) for row in rows}
    words = {"paper": "the paper's values", "tuned": "its tuned values"}[values]
    told = f"`rem` with {words}: {statistics.fmean(scores):.3f} over {len(cells)} of 9 cells (asked ≥ {REM_SCORE:g}"
    met = f": {_verdict(statistics.fmean(scores) >= REM_SCORE)})" if len(cells) == 9 else ")"
    table = [
        [
            f"{r:g}",
            *(_mean(row["healed_x_utility"] for row in rows if (row["regularity"], row["discovery"]) == (r, d)) for d in FIRST),
        ]
        for r in sorted({row["regularity"] for row in rows})
    ]
    return [
        told + met + ". Healed × utility by regularity and discovery:",
        "",
        *_table(["", *(f"{d:g}" for d in FIRST)], table),
    ]


def _chosen(results: dict[str, Any]) -> list[str]:
    """What REM's values for this size were chosen from."""
    found = results.get("choose/rem")
    if found is None:
        return []

    def said(change: dict[str, Any]) -> str:
        return ", ".join(f"{name} {value}" for name, value in change.items()) or "the preset's own"

    rows = [
        [
            said(one["change"]) + (" (taken)" if one["change"] == found["params"] else ""),
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
        *_table(["In place of the preset's values", "Held-out half healed", "Retain accuracy", "Score", "Seconds"], rows),
    ]


def _originals(results: dict[str, Any]) -> list[str]:
    found = {key: value for key, value in results.items() if key.endswith("/original")}
    if not found:
        return []
    fits, utility, spent = (
        statistics.fmean(value[name] for value in found.values()) for name in ("memorised", "utility", "training_seconds")
    )
    return [
        f"Originals: {len(found)} trained, memorised share {fits:.3f} (asked ≥ {BASE_FITS:g}: {_verdict(fits >= BASE_FITS)}), "
        f"utility {utility:.3f} (asked ≥ {BASE_UTILITY:g}: {_verdict(utility >= BASE_UTILITY)}), {spent:.1f} s each.",
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
        *_table(["Learning rate; augmentation", "Memorised", "Utility", "Seconds"], rows),
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
