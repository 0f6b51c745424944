"""The rows of the headline tables: which plans belong to a table, what a store has of them, what is committed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.paths import PLANS
from unlearn_core.cli.sweep import plan_stages, read_plan, with_files
from unlearn_core.datasets import registry as datasets
from unlearn_core.results.tables import results
from unlearn_core.store import Store

PLANS_OF: dict[str, tuple[str, ...]] = {
    "digits": ("digits", "digits_values", "digits_paper", "digits_unrepeated", "digits_searching"),
    "photos": ("photos", "photos_dear"),
}
"""Table → the plans whose runs are its rows."""
COLUMNS = ["method", "variant", "regularity", "discovery", "seed", "healed", "utility", "memorised", "seconds", "spec", "key"]
_CELL = ["method", "variant", "regularity", "discovery", "seed"]


def read(path: Path) -> pd.DataFrame:
    """The committed rows; none where there is no file yet."""
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    return pd.read_csv(path, dtype={"key": str, "spec": str}).fillna({"variant": ""})


def add(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """``rows`` with ``found`` in place of older runs of the same cell and seed, in a fixed order."""
    parts = [part for part in (rows, found) if len(part)]
    if not parts:
        return rows
    every = pd.concat(parts, ignore_index=True).drop_duplicates(_CELL, keep="last")
    return every.sort_values(_CELL, kind="stable").reset_index(drop=True)[COLUMNS]


def stored(table: str, store: str, data: str | None) -> pd.DataFrame:
    """What a store has of a table's plans: columns :data:`COLUMNS`, one row a run, with the methods as they are today.

    ``data``: the images, for a table of images; without them it has no rows.
    """
    plans = [read_plan(PLANS / "headline" / f"{plan}.yaml") for plan in PLANS_OF[table]]
    if datasets.get(plans[0].dataset).needs_data:
        if data is None:
            return pd.DataFrame(columns=COLUMNS)
        plans = [with_files(plan, data) for plan in plans]
    keys = {stage.key for plan in plans for stage in plan_stages(plan)}
    frame = results(Store.open(store), dataset=plans[0].dataset)
    return frame[frame["key"].isin(keys)].reindex(columns=COLUMNS).reset_index(drop=True)
