"""The table of docs/reliability.md on the soak: faults × outcomes, counted over all nights that ``run soak`` was run.

python -m benchmarks report soak
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.measure.soak.command import FAULTS
from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.sections import markdown_table, write_section

PAGE = DOCS / "reliability.md"
START, END = "<!-- soak, written by benchmarks report soak -->", "<!-- end of soak -->"
HEAD = (
    "what happens",
    "times",
    "rounds",
    "given again",
    "stored and then missing",
    "different results",
    "processes left",
    "files, failures, folders left",
    "tracebacks",
)
LEFT = ("files_left_over", "failures_left_over", "leases_left_over", "scratch_left_over", "rows_dropped")


def soak_table(found: Mapping[str, Any]) -> list[str]:
    """What was done in all, and a line for each fault that was."""
    rounds, earlier = found["rounds"], found["earlier"]
    times = sum(one["times"] for one in rounds)
    kinds = [fault for fault in FAULTS if any(one["fault"] == fault.name for one in rounds)]
    before = earlier["kills"]
    minutes = sum(one["seconds"] for one in rounds) / 60
    told = (
        f"{len(rounds)} rounds with {times} strikes in {minutes:.0f} minutes. An earlier form of this measurement, which mixed "
        f"three of them on {earlier['plans']} plans, had {sum(before.values())} kills before: {before['worker']} of a worker, "
        f"{before['scheduler']} of the scheduler, {before['command']} of the command, in {earlier['seconds'] / 60:.0f} min, "
        f"with {_count(earlier, 'lost')} records lost and {_count(earlier, 'different')} of {earlier['records']} different."
    )
    return [told, "", *markdown_table(HEAD, [line(fault.words, rounds, fault.name) for fault in kinds])]


def line(words: str, rounds: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """The counts of one fault. "given again": how often the program ended before it was done."""
    mine = [one for one in rounds if one["fault"] == name]
    left = sum(_count(one, what) for one in mine for what in LEFT)
    sums = [sum(_count(one, what) for one in mine) for what in ("lost", "different", "survivors")]
    counts = [sum(one["times"] for one in mine), len(mine), sum(one["again"] for one in mine), *sums, left]
    return [words, *map(str, counts), str(sum(one["tracebacks"] for one in mine))]


def _count(one: Mapping[str, Any], what: str) -> int:
    found = one[what]
    return len(found) if isinstance(found, list) else int(found)


def main() -> None:
    found = json.loads((RESULTS / "soak.json").read_text(encoding="utf-8"))
    write_section(PAGE, START, soak_table(found), END)
