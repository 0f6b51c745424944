"""What stands around a heatmap in words: its tasks, the runs it lacks, and what they would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearn_core.corruption import kind_label
from unlearn_core.views.heatmap.tasks import Cell
from unlearn_core.views.text.sentences import duration

if TYPE_CHECKING:
    from unlearn_core.views.picture import Picture


def task_name(task: Cell) -> str:
    """A task in a few words, such as "regularity 0.5, 30 % discovered"."""
    what = kind_label(task.kind) if task.kind else f"regularity {task.regularity:g}"
    return f"{what}, {100 * task.discovery:.3g} % discovered"


def empty_cells(picture: Picture) -> int:
    """How many cells of methods have no run."""
    return int(((picture.data["stored"] == 0) & (picture.data["method"] != "original")).sum())


def missing_sentence(empty: int, runs: int, originals: int) -> str:
    """What lacks."""
    cells = f"**{empty:,} cell{'s' if empty != 1 else ''} without a run**" if empty else "**Every cell has a run**"
    first = f", after {originals} original model{'s' if originals != 1 else ''}" if originals else ""
    return f"{cells}; {runs:,} run{'s' if runs != 1 else ''} missing in all{first}."


def cost_sentence(seconds: float | None, guessed: int, workers: int) -> str:
    """What it would cost. ``guessed``: runs of methods without a measured time; ``workers``: 0 while they are unknown."""
    if seconds is None:
        return "How long that takes is known once one run on this dataset has been measured."
    share = seconds / max(1, workers)
    where = f" on {workers} workers" if workers > 1 else ""
    rest = f" ({guessed:,} of them by the mean over all methods)" if guessed else ""
    return f"About {duration(share)}{where}, by the seconds measured for stored runs{rest}; evaluation comes on top."
