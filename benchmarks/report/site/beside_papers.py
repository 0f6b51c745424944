"""What publications report of a method, beside what is measured here."""

from __future__ import annotations

import functools
import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.paths import RESULTS
from benchmarks.report.gpu_cells import FIRST
from benchmarks.report.site import gallery
from benchmarks.report.site.text import mean_and_error, prose, table

SOURCE = Path(__file__).with_name("published.yaml")
GPU = RESULTS / "gpu.json"
BESIDE = (
    "Where data, network or formula differ, the numbers say how far the same words carry, not which program is better: see "
    "[Why our numbers differ](../why-different.md)."
)
NONE = "No published number was at hand that could stand beside ours."


@functools.cache
def published() -> dict[str, list[dict[str, Any]]]:
    """The committed numbers by method."""
    return dict(yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["methods"])


def section(name: str) -> list[str]:
    """Lines of one method: a table, or a sentence where there is nothing to show."""
    found = published().get(name)
    if not found:
        return [NONE, ""]
    rows = [(prose(entry["what"]), str(entry["published"]), here(name, entry.get("here"))) for entry in found]
    return [*table(("what", "published", "here"), rows), BESIDE, ""]


def here(name: str, wanted: str | Mapping[str, Any] | None) -> str:
    """This project's number in words, or "not run like this"."""
    if wanted == "gpu" or (isinstance(wanted, Mapping) and "gpu" in wanted):
        return on_cifar(name, wanted["gpu"] if isinstance(wanted, Mapping) else "healed_x_utility")
    if not isinstance(wanted, Mapping):
        return "not run like this"
    found = gallery.values(name, str(wanted["metric"]), wanted.get("regularity"), wanted.get("discovery"))
    if not found:
        return "not in the gallery"
    mean = statistics.fmean(found)
    number = f"{100 * mean:.1f}" if wanted.get("points") else f"{mean:.2f}"
    return f"{number} on digits (mean of {len(found)} cells, tuned values)"


def on_cifar(name: str, metric: str) -> str:
    """The mean of the runs with the paper's values on the paper's cells, as ``benchmarks run gpu`` measured them."""
    rows = json.loads(GPU.read_text(encoding="utf-8"))["rows"] if GPU.exists() else []
    mine = [row for row in rows if row["method"] == name and row["values"] == "paper" and row["discovery"] in FIRST]
    if not mine:
        return "not run like this"
    cells = len({(row["regularity"], row["discovery"]) for row in mine})
    seeds = len({row["seed"] for row in mine})
    words = f"{cells} cells, {seeds} seed{'s' if seeds > 1 else ''}, the paper's values"
    return f"{mean_and_error([float(row[metric]) for row in mine], 3)} ({words})"
