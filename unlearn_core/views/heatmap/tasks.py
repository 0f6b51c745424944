"""The tasks that are columns of the heatmap: places of the two dials, and kinds of corruption that have no place on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from unlearn_core.results import late_metrics
from unlearn_core.specs import Scenario

DIALS: Final = ["regularity", "discovery", "kind"]


class Cell(NamedTuple):
    """One column: a position of the two dials, or a kind (``corruption.kind_label`` has its words) at a discovery rate,
    filed where it is on the other dial."""

    regularity: float
    discovery: float
    kind: str = ""


MAP: Final = tuple(Cell(r, d) for r in (0.0, 0.5, 1.0) for d in (0.1, 0.3, 0.5, 0.75, 1.0))
"""The map of the plane that is offered to be filled: the three named corruptions at five discovery rates."""


def at(scenario: Scenario, task: Cell, seed: int) -> Scenario:
    """The scenario (for a kind: of that kind) with its dials and its seed elsewhere; an edited forget set belongs to no place
    and is left behind."""
    return late_metrics.at(scenario, task.regularity, task.discovery, seed)


def read_tasks(runs: pd.DataFrame) -> Iterator[Cell]:
    """The tasks of these runs, each once."""
    for r, d, kind in runs[DIALS].drop_duplicates().itertuples(index=False):
        yield Cell(float(r), float(d), str(kind))


def tasks_of(runs: pd.DataFrame, scenario: Scenario, everything: bool) -> list[Cell]:
    """The tasks to show, by regularity, discovery inside: all that have runs, or the map and the scenario's own, if it has."""
    stored = set(read_tasks(runs))
    here = Cell(scenario.corruption.regularity, scenario.discovery)
    return sorted(stored or {here}) if everything else sorted({*MAP, *({here} & stored)})


def rows_in_tasks(frame: pd.DataFrame, tasks: Sequence[Cell]) -> np.ndarray:
    """Which rows are of one of these tasks."""
    return np.asarray(pd.MultiIndex.from_frame(frame[DIALS]).isin(list(tasks)), dtype=bool)
