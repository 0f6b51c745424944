"""What teachers set: lessons, and what their links leave out or lock."""

from __future__ import annotations

from typing import Final, TypedDict

from unlearn_core.view_state.controls.choices import lesson_names
from unlearn_core.view_state.controls.control import Control, fixed
from unlearn_core.view_state.controls.layouts import LAYOUTS, LayoutName

PANELS: Final[dict[str, dict[str, str]]] = {
    "start": {
        "start_picture": "The planes that move",
        "star_burst": "Where the signs with a sticker went",
        "doors": "Teach, Debug, Compare",
        "recent": "Recent runs",
        "demo": "The demo on images",
    },
    "craft": {
        "plane": "Map of regularity and discovery",
        "preview": "Examples before and after",
        "mixture": "Shares of the kinds",
        "counts": "Counts by kind and group",
        "options": "Amount, classes, trigger, network, seed; training recipe",
        "measured": "Measured regularity",
    },
    "compare": {
        "explanation": "What each method does",
        "parameters": "Parameters",
        "worst": "Worst case",
        "table": "Table of methods",
        "scatter": "Healed against utility",
        "trajectories": "Over the rounds",
        "classes": "Class by class",
        "confusion": "Which class is taken for which",
        "exposure": "Who stays exposed",
        "cost": "Cost",
        "difference": "Differences",
        "returns": "What comes back",
        "export": "Export",
        "meanings": "What the numbers mean",
        "copy": "Share (on every page)",
        "more_like": "More like this (on every page)",
    },
    "redirect": {
        "redirect_numbers": "Numbers beside the strength",
        "redirect_curve": "Curve over the strength",
        "redirect_boundary": "Decision boundary at this strength",
        "redirect_parts": "Layers and channels",
        "similarity": "Layer by layer: how alike the models are",
    },
    "embedding": {
        "embedding": "Points, one plot for each model",
        "selecting": "How points are selected",
        "thumbnails": "Pictures",
        "example_table": "Table of examples",
        "example_histograms": "Histograms",
        "inspector": "Inspector",
        "occlusion": "What the label hangs on",
    },
    "heatmap": {"grid": "The heatmap", "grid_missing": "Run these", "grid_runs": "Runs behind a cell"},
    "boundary": {"boundary": "Decision boundary", "anchors": "The three images of the plane"},
    "forget": {
        "suspect_curve": "Precision and recall",
        "suspect_wall": "Wall of suspects",
        "suspect_table": "Suspects",
        "suspect_evidence": "Evidence for a suspect",
        "data_map": "Data map",
        "forget_set": "Your set",
        "forget_change": "What your set changes",
        "look_cards": "Cards where nothing is known",
    },
    "own": {
        "own_sets": "Public data sets",
        "own_list": "Your list",
        "own_model": "Your model",
        "own_read": "How files were read",
        "own_health": "Data health",
    },
}
"""By the page that has them: the panels that a teacher's link can leave out, in the words on the screen."""


class TeachingState(TypedDict, total=False):
    """The lesson that is followed, the layout, and what a teacher's link hides or locks."""

    lesson: str
    step: int
    layout: LayoutName
    hide: tuple[str, ...]
    lock: tuple[str, ...]


def teaching(hideable: tuple[str, ...], lockable: tuple[str, ...]) -> tuple[Control, ...]:
    """The controls of lessons and of teachers' links, which no link can hide."""
    return (
        Control("lesson", "Lesson", "The lesson that is being followed.", "choice", "", choices=lesson_names, scenario=False),
        Control(
            "step", "Step of the lesson", "Which step of the lesson is shown.", "int", 1, low=1, high=6, step=1, scenario=False
        ),
        Control(
            "layout",
            "Layout",
            "What pages leave out: for a class, for a list of one's own to be mended, or for a comparison.",
            "choice",
            next(iter(LAYOUTS)),
            choices=fixed(tuple(LAYOUTS)),
            scenario=False,
        ),
        Control(
            "hide",
            "Hidden controls",
            "For teachers: left out of the page.",
            "choices",
            (),
            choices=fixed(hideable),
            scenario=False,
        ),
        Control(
            "lock",
            "Locked controls",
            "For teachers: shown, but not to be changed.",
            "choices",
            (),
            choices=fixed(lockable),
            scenario=False,
        ),
    )
