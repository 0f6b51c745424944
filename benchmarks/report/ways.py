"""Ways to be faster that were tried, what each was worth on a processor, and what became of it."""

from __future__ import annotations

import json
from pathlib import Path

WAYS = {
    "a": (
        "Several seeds of a small network in one stacked training",
        "not kept: torch's convolutions beat products of many small matrices on a processor, where nothing is saved by "
        "launching less; on a GPU it pays, below",
    ),
    "b": (
        "Batch norm of base and redirect channels in one call",
        "kept for every network but the digits CNN: the two differ in the last digits, and its published numbers were "
        "computed apart; changing it is a new revision of REM and of every row of it",
    ),
    "c": (
        "`torch.compile`, where a compiler is there",
        "not kept: every process compiles for longer than the small network trains in all, and the larger one gains nothing",
    ),
    "d": (
        "bfloat16 on processors that have instructions for it",
        "kept, as a switch: `--set training.precision=bfloat16` ([data.md](data.md#presets)); other numbers, other keys",
    ),
    "e": (
        "One evaluation for several networks, each batch made once",
        "not kept: making a batch is a small part of looking at it; what methods share of an original is computed once already",
    ),
}


def section(source: Path) -> list[str]:
    """The section of the page, or that nothing was measured."""
    head = ["## Ways that were tried", ""]
    if not source.exists():
        return [*head, "Not measured yet; `python -m benchmarks run ways` does that.", ""]
    rows = json.loads(source.read_text())["measurements"]
    lines = [
        *head,
        "Each against what is done without it, in one thread, alternating; below 1 it is slower (`benchmarks run ways`).",
        "",
        "| Way | On | Times faster | What became of it |",
        "|---|---|---|---|",
    ]
    for letter, (way, became) in WAYS.items():
        for row in (row for row in rows if row["section"] == letter):
            note = f"; {row['note']}" if row["note"] else ""
            span = f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
            lines.append(f"| {way} | {row['name']}{note} | {span} | {became} |")
            way, became = "", ""  # said once
    return [*lines, ""]
