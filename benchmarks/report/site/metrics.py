"""A page for each metric: formula, direction, split, source and what misleads about it."""

from __future__ import annotations

import functools
import importlib
import inspect
from pathlib import Path
from typing import Any

import yaml

from benchmarks.report.site.text import prose, table, title_and_name
from unlearn_core.evaluation import registry
from unlearn_core.registry import file_of

FOLDER = "metrics"
NOTES = Path(__file__).with_name("metrics.yaml")
OWN = "this project's own, or a plain accuracy"
DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "none": "neither way is better"}
NEEDS = {"reference_models": "four reference models (`run --rmia`)"}


def pages() -> dict[str, str]:
    """Path in the docs → Markdown, for the list and for every metric of this project."""
    ours = [metric for metric in registry if metric.__module__.startswith("unlearn_core.")]
    return {f"{FOLDER}/index.md": overview(ours)} | {f"{FOLDER}/{metric.name}.md": page(metric) for metric in ours}


def overview(metrics: list[Any]) -> str:
    """All metrics in one table."""
    rows = [(f"[{m.label}]({m.name}.md)", DIRECTIONS[m.direction], m.unit, prose(m.split)) for m in metrics]
    words = "[What is measured](../metrics.md) explains those that need more than a formula."
    return "\n".join(["# All metrics", "", words, "", *table(("metric", "direction", "unit", "measured on"), rows)])


def page(metric: Any) -> str:
    """One metric."""
    rows = [("direction", DIRECTIONS[metric.direction]), ("unit", metric.unit), ("measured on", prose(metric.split))]
    if metric.compares_with:
        rows.append(("needs", ", ".join(NEEDS.get(name, f"the outputs of `{name}`") for name in metric.compares_with)))
    if metric.as_found:
        rows.append(("where", "with labels as they come alone"))
    rows += [
        ("in each round", "yes" if metric.each_round else "no"),
        ("source", prose(notes()["sources"].get(metric.name, OWN))),
    ]
    rows.append(("code", f"`{file_of(metric.__module__)}`"))
    if metric.revision > 1:
        rows.append(("revision", f"{metric.revision}: values stored under an earlier one are not shown"))
    return "\n".join(
        [
            title_and_name(metric.label, metric.name),
            "",
            f"{prose(metric.formula[0].upper() + metric.formula[1:])}.",
            "",
            *table(("", ""), rows),
            "## What misleads",
            "",
            prose(notes()["misleads"][metric.name]),
            "",
            "## Where it is computed",
            "",
            prose(about(metric)),
            "",
        ]
    )


def about(metric: Any) -> str:
    """The docstring of the metric, or else of its module, on one line."""
    own = inspect.cleandoc(vars(metric).get("__doc__") or "")
    return " ".join((own or inspect.cleandoc(importlib.import_module(metric.__module__).__doc__ or "")).split())


@functools.cache
def notes() -> dict[str, dict[str, str]]:
    """Under "misleads" and "sources": metric → what misleads about it, who published it."""
    return dict(yaml.safe_load(NOTES.read_text(encoding="utf-8")))
