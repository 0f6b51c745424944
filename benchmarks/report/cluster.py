"""The tables of docs/cluster.md: what ``cluster_plan`` simulates, and what ``cluster_faults`` did to real processes.

python -m benchmarks report cluster
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.sections import markdown_table, write_section

PAGE = DOCS / "cluster.md"
START, END = "<!-- plans, written by benchmarks report cluster -->", "<!-- end of plans -->"
FAULTS_START, FAULTS_END = "<!-- faults, written by benchmarks report cluster -->", "<!-- end of faults -->"


def clock(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 120 else f"{seconds:.0f} s"


def plan_table(found: Mapping[str, Any]) -> list[str]:
    """A line for each plan and number of workers."""
    names = {
        "paper": ("The paper's grid", "GPUs"),
        "paper, part": ("of it one seed at discovery 0.1", "GPUs"),
        "digits": ("The headline on digits", "cores"),
    }
    rows = []
    for row in found["rows"]:
        ours, naive, lost = row["engine"], row["planned_order"], row["lost"]
        name, unit = names[row["plan"]]
        unit = unit.removesuffix("s") if row["workers"] == 1 else unit
        rows.append(
            [
                *(f"{name}, {found['plans'][row['plan']]['stages']:,} stages", f"{row['workers']} {unit}"),
                *(clock(ours["makespan"]), f"{ours['idle']:.1%}", clock(row["least"])),
                f"{clock(naive['makespan'])}, {naive['idle']:.1%}",
                f"+{clock(lost['makespan'] - ours['makespan'])}, {clock(lost['repeated'])} again",
            ]
        )
    head = ["plan", "on", "takes", "idle", "no order below", "in the plan's own order, idle", "a worker lost halfway"]
    return markdown_table(head, rows)


def fault_table(found: Mapping[str, Any]) -> list[str]:
    """A line for each kind of fault."""
    faults = found["faults"]
    lost = {name: f"{counts['lost']} records" if counts["lost"] else "nothing" for name, counts in faults.items()}
    rows = [[name, str(counts["times"]), lost[name]] for name, counts in faults.items()]
    events = sum(counts["times"] for counts in faults.values())
    rounds = f"{found['rounds']} rounds" if found["rounds"] > 1 else "1 round"
    about = (
        f"{rounds} of {found['stages']} stages on {found['workers']} workers, {events} events; rounds whose "
        f"results differ from those of an undisturbed run: {found['different']}."
    )
    return [about, "", *markdown_table(["event", "times", "lost of what was stored"], rows)]


def read(name: str) -> Mapping[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def lines_of(found: Mapping[str, Any] | None, table: Any, name: str) -> Sequence[str]:
    return [f"Not measured yet; `python -m benchmarks run {name}` does that.", ""] if found is None else table(found)


def main() -> None:
    write_section(PAGE, START, lines_of(read("cluster_plan"), plan_table, "cluster_plan"), END)
    write_section(PAGE, FAULTS_START, lines_of(read("cluster_faults"), fault_table, "cluster_faults"), FAULTS_END)
