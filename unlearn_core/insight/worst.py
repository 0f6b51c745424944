"""Where a method fails most: the stored task with its lowest mean of healed × utility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from unlearn_core.insight import tables
from unlearn_core.insight.stored import Results
from unlearn_core.specs import MethodSpec, Scenario

METRIC = "healed_x_utility"
_SAME = ("dataset", "model", "amount", "options")
"""What a task shares with the view: from one to the other only the two dials, and the seed, move."""


@dataclass(frozen=True)
class Worst:
    """The worst of ``tasks`` stored tasks: its two dials, a stored seed, mean healed × utility over ``seeds`` seeds."""

    method: str
    label: str
    regularity: float
    discovery: float
    seed: int
    value: float
    seeds: int
    tasks: int


def worst_cases(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> dict[str, Worst | None]:
    """Method → where it does worst among the stored tasks that differ from ``scenario`` in the dials alone.

    Only runs with the parameters of ``specs`` count. None where fewer than two tasks are stored: one is no comparison.
    """
    frame = tables.results(store, metric=METRIC, dataset=scenario.dataset.name)
    return {spec.name: worst_case(alike(frame, scenario, spec), scenario.seed) for spec in specs}


def alike(frame: pd.DataFrame, scenario: Scenario, spec: MethodSpec) -> pd.DataFrame:
    """The rows of :func:`tables.results` of this method, with these parameters, on tasks that differ in the dials alone."""
    task = tables._task(scenario)
    same = (frame["method"] == spec.name) & (frame["variant"] == tables._variant(spec, scenario))
    for column in _SAME:
        same &= frame[column] == task[column]
    return frame[same]


def worst_case(frame: pd.DataFrame, seed: int) -> Worst | None:
    """The worst task of the rows of one method; None with fewer than two tasks. ``seed`` is kept where it is stored."""
    known = frame.dropna(subset=[METRIC])
    means = known.groupby(["regularity", "discovery"])[METRIC].agg(["mean", "count"])
    if len(means) < 2:
        return None
    regularity, discovery = (float(dial) for dial in means.index[int(means["mean"].to_numpy().argmin())])
    rows = known[(known["regularity"] == regularity) & (known["discovery"] == discovery)]
    seeds = sorted(int(value) for value in rows["seed"])
    return Worst(
        method=str(rows["method"].iloc[0]),
        label=str(rows["label"].iloc[0]),
        regularity=regularity,
        discovery=discovery,
        seed=seed if seed in seeds else seeds[0],
        value=float(means["mean"].min()),
        seeds=int(rows["seed"].nunique()),
        tasks=len(means),
    )
