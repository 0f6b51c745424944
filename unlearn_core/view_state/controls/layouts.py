"""Layouts: what a page leaves out, and which tabs it opens, for somebody who teaches, debugs a list, or compares methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

LayoutName = Literal["all", "teach", "debug", "compare"]


@dataclass(frozen=True)
class Layout:
    """``hide``: controls and panels that are left out, as a teacher's link leaves them out. ``opens``: the tabs that it
    opens, by control; ``words``: for whom it is and what is left."""

    label: str
    words: str
    hide: tuple[str, ...] = ()
    opens: tuple[tuple[str, str], ...] = ()

    def changes(self) -> dict[str, Any]:
        """The controls that it sets when it is chosen."""
        return dict(self.opens)


LAYOUTS: Final[dict[str, Layout]] = {
    "all": Layout("Everything", "Every control and every panel."),
    # In front of a class: the dials, the methods, large pictures; nothing that has to be explained first.
    "teach": Layout(
        "Teach",
        "The dials, the methods and the pictures; options, tables of examples and files to take along are left out.",
        hide=(
            "options", "amount", "class_a", "class_b", "target_class", "trigger_size", "trigger_corner", "trigger_value",
            "trigger_opacity", "model", "seed", "families", "values", "parameters", "worst", "columns", "metric", "cost",
            "difference", "returns", "export", "redirect_numbers", "redirect_parts", "projection", "example_table",
            "example_histograms", "seeds", "grid_missing", "rows", "order", "tasks", "suspect_table", "forget_change",
        ),
        opens=(("tab", "map"), ("details", "thumbnails")),
    ),
    # With a list of one's own: the examples, the suspects, the set, the model to take along; nothing about theory.
    "debug": Layout(
        "Debug",
        "The examples, the suspects and your set, and the models to take with you; the theory is left out.",
        hide=(
            "plane", "measured", "families", "explanation", "worst", "scatter", "trajectories", "metric", "difference",
            "returns", "redirect_curve", "redirect_boundary", "scale", "order", "tasks",
        ),
        opens=(("tab", "classes"), ("details", "inspector")),
    ),
    # For a paper: values, parameters, seeds, every metric, costs, files; no single examples.
    "compare": Layout(
        "Compare",
        "Values, parameters, seeds, metrics and costs of many methods; single examples are left out.",
        hide=(
            "preview", "examples", "explanation", "thumbnails", "inspector", "anchors", "suspect_wall", "look_cards",
            "suspect_evidence", "data_map",
        ),
        opens=(("tab", "cost"), ("details", "example_histograms")),
    ),
}  # fmt: skip
"""The first one is where nothing is left out."""
