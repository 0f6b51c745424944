"""The tables of docs/kinds.md: what kinds of corruption there are, and what ``kinds`` measured on them.

python -m benchmarks report kinds
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.rows import Row, mean, pick
from benchmarks.report.sections import markdown_table, write_section
from unlearn_core.corruption import registry as corruptions
from unlearn_core.corruption import trigger_kinds

PAGE = DOCS / "kinds.md"
PATH = RESULTS / "kinds.json"
KINDS, END_OF_KINDS = "<!-- kinds, written by benchmarks report kinds -->", "<!-- end of kinds -->"
MEASURED, END_OF_MEASURED = "<!-- measured, written by benchmarks report kinds -->", "<!-- end of measured -->"
NOT_YET: Final = "Its results are not there yet."
MEASURES: Final = (
    ("attack_success", "Attack success on test images, in brackets the utility lost against the original"),
    ("healed", "Healed, in brackets utility; “–”: nothing that could heal"),
    ("worst_group", "Worst-group accuracy, in brackets utility (the test images carry no attribute)"),
    ("attack_success_hidden", "Attack success of the triggers of which F holds nothing, in brackets of those it knows"),
)
BESIDE: Final = {"attack_success_hidden": "attack_success_known"}


def kind_tables() -> list[str]:
    """Markdown: every kind of corruption, and every kind of trigger."""
    head = ["`corruption.kind`", "what it is", "labels", "amount", "on the dial", "parameters", "source"]
    rows = [
        (
            f"`{part.name}`",
            part.summary,
            "right" if part.labels_right else "wrong",
            "its own" if part.own_amount else "as asked",
            "–" if part.place is None else f"{part.place:g}",
            _parameters(part),
            part.paper or "–",
        )
        for part in corruptions
        if corruptions.plugin_of(part.name) is None
    ]
    triggers = [(f"`{kind.name}`", kind.summary, _parameters(kind), kind.paper or "–") for kind in trigger_kinds]
    return [*markdown_table(head, rows), *markdown_table(["`trigger.kind`", "what it is", "parameters", "source"], triggers)]


def measured_tables(rows: Sequence[Row]) -> list[str]:
    """Markdown: one table for each of :data:`MEASURES`, a row for each task that it has a meaning for."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    seeds = sorted({row["seed"] for row in rows})
    lines = ["", f"Seeds: {', '.join(map(str, seeds))}. An empty cell was not run.", ""]
    for name, words in MEASURES:
        tasks = [task for task in dict.fromkeys(row["task"] for row in rows) if _shown(pick(rows, task=task), name)]
        if tasks:
            body = [_line(pick(rows, task=task), task, name, methods) for task in tasks]
            lines += [f"{words}:", "", *markdown_table(["kind", "measured regularity", *methods], body)]
    return lines


def _shown(rows: Sequence[Row], name: str) -> bool:
    """Whether a table has a row for this task: of triggers attack success says more than what healed."""
    there = [measure for measure, _ in MEASURES if any(row.get(measure) is not None for row in rows)]
    return name in there and not (name == "healed" and {"attack_success", "worst_group"} & set(there))


def _line(rows: Sequence[Row], task: str, name: str, methods: Sequence[str]) -> list[str]:
    before = mean(pick(rows, method="original"), "utility")[0]
    cells = [task, _number(mean(rows, "measured_regularity")[0])]
    for method in methods:
        here = pick(rows, method=method)
        value, utility = mean(here, name)[0], mean(here, "utility")[0]
        beside = before - utility if name == "attack_success" else mean(here, BESIDE.get(name, "utility"))[0]
        cells.append(f"{_number(value)} ({_number(beside)})" if here else "")
    return cells


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00") if value == value else "–"


def _parameters(part: Any) -> str:
    fields = part.Params.model_fields
    return ", ".join(f"`{name}`" for name, field in fields.items() if name != "content") or "–"


def main() -> None:
    write_section(PAGE, KINDS, ["", *kind_tables()], END_OF_KINDS)
    rows = json.loads(PATH.read_text())["rows"] if PATH.exists() else []
    write_section(PAGE, MEASURED, measured_tables(rows) if rows else ["", NOT_YET, ""], END_OF_MEASURED)
