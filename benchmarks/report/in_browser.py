"""What ``browser_speed`` measured, as a section of docs/performance.md.

Used by ``python -m benchmarks report performance``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.target import Target

COMMAND = "python -m benchmarks run browser_speed"
FIRST = "first_picture_"
NEW = "first_picture_of_a_new_visitor"
NAVIGATION = "first_picture_from_navigation"
PAGES = {
    "start": "Start", "craft": "Craft", "compare": "Compare", "boundary": "Decision boundary", "redirect": "Redirect neurons",
    "embedding": "Embedding", "heatmap": "Heatmap", "forget": "Forget set", "lessons": "Learn",
}  # fmt: skip
"""The pages by their addresses, in the order of the table."""
VISIT, NEW_VISIT, TAB, RATIO, CLICK, SLIDER, UMAP, POINTS = 5.0, 3.0, 2.0, 1.6, 0.8, 0.25, 4.0, 3.0
FRAMES = 30
"""What is asked, in seconds; ``RATIO`` as a multiple of a bare page's, ``FRAMES`` a second."""


def section(source: Path) -> list[str]:
    """Lines of Markdown, or that nothing was measured."""
    head = ["## In the browser", ""]
    if not source.exists():
        return [*head, f"Not measured yet; `{COMMAND}` does that.", ""]
    found = json.loads(source.read_text())
    return [
        *head,
        f"`{COMMAND} > benchmarks/results/browser_speed.json`: server and Chromium share two cores, nothing else running. "
        "Seconds to the first picture or table, medians. “New browser”: nothing of the app in its cache; “new tab”: with it, "
        "and beside it how many times as long as a bare Streamlit page with one Plotly figure, opened before it each time; "
        "“click”: from the navigation of an open tab.",
        "",
        "| Page | New browser | New tab | Times a bare page | Click |",
        "|---|---|---|---|---|",
        *(_row(found, address, title) for address, title in PAGES.items()),
        f"| asked | ≤ {NEW_VISIT:g} | ≤ {TAB:g} | ≤ {RATIO:g} | ≤ {CLICK:g} |",
        "",
        "| What | Measured | Asked | |",
        "|---|---|---|---|",
        *(_line(target) for target in _others(found)),
        "",
    ]


def _row(found: dict[str, Any], address: str, title: str) -> str:
    tab = found[FIRST + address]
    cells = (
        (found[NEW][address]["median"] / 1000, NEW_VISIT),
        (tab["median"] / 1000, TAB),
        (tab["times_bare"], RATIO),
        (found[NAVIGATION][title]["median"] / 1000, CLICK),
    )
    return f"| {title} | {' | '.join(_cell(value, most) for value, most in cells)} |"


def _line(target: Target) -> str:
    unit = "" if target.name.startswith("Frames") else " s"
    return f"| {target.name} | {target.measured:.3g}{unit} | {target.asked} | {target.verdict} |"


def _cell(value: float, most: float) -> str:
    """A number, in bold where it is more than what is asked."""
    return f"{value:.2f}" if value <= most else f"**{value:.2f}**"


def _others(found: dict[str, Any]) -> list[Target]:
    return [
        Target.at_most(found["first_visit_after_start"]["median"] / 1000, VISIT, "The first visit after the server's start"),
        Target.at_most(found["strength_slider_digits"]["median"] / 1000, SLIDER, "A slider to the redrawn bars"),
        *(
            Target.at_least(found["frames_a_second"][name], FRAMES, f"Frames a second of {title}")
            for name, title in (("planes", "the planes on Start"), ("signs", "the signs that fly"))
        ),
        Target.at_most(found["umap_1437_points_two_models"]["warm"] / 1000, UMAP, "UMAP of 1,437 points of two models, warm"),
        Target.at_most(found["scatter_50000_points"]["both"] / 1000, POINTS, "50,000 points in two panels"),
    ]
