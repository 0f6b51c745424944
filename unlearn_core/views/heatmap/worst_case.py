"""Where a method fails most: the task with its lowest mean of healed × utility, as the heatmap has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.heatmap.data import GALLERY, heatmap_data

METRIC = "healed_x_utility"


@dataclass(frozen=True)
class WorstCase:
    """The worst of ``tasks`` tasks: its two dials, a seed it was run with, mean healed × utility over ``seeds`` seeds, of which
    ``precomputed`` come from the gallery."""

    method: str
    label: str
    regularity: float
    discovery: float
    seed: int
    value: float
    seeds: int
    tasks: int
    precomputed: int = 0


def worst_cases(
    store: Results, scenario: Scenario, specs: Sequence[MethodSpec], gallery: pd.DataFrame | None = None
) -> dict[str, WorstCase | None]:
    """Method → where it does worst among the tasks that differ from ``scenario`` in the dials alone: those stored, and below
    them those of ``gallery``, as in the heatmap.

    Only runs with the parameters of ``specs`` count. None where there are fewer than two tasks: one is no comparison.
    """
    found = heatmap_data(store, scenario, METRIC, gallery).runs
    frame = found.assign(**{METRIC: found["value"]})
    return {spec.name: worst_case(frame[frame["spec"] == spec.key], scenario.seed) for spec in specs}


def worst_case(frame: pd.DataFrame, seed: int) -> WorstCase | None:
    """The worst task of the rows of one method; None with fewer than two tasks. ``seed`` is kept where it is stored."""
    known = frame.dropna(subset=[METRIC])
    means = known.groupby(["regularity", "discovery"])[METRIC].agg(["mean", "count"])
    if len(means) < 2:
        return None
    regularity, discovery = (float(dial) for dial in means.index[int(means["mean"].to_numpy().argmin())])
    rows = known[(known["regularity"] == regularity) & (known["discovery"] == discovery)]
    seeds = sorted(int(value) for value in rows["seed"])
    return WorstCase(
        method=str(rows["method"].iloc[0]),
        label=str(rows["label"].iloc[0]),
        regularity=regularity,
        discovery=discovery,
        seed=seed if seed in seeds else seeds[0],
        value=float(means["mean"].min()),
        seeds=int(rows["seed"].nunique()),
        tasks=len(means),
        precomputed=int((rows["source"] == GALLERY).sum()) if "source" in rows else 0,
    )
