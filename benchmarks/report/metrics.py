"""Write the list of all metrics in docs/metrics.md: formula, direction, split, source.

python -m benchmarks report metrics
"""

from __future__ import annotations

from benchmarks.paths import DOCS
from benchmarks.report.sections import write_section
from benchmarks.report.site.metrics import DIRECTIONS, OWN, notes
from benchmarks.report.site.text import prose, table
from unlearn_core.evaluation import registry

PAGE = DOCS / "metrics.md"
START, END = "<!-- metrics -->\n", "<!-- end of metrics -->"


def lines() -> list[str]:
    """The table, from what the metrics say of themselves and the sources of their pages."""
    rows = [
        (
            f"{prose(metric.label)} (`{metric.name}`)",
            f"{prose(metric.formula[0].upper() + metric.formula[1:])}",
            DIRECTIONS[metric.direction].removesuffix(" is better"),
            prose(metric.split),
            prose(notes()["sources"].get(metric.name, OWN)),
        )
        for metric in registry
        if metric.__module__.startswith("unlearn_core.")
    ]
    return table(("metric", "formula", "better", "measured on", "source"), rows)


def main() -> None:
    write_section(PAGE, START, lines(), END)
