"""Which runs a heatmap still lacks, and what they would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from unlearn_core.methods import registry as methods
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.heatmap.data import RowKey
from unlearn_core.views.heatmap.tasks import DIALS, Cell, at, rows_in_tasks


def missing(
    runs: pd.DataFrame,
    scenarios: Mapping[str, Scenario],
    specs: Mapping[RowKey, MethodSpec],
    tasks: Sequence[Cell],
    seeds: int,
) -> list[tuple[Scenario, list[MethodSpec]]]:
    """What has to run so that each of these rows has seeds 0 … ``seeds`` − 1 in every task. ``scenarios``: the view's by kind
    ("": on the dial).

    A method that needs a forget set has no cell where nothing is discovered.
    """
    near = runs[(runs["seed"] < seeds) & rows_in_tasks(runs, tasks)]  # of tens of thousands of runs, those that can matter here
    have = set(near[["method", "variant", *DIALS, "seed"]].itertuples(index=False, name=None))
    wanted = []
    for seed in range(seeds):
        for task in tasks:
            lacking = [
                spec
                for who, spec in specs.items()
                if (*who, *task, seed) not in have and not (methods.get(spec.name).needs_forget and task.discovery == 0)
            ]
            if lacking:
                wanted.append((at(scenarios[task.kind], task, seed), lacking))
    return wanted


@dataclass(frozen=True)
class Estimate:
    """``seconds`` of computing, None before anything is measured; ``guessed`` of ``runs`` use the mean over all methods."""

    runs: int
    originals: int
    seconds: float | None
    guessed: int


def estimate(store: Results, wanted: Sequence[tuple[Scenario, Sequence[MethodSpec]]], *measured: pd.DataFrame) -> Estimate:
    """What ``wanted`` costs, from the seconds that the same methods took on this dataset (``measured``: rows of runs)."""
    runs = sum(len(specs) for _, specs in wanted)
    keys = {scenario.original_key for scenario, _ in wanted}
    originals = len(keys - store.has(sorted(keys)))
    known = pd.concat([frame[["method", "seconds"]] for frame in measured]).dropna()
    means = {str(name): float(mean) for name, mean in known.groupby("method")["seconds"].mean().items()}
    if not means:
        return Estimate(runs, originals, None, runs)
    usual = float(np.mean(list(means.values())))
    names = [spec.name for _, specs in wanted for spec in specs]
    seconds = sum(means.get(name, usual) for name in names) + originals * means.get("retrain", usual)
    return Estimate(runs, originals, float(seconds), sum(name not in means for name in names))
