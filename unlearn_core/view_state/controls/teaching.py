"""What teachers set: lessons, and what their links leave out or lock."""

from __future__ import annotations

from typing import Final, TypedDict

from unlearn_core.view_state.controls.choices import lesson_names
from unlearn_core.view_state.controls.control import Control, fixed

PANELS: Final = (
    "plane",
    "preview",
    "options",
    "measured",
    "explanation",
    "parameters",
    "worst",
    "table",
    "scatter",
    "trajectories",
    "classes",
    "cost",
    "difference",
    "export",
    "copy",
    "redirect_numbers",
    "redirect_curve",
    "redirect_boundary",
    "redirect_parts",
    "embedding",
    "thumbnails",
    "example_table",
    "example_histograms",
    "inspector",
    "grid",
    "grid_missing",
    "grid_runs",
    "boundary",
    "anchors",
    "suspect_curve",
    "suspect_wall",
    "suspect_table",
    "suspect_evidence",
    "forget_set",
    "forget_change",
    "own_list",
    "own_model",
    "own_read",
)


class TeachingState(TypedDict, total=False):
    """The lesson that is followed, and what a teacher's link hides or locks."""

    lesson: str
    step: int
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
