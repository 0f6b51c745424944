"""The paper's cells as a GPU measured them, for the section that :mod:`benchmarks.report.gpu` writes."""

from __future__ import annotations

import math
import statistics
from typing import Any

from scipy import stats

from benchmarks.report.sections import markdown_table
from benchmarks.target import Target

FIRST = (0.1, 0.5, 1.0)
PUBLISHED = {"rem": 0.734, "npo": 0.564, "retrain": 0.485, "potion": 0.362}
"""H×U of arXiv:2505.17730's secondary tables for what runs here as it ran there: means over ten discovery rates. Its SCRUB and
its bad teacher start from example-tied dropout."""
REM_SCORE = 0.734


def cells_of_the_paper(rows: list[dict[str, Any]]) -> list[str]:
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


def recipe_words(recipe: dict[str, Any]) -> str:
    """A training recipe of the plan, in words."""
    crop = recipe.get("crop", 4)  # what is usual is not written
    moved = f"crops of {crop} and flips" if crop else "flips"
    fall = {0.0: "to 0", 0.2: "to a fifth"}.get(recipe["final"], f"to {recipe['final']:g} of it")
    return f"learning rate {recipe['learning_rate']:g}, falling {fall}; {moved if recipe['augment'] else 'images as they are'}"


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
        *markdown_table(head, table),
        *(line for values in ("paper", "tuned") for line in _rem_by_cell(groups.get(("rem", values), []), values)),
        *(line for values in ("paper", "tuned") for line in _channels(groups, values)),
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
    asked = Target.at_least(statistics.fmean(scores), REM_SCORE)
    told = f"`rem` with {words}: {asked.measured:.3f} over {len(cells)} of 9 cells (asked {asked.asked}"
    met = f": {asked.verdict})" if len(cells) == 9 else ")"
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
        *markdown_table(["", *(f"{d:g}" for d in FIRST)], table),
    ]


def _channels(groups: dict[tuple[str, str], list[dict[str, Any]]], values: str) -> list[str]:
    """What the redirect channels are worth: REM's healed × utility less that of the same steps without channels."""
    with_them, without = (
        {(row["regularity"], row["discovery"], row["seed"]): row["healed_x_utility"] for row in groups.get((name, values), [])}
        for name in ("rem", "rem_no_redirect")
    )
    pairs = {cell: score - without[cell] for cell, score in with_them.items() if cell in without}
    if len(pairs) < 2:
        return []
    mean, half = statistics.fmean(pairs.values()), _half_interval(list(pairs.values()))
    count = len({seed for _, _, seed in pairs})
    seeds = f"{count} seeds" if count > 1 else "one seed"
    words = {"paper": "the paper's values", "tuned": "each its tuned values"}[values]
    table = [
        [f"{r:g}", *(_mean(x for (a, b, _), x in pairs.items() if (a, b) == (r, d)) for d in FIRST)]
        for r in sorted({r for r, _, _ in pairs})
    ]
    return [
        f"`rem` less `rem_no_redirect`, {words}: {mean:+.3f}, 95 % interval {mean - half:+.3f} to {mean + half:+.3f} over "
        f"{len(pairs)} pairs of {seeds} (it tells how cells differ, not repetitions). By regularity and discovery:",
        "",
        *markdown_table(["", *(f"{d:g}" for d in FIRST)], table),
    ]


def _half_interval(values: list[float]) -> float:
    """Half of the 95 % interval of the mean, Student's t."""
    return float(stats.t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
