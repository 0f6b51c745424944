"""The table of docs/models.md that ``training_on`` measures: what training a healed model further does to it.

python -m benchmarks report models
"""

from __future__ import annotations

import json
import statistics

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.sections import write_section

PAGE = DOCS / "models.md"
START = "<!-- written by benchmarks report models -->"
SHOWN = ("healed", "utility", "healed_x_utility", "attack_success")
Row = dict[str, float]


def table(rows: dict[str, list[Row]], epochs: int) -> list[str]:
    """The means over seeds as Markdown."""
    words = {
        "original": "original",
        "healed": "after REM",
        "trained_on": f"after REM and {epochs} epochs on everything, the known ones corrected",
        "trained_clean": f"after REM and {epochs} epochs without the corruption that was not known",
    }
    lines = [
        "| digits, regularity 1, 30 % known | healed | utility | healed × utility | attack success |",
        "|---|---|---|---|---|",
    ]
    for name, label in words.items():
        means = [statistics.mean(row[metric] for row in rows[name]) for metric in SHOWN]
        lines.append(f"| {label} | {' | '.join(f'{value:.3f}' for value in means)} |")
    return lines


def main() -> None:
    content = json.loads((RESULTS / "training_on.json").read_text())
    write_section(PAGE, START, ["", *table(content["rows"], content["provenance"]["epochs"]), ""])
