"""Whether there is anything to heal: what share of the wrong labels the original took up, and what is said if it is small."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.results.reader import Results
    from unlearn_core.specs import MethodSpec, Scenario

TAKEN_UP: Final = 0.4
"""Below this memorised share the original did not take the wrong labels up, and nothing is called healed. The middle of the gap
between what was measured where it did not (points in the plane up to regularity 0.5: .00 to .17; 10,000 photographs with
crops, of which .69 are predicted right before anything is unlearned: at most .31) and where it did, wholly or for half of the
kinds of corruption (.50 to 1.00)."""
_OF: Final = {"memorised": "the wrong labels", "memorised_known": "the labels that are held to be wrong"}
Share = tuple[Literal["memorised", "memorised_known"], float]
"""Which of the two metrics, and its value."""


def share_of(values: Mapping[str, float | None]) -> Share | None:
    """The memorised share among the metrics of one model; where the truth is unknown that of the known; None without both."""
    for name in ("memorised", "memorised_known"):
        value = values.get(name)
        if value is not None and not pd.isna(value):
            return name, float(value)
    return None


def share_in(frame: pd.DataFrame) -> Share | None:
    """The same of a comparison (from ``results.tables``), whose models all have one original."""
    columns = [name for name in _OF if name in frame]
    return share_of({name: frame[name].astype(float).max() for name in columns}) if len(frame) else None


def nothing_to_heal(share: Share | None) -> bool:
    """Whether the original is known to have taken too little up for a method to heal."""
    return share is not None and share[1] < TAKEN_UP


def sentence(share: Share | None) -> str:
    """How much the original memorised, and that there is nothing to heal where it is little; "" where it is unknown."""
    if share is None:
        return ""
    said = f"{100 * share[1]:.0f} % of {_OF[share[0]]}"
    if nothing_to_heal(share):
        return f"The original predicts only {said}: the model never took these labels up, so there is nothing to heal."
    return f"The original memorised {said}."


def note(shares: Sequence[float]) -> str:
    """What a table with several tasks says of those whose original took too little up; "" where there is none."""
    few = sum(share < TAKEN_UP for share in shares)
    if not few:
        return ""
    tasks = "the task" if len(shares) == 1 else f"{few} of {len(shares)} tasks"
    return (
        f"In {tasks} the original predicts less than {100 * TAKEN_UP:.0f} % of the wrong labels: the model never took them up, "
        "so there is nothing to heal."
    )


def of_stored(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> Share | None:
    """The memorised share of a scenario's original as one of its stored runs has it; nothing is computed."""
    from unlearn_core.results.measured import recorded

    for spec in specs:
        record = store.get(scenario.run_key(spec))
        found = share_of(recorded(record.payload)) if record is not None else None
        if found is not None:
            return found
    return None


def of_runs(store: Results, runs: pd.DataFrame) -> pd.Series:
    """The memorised share of every row's original, for rows of ``tables.results``: looked up, or else measured, once for each
    original; NaN where its outputs are not stored."""
    from unlearn_core.results.run_table import stored_runs

    # A setting's key says all that the other columns of a task say in words.
    same = ["setting", "regularity", "seed"]
    table = stored_runs(store, only=_OF).frame.reindex(columns=["key", *_OF]).drop_duplicates("key").set_index("key")
    known = table.astype(float).bfill(axis="columns").iloc[:, 0]  # the share of C comes first
    shares = _of_originals(runs["key"].map(known).astype(float), runs, same)
    lacking = runs[shares.isna()].drop_duplicates(same)["key"]
    if len(lacking):
        found = _looked_up(store, list(lacking))
        shares = shares.fillna(_of_originals(runs["key"].map(found).astype(float), runs, same))
    return shares


def _of_originals(shares: pd.Series, runs: pd.DataFrame, same: list[str]) -> pd.Series:
    """Runs of one original have one share: what any of them says."""
    return shares.groupby([runs[name] for name in same], dropna=False).transform("max")


def _looked_up(store: Results, keys: Sequence[str]) -> dict[str, float | None]:
    """The memorised share of the original of each of these stored runs, whose records do not say it."""
    from unlearn_core.results import tables
    from unlearn_core.specs import Scenario

    scenarios = {key: Scenario.parse(spec["scenario"]) for key, spec in store.runs.specs(keys).items()}
    # One measurement serves every discovery rate.
    scenarios = {key: scenario if scenario.edited else scenario.at_rate(1.0) for key, scenario in scenarios.items()}
    there = store.has([scenario.original_key for scenario in scenarios.values()])
    found: dict[str, float | None] = {}
    for key, scenario in scenarios.items():
        # Outputs that were damaged, or data that are no longer where they were: then it is not known.
        with contextlib.suppress(LookupError, UserError):
            if scenario.original_key in there:
                share = share_of({name: tables.original_metrics(store, scenario, name)[name] for name in _OF})
                found[key] = None if share is None else share[1]
    return found


def _task(frame: pd.DataFrame) -> list[str]:
    """What tells tasks apart in such a table."""
    from unlearn_core.results import tables

    return [name for name in (*tables.TASK, "setting") if name in frame]


def summarised(runs: pd.DataFrame) -> pd.DataFrame:
    """The memorised shares in the form of ``tables.summary``: a row for each task, with the spread over seeds.

    ``runs``: rows of ``tables.results`` with the column memorised, such as :func:`of_runs` gives.
    """
    from unlearn_core.results import tables

    originals = runs.dropna(subset=["memorised"]).drop_duplicates([*_task(runs), "seed"])
    groups = originals.groupby(_task(runs), sort=False, dropna=False)["memorised"]
    table = groups.agg(mean="mean", standard_error="sem", n="count").reset_index()
    return table.assign(method=tables.ORIGINAL, label="Original: memorised", oracle=False, variant="")


def beside(long: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """``tables.summary`` with a column memorised: the mean share of each task's originals, from ``runs`` with that column."""
    means = summarised(runs)[[*_task(long), "mean"]].rename(columns={"mean": "memorised"})
    return long.merge(means, on=_task(long), how="left")


def above(long: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """``tables.summary`` with the originals' memorised shares as its first rows, for tables of methods and tasks."""
    first = summarised(runs).merge(long[_task(long)].drop_duplicates(), on=_task(long))
    return pd.concat([frame for frame in (first, long) if len(frame)] or [long], ignore_index=True)


def of_tasks(runs: pd.DataFrame) -> dict[tuple[float, float, str], float]:
    """(regularity, discovery, kind) → mean memorised share over the seeds, for the heatmap's tasks of which it is known."""
    if "memorised" not in runs or runs.empty:
        return {}
    means = runs.groupby(["regularity", "discovery", "kind"])["memorised"].mean().dropna().reset_index()
    return {(float(r), float(d), str(kind)): float(share) for r, d, kind, share in means.itertuples(index=False, name=None)}


def in_tasks(long: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """``tables.summary`` with a column memorised: the mean over the seeds of the runs of the same setting and task."""
    place = ["setting", "regularity", "discovery"]
    if "memorised" not in runs or runs.empty:
        return long.assign(memorised=pd.Series(dtype=float))
    means = runs.groupby(place)["memorised"].mean().rename("memorised").reset_index()
    return long.drop(columns="memorised", errors="ignore").merge(means, on=place, how="left")
