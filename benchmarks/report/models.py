"""The tables of docs/models.md: ``foreign_rates``, rates that fit a network from elsewhere, and ``training_on``.

python -m benchmarks report models
"""

from __future__ import annotations

import json
import statistics
from typing import Any

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.sections import markdown_table, write_section

PAGE = DOCS / "models.md"
START, RATES = "<!-- written by benchmarks report models -->", "<!-- rates, written by benchmarks report models -->"
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


def rates(content: dict[str, Any]) -> list[str]:
    """Each method at its preset's rate and at the fitted one."""
    said, (before, *rows) = content["provenance"], content["rows"]
    found = {(row["method"], row["fitted"]): row for row in rows}
    lines = [
        f"Measured on torchvision's {said['architecture']}, trained by a plain script on {said['images']:,} photographs of "
        f"CIFAR-10 ({said['classes']} classes, {said['side']}×{said['side']} pixels, {said['epochs']} epochs), "
        f"{said['amount']} labels of two classes confused and {said['discovery']:.0%} of these known; utility before "
        f"{before['utility']:.2f}; one seed (`python -m benchmarks run foreign_rates`):",
        "",
    ]
    head = ("method", "preset's rate", "healed", "utility", "fitted rate", "healed", "utility", "")
    table = []
    for name in dict.fromkeys(row["method"] for row in rows):
        if (name, True) in found:
            plain, fitted = found[name, False], found[name, True]
            cells = [f"{row['rate']:g} | {row['healed']:.2f} | {row['utility']:.2f}" for row in (plain, fitted)]
            table.append((f"`{name}`", *cells, "left as it was" if fitted["stopped"] else ""))
    lowered = [name for (name, fitted), row in found.items() if fitted and row["rate"] != found[name, False]["rate"]]
    verdict = f"Lowered for {', '.join(lowered)}." if lowered else "No preset's rate was too high here; all were kept."
    judged = (
        "Where the rate is the same, the two runs differ in that the fitted one leaves out the tenth on which it is judged."
    )
    left = [f"`{name}`" for name in said["asked"] if (name, True) not in found]
    rest = f" Not run: {', '.join(left)}." if left else ""
    return [*lines, *markdown_table(head, table), f"{verdict} {judged}{rest}", ""]


def main() -> None:
    if (source := RESULTS / "foreign_rates.json").exists():
        write_section(PAGE, RATES, ["", *rates(json.loads(source.read_text()))])
    content = json.loads((RESULTS / "training_on.json").read_text())
    write_section(PAGE, START, ["", *table(content["rows"], content["provenance"]["epochs"]), ""])
