"""Margins of stored models with several seeds on one scenario, against those of oracles, as a DataFrame, and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from unlearn_core.canonical import content_key
from unlearn_core.evaluation.margins import divergence, margin_gap
from unlearn_core.results.reader import scenario_data
from unlearn_core.results.tables import ORIGINAL, named

if TYPE_CHECKING:
    from unlearn_core.results.reader import Results
    from unlearn_core.specs import MethodSpec, Scenario

REVISION = 1
COLUMNS = ["method", "label", "oracle", "group", "examples", "models", "gap", "gap_p95", "divergence", "divergence_p95"]


def pair_key(scenario: Scenario, member: int) -> str:
    """Key of an original and an oracle that were trained with another seed on the same data; independent of discovery."""
    return content_key("margin_pair", REVISION, scenario.original_key, member)


def margins_key(scenario: Scenario, spec: MethodSpec, member: int) -> str:
    """Key of a method's margins from the original of that pair."""
    return content_key("margins", REVISION, scenario.run_key(spec), member)


def margin_frame(store: Results, scenario: Scenario, specs: Sequence[MethodSpec], models: int) -> pd.DataFrame:
    """How far the original's and each method's margins lie from the oracles', for F, the rest of training, and test data.

    Columns: method, label, oracle, group (forget, retain, test), examples, models; gap and gap_p95 (distance of the mean
    margins, mean and 95th percentile over the examples), divergence and divergence_p95 (NaN with few models). A model that is
    not stored for every seed has no row.
    """
    corrupted = scenario_data(scenario).corrupted
    forget = np.isin(np.arange(len(corrupted.train)), corrupted.truth.forget_of(scenario).numpy())
    tested = np.zeros(len(corrupted.test), dtype=bool)
    groups = {
        "forget": np.concatenate([forget, tested]),
        "retain": np.concatenate([~forget, tested]),
        "test": np.concatenate([np.zeros_like(forget), ~tested]),
    }
    members = range(1, models + 1)
    oracle = _stack(store, [(pair_key(scenario, k), "oracle") for k in members])
    rivals: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        ({"method": ORIGINAL, "label": "Original", "oracle": False}, [(pair_key(scenario, k), "original") for k in members])
    ]
    rivals += [(named(spec, scenario), [(margins_key(scenario, spec, k), "unlearned") for k in members]) for spec in specs]
    rows = []
    for who, places in rivals:
        found = _stack(store, places)
        if found is not None and oracle is not None:
            rows += [who | {"group": name} | _told(found[:, of], oracle[:, of]) for name, of in groups.items() if of.any()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _stack(store: Results, places: Sequence[tuple[str, str]]) -> np.ndarray | None:
    """Margins (M, N + test) of these records; None where one of them is not stored."""
    try:
        return np.stack([store.arrays(key, "margins")[name] for key, name in places])
    except LookupError:
        return None


def _told(found: np.ndarray, oracle: np.ndarray) -> dict[str, Any]:
    gap, apart = margin_gap(found, oracle), divergence(found, oracle)
    told = {"examples": found.shape[1], "models": len(found), "gap": gap.mean(), "gap_p95": np.percentile(gap, 95)}
    return told | ({} if apart is None else {"divergence": apart.mean(), "divergence_p95": np.percentile(apart, 95)})
