"""The two tables of docs/discovery.md: what ``discovery_digits`` and ``discovery_ranking`` measure.

python -m benchmarks report discovery
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.rows import Row, mean, pick
from benchmarks.report.sections import write_section

PAGE = DOCS / "discovery.md"
START = "<!-- written by benchmarks report discovery -->"
RANKING, END_OF_RANKING = "<!-- ranking, written by benchmarks report discovery -->", "<!-- end of ranking -->"
MEASURES = ("auc", "average_precision", "precision_at_k")


def discovery_table(rows: Sequence[Row]) -> list[str]:
    """Markdown: one line for each task and discovery rate that ``rem_discover`` was run on."""
    head = "task|discovery|healed, `rem`|healed, `rem_discover`|utility|added|of these corrupted|expected|found|seconds"
    lines = ["| " + head.replace("|", " | ") + " |", "|---" * 10 + "|"]
    done = pick(rows, method="rem_discover")
    for section, task, rate in dict.fromkeys((row["section"], row["task"], row["discovery"]) for row in done):
        here = pick(done, section=section, task=task, discovery=rate)
        before = pick(rows, section=section, task=task, discovery=rate, method="rem")
        cells = [
            task,
            f"{rate:g} ({here[0]['known']} known)",
            both(before, "healed"),
            both(here, "healed"),
            both(here, "utility"),
        ]
        cells.append(f"{mean(here, 'added')[0]:.0f}" if section == "clean" else
                     f"{mean(here, 'added')[0]:.0f} of {here[0]['undiscovered']}")  # fmt: skip
        cells += [f"{mean(here, key)[0]:.2f}" for key in ("precision", "expected_precision", "recall")]
        lines.append("| " + " | ".join([*cells, f"{mean(here, 'seconds')[0]:.0f}"]).replace("nan", "–") + " |")
    return lines


def both(rows: Sequence[Row], key: str) -> str:
    """Mean ± standard error in short."""
    middle, error = mean(rows, key)
    return f"{middle:.2f} ± {error:.2f}" if middle == middle else "–"


def ranking_table(entries: Sequence[Row]) -> list[str]:
    """Markdown: a row for each way, a column for each regularity, AUC / average precision / precision at |C \\ F|."""
    regularity = sorted({entry["regularity"] for entry in entries})
    ways = list(dict.fromkeys(entry["way"] for entry in entries))
    lines = ["| ranking | " + " | ".join(f"r {r:g}" for r in regularity) + " |", "|---" * (1 + len(regularity)) + "|"]
    by: dict[tuple[Any, Any], Row] = {(entry["way"], entry["regularity"]): entry for entry in entries}
    for way in ways:
        cells = [" / ".join(f"{by[way, r][name]:.3f}" for name in MEASURES) for r in regularity]
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    write_section(PAGE, START, discovery_table(json.loads((RESULTS / "discovery_digits.json").read_text())["rows"]))
    ranking = json.loads((RESULTS / "discovery_ranking.json").read_text())["summary"]
    write_section(PAGE, RANKING, ranking_table(ranking), END_OF_RANKING)
