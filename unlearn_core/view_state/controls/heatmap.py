"""Controls of the heatmap of methods and tasks."""

from __future__ import annotations

from typing import Final, TypedDict

from unlearn_core.view_state.controls.choices import metric_names
from unlearn_core.view_state.controls.control import Control, fixed

GRID_ROWS: Final = ("stored", "chosen", "all", "both")
GRID_TASKS: Final = ("map", "stored", "kinds")
GRID_SCALES: Final = ("plain", "relative")
GRID_ORDERS: Final = ("family", "score")


class HeatmapState(TypedDict, total=False):
    """What the heatmap shows."""

    cell_metric: str
    rows: str
    tasks: str
    scale: str
    order: str
    seeds: int
    cell: str


HEATMAP: Final[tuple[Control, ...]] = (
    Control(
        "cell_metric",
        "Metric of the heatmap",
        "What the cells of the heatmap show.",
        "choice",
        "healed_x_utility",
        choices=metric_names,
        scenario=False,
    ),
    Control(
        "rows",
        "Methods in the heatmap",
        "Those chosen for the comparison, those with results, or all: with the values chosen here. Both values: all that has "
        "results, tuned and paper.",
        "choice",
        "stored",  # what a link leaves out; without a link the page opens with those chosen
        choices=fixed(GRID_ROWS),
        scenario=False,
    ),
    Control(
        "tasks",
        "Tasks in the heatmap",
        "The map of three regularities and five discovery rates, every task with stored results, or kinds of corruption: "
        "other triggers, other label noise.",
        "choice",
        "map",
        choices=fixed(GRID_TASKS),
        scenario=False,
    ),
    Control(
        "scale",
        "Scale of the heatmap",
        "The metric itself, or the share of the way from the original (0) to the oracle (1).",
        "choice",
        "plain",
        choices=fixed(GRID_SCALES),
        scenario=False,
    ),
    Control(
        "order",
        "Order of the methods",
        "By family, or the best on average first.",
        "choice",
        "family",
        choices=fixed(GRID_ORDERS),
        scenario=False,
    ),
    Control(
        "seeds",
        "Seeds for each cell",
        "How many seeds every cell is to have when missing cells are run.",
        "int",
        3,
        low=1,
        high=10,
        step=1,
        scenario=False,
    ),
    Control(
        "cell", "Open cell", "The cell whose runs are listed: method, regularity and discovery.", "text", "", scenario=False
    ),
)
