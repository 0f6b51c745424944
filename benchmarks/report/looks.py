"""The tables of docs/discovery.md on looks: what ``python -m benchmarks run looks`` measures.

python -m benchmarks report looks
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.rows import Row, mean, pick
from benchmarks.report.sections import markdown_table, write_section
from benchmarks.target import Target

PAGE = DOCS / "discovery.md"
START, END = "<!-- looks, written by benchmarks report looks -->", "<!-- end of looks -->"
ASKED = {(10, 0.0): 0.93, (20, 0.0): 0.95, (20, 0.05): 0.90}
"""(looks, slips) → healed that was asked for."""


def seeds_of(rows: Sequence[Row]) -> str:
    return ", ".join(str(seed) for seed in sorted({row["seed"] for row in rows}))


def number(rows: Sequence[Row], key: str) -> str:
    middle, error = mean(rows, key)
    if middle != middle:
        return "–"
    return f"{middle:.2f}" + (f" ± {error:.2f}" if error == error else "")


def ours_rows(rows: Sequence[Row]) -> Iterator[list[str]]:
    """One line for each data set, regularity, slip rate and number of looks."""
    corrupted = [row for row in rows if row["order"] == "ours" and row["regularity"] != "clean"]
    for dataset, regularity, slips, looks in dict.fromkeys(
        (row["dataset"], row["regularity"], row["slips"], row["looks"]) for row in corrupted
    ):
        here = pick(corrupted, dataset=dataset, regularity=regularity, slips=slips, looks=looks)
        least = ASKED.get((looks, slips))
        asked = None if least is None else Target.at_least(mean(here, "healed")[0], least)
        met = "" if asked is None else f"{asked.asked}: {asked.verdict}"
        kept = Target.at_least(mean(here, "utility")[0], mean(here, "original_utility")[0]).verdict
        yield [
            *(dataset, str(regularity), f"{slips:.0%}", str(looks), seeds_of(here)),
            *(f"{mean(here, 'known')[0]:.0f}", number(here, "precision"), number(here, "recall")),
            *(number(here, "healed"), met, f"{number(here, 'utility')} ({number(here, 'original_utility')}): {kept}"),
        ]


def other_rows(rows: Sequence[Row]) -> Iterator[list[str]]:
    """Recall and healed by order at each regularity, on the seeds that the other orders were run on."""
    others = [row for row in rows if row["order"] != "ours" and row["regularity"] != "clean"]
    for dataset, looks in dict.fromkeys((row["dataset"], row["looks"]) for row in others):
        here = pick(others, dataset=dataset, looks=looks)
        seeds = {row["seed"] for row in here}
        for order in dict.fromkeys(["ours", *(row["order"] for row in here)]):
            cells = []
            for regularity in dict.fromkeys(row["regularity"] for row in here):
                mine = pick(rows, dataset=dataset, regularity=regularity, order=order, looks=looks, slips=0.0)
                mine = [row for row in mine if row["seed"] in seeds]
                cells.append(f"{regularity}: {number(mine, 'recall')} ({number(mine, 'healed')})")
            yield [dataset, str(looks), order, ", ".join(map(str, sorted(seeds))), "; ".join(cells)]


def clean_rows(rows: Sequence[Row]) -> Iterator[list[str]]:
    """What ours says of data without corruption."""
    most = max((row["looks"] for row in rows), default=0)
    for row in rows:
        if row["regularity"] == "clean" and row["order"] == "ours" and row["looks"] == most:
            yield [row["dataset"], str(row["seed"]), f"{row['slips']:.0%}", str(row["looks"]), str(row["used"]),
                   str(row["known"]), row["sentence"]]  # fmt: skip


def intervals(rows: Sequence[Row]) -> str:
    """How often the number that is left lies in its interval."""
    told = [row for row in rows if row["order"] == "ours" and row.get("low") is not None and row["regularity"] != "clean"]
    inside = sum(row["low"] <= row["left"] <= row["high"] for row in told)
    words = Target.at_least(inside, 0.9 * len(told)).verdict if told else ""
    return f"What is left lies in the interval of 90 % that is said in {inside} of {len(told)} cases (asked: 9 of 10): {words}."


def tables(rows: Sequence[Row]) -> list[str]:
    """All of it in Markdown."""
    head = ["data", "r", "slips", "looks", "seeds", "known", "precision", "recall", "healed", "asked", "utility (original's)"]
    other = ["data", "looks", "order", "seeds", "r: recall (healed)"]
    clean = ["clean data", "seed", "slips", "looks", "used", "called wrong", "says"]
    lines = [*markdown_table(head, list(ours_rows(rows))), intervals(rows), ""]
    if found := list(other_rows(rows)):
        lines += markdown_table(other, found)
    if found := list(clean_rows(rows)):
        lines += markdown_table(clean, found)
    return lines


def print_rows(rows: Sequence[Row]) -> None:
    """The tables on the screen."""
    print("\n".join(tables(rows)))


def main() -> None:
    write_section(PAGE, START, tables(json.loads((RESULTS / "looks.json").read_text())["rows"]), END)
