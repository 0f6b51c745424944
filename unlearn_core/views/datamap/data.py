"""What a watched training run says of every given label, from whichever stored result holds it, as points of a data map."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from unlearn_core.canonical import content_key
from unlearn_core.forget_sets import ForgetSet
from unlearn_core.results.reader import GROUPS, Results, groups_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.looks.data import evidence_key

REVISION = 1
HELD, SUSPECTED, OTHER = "in your set", "suspected", "other"
"""What an example is to the person who edits the set, where the truth is not shown."""


@dataclass(frozen=True)
class DataMap:
    """``confidence`` and ``variability`` (N,), from 0 to 1: mean and standard deviation over the epochs of a watched training
    run of the probability of the given label."""

    confidence: np.ndarray
    variability: np.ndarray


def map_key(scenario: Scenario) -> str:
    """Key of a watched run that was made for the map alone; independent of what is known to be corrupted."""
    return content_key("data map", REVISION, scenario.original_key)


def read_map(store: Results, scenario: Scenario, search: MethodSpec | None = None) -> DataMap | None:
    """The map as a stored search kept it, or the evidence of looks, or the stage of this folder: all of them watch the same
    run. None where none of them is stored, or only such as were stored before this was kept."""
    if search is not None:
        with contextlib.suppress(LookupError):
            arrays = store.arrays(scenario.run_key(search), "report")
            if "watched:variability" in arrays:
                return DataMap(np.array(arrays["watched:confidence"]), np.array(arrays["watched:variability"]))
    with contextlib.suppress(LookupError):
        arrays = store.arrays(evidence_key(scenario), "evidence")
        if "variability" in arrays:
            return DataMap(1 - np.array(arrays["watched"]), np.array(arrays["variability"]))
    with contextlib.suppress(LookupError):
        arrays = store.arrays(map_key(scenario), "map")
        return DataMap(np.array(arrays["confidence"]), np.array(arrays["variability"]))
    return None


def map_frame(scenario: Scenario, found: DataMap, content: ForgetSet, suspects: list[int], truth: bool) -> pd.DataFrame:
    """A row for each training example: index, given, confidence, variability and role.

    role: :data:`HELD`, :data:`SUSPECTED` (those of ``suspects`` that nobody decided about) or :data:`OTHER`; with ``truth`` the
    group: clean, discovered, undiscovered. suspected: whether it is one of the suspects, whatever its role.
    """
    train = scenario_data(scenario).corrupted.train
    suspected = np.zeros(len(train), bool)
    suspected[[k for k in suspects if k not in {*content.indices, *content.clean}]] = True
    if truth:
        role = np.array(GROUPS, dtype=object)[groups_of(scenario)]
    else:
        role = np.where(suspected, SUSPECTED, OTHER).astype(object)
        role[list(content.indices)] = HELD
    return pd.DataFrame(
        {
            "index": np.arange(len(train)),
            "given": np.array(train.class_names, dtype=object)[train.labels.numpy()],
            "confidence": found.confidence,
            "variability": found.variability,
            "role": role,
            "suspected": suspected,
        }
    )
