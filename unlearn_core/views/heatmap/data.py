"""Method × task for one metric: which tasks, which cells have results, which are missing and what they would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from unlearn_core.evaluation import registry as metrics
from unlearn_core.methods import registry as methods
from unlearn_core.presets import Values, make_method
from unlearn_core.results import tables
from unlearn_core.results.late_metrics import MissingMetric
from unlearn_core.results.reader import Results
from unlearn_core.results.run_table import StoredRuns, described, options, stored_runs
from unlearn_core.results.settings import PAPER, options_of, set_of
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.heatmap.later import STORED, complete, places_at
from unlearn_core.views.heatmap.tasks import DIALS, Cell, rows_in_tasks

__all__ = ["PAPER", "MissingMetric", "set_of"]

ROW: Final = ["method", "label", "oracle", "variant"]
REFERENCES: Final = (tables.ORIGINAL, "retrain", "oracle_retrain")
GALLERY: Final = "gallery"
SMALLEST_GAP: Final = 0.02
"""Below this distance between original and oracle, a share of that distance would be noise."""
NAMED: Final = 4
"""How many of the settings that are not shown are named."""


@dataclass(frozen=True)
class HeatmapData:
    """``runs``: one row per run in this setting, column ``value`` the metric. ``elsewhere``: runs in other settings, of which
    the first few are told in words by ``others``."""

    metric: str
    runs: pd.DataFrame
    pending: tuple[MissingMetric, ...]
    elsewhere: pd.DataFrame
    others: tuple[str, ...] = ()
    other_rates: Mapping[float, int] = field(default_factory=dict)
    """In a heatmap over kinds: discovery rate that is not shown → how many of these kinds have runs there."""

    @property
    def unmeasured(self) -> int:
        """How many values of stored models have not been measured yet."""
        return sum(len(part.keys) for part in self.pending)


def heatmap_data(store: Results, scenario: Scenario, metric: str, gallery: pd.DataFrame | None = None) -> HeatmapData:
    """Everything stored for this metric in the setting of ``scenario``, and below it the rows of ``gallery``.

    Raises :class:`UserError` for an unknown metric. Costs a few database reads and no evaluation: what has to be
    measured first is ``pending``.
    """
    name = metrics.get(metric).name
    rows = stored_rows(store, scenario, name, gallery)
    runs, pending = complete(store, scenario, name, rows.here)
    return HeatmapData(name, runs, pending, rows.elsewhere, rows.others)


class Rows(NamedTuple):
    """The stored runs of a setting, those of others, and these in words."""

    here: pd.DataFrame
    elsewhere: pd.DataFrame
    others: tuple[str, ...]


def stored_rows(store: Results, scenario: Scenario, name: str, gallery: pd.DataFrame | None) -> Rows:
    """What is stored on this dataset, with column ``value`` as it was measured with the runs."""
    stored, setting = stored_runs(store, scenario.dataset.name), places_at(scenario).setting
    # A click draws the page anew while nothing has changed: neither the stored runs, nor what is shown of them.
    seen = (stored.mark, name, setting, tuple((method.name, method.todays_revision()) for method in methods))
    kept = stored.kept.get("heatmap")
    if kept is None or kept[0] != seen or kept[1] is not gallery:
        kept = (seen, gallery, _split(stored, setting, name, gallery))
        stored.kept["heatmap"] = kept
    return Rows(*kept[2])


def _split(
    stored: StoredRuns, setting: str, name: str, gallery: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """The runs of this setting, those of others, and these in words."""
    placed = stored.frame[stored.frame["regularity"].notna() & stored.frame["discovery"].notna()]
    known = [*placed.columns, *(other for other in metrics.names() if other not in placed)]
    everything = described(stored, placed.reindex(columns=known)).assign(source=STORED)
    if gallery is not None:
        below = gallery[gallery["dataset"] == stored.dataset]
        everything = pd.concat([f for f in (everything, _beyond(below, everything)) if len(f)] or [everything])
    everything = everything.assign(value=everything[name].astype(float))
    here = in_setting(everything, setting, name)
    runs, elsewhere = everything[here].reset_index(drop=True), everything[~here].reset_index(drop=True)
    return runs, elsewhere, in_words(stored, elsewhere, setting)


def in_setting(rows: pd.DataFrame, setting: str, name: str) -> pd.Series[bool]:
    """Which rows are runs of a setting; of seconds those of one kind of device."""
    here = rows["setting"] == setting
    if metrics.get(name).unit == "s":
        here &= rows["device"].isna() | (rows["device"] == _usual_device(rows[here]))
    return here


def _beyond(gallery: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """The gallery's rows that the store does not have itself (an original is one row per discovery rate)."""
    own = set(stored["key"])
    beyond = np.array([key not in own for key in gallery["key"]], dtype=bool)
    return gallery[beyond].assign(source=GALLERY)


def _usual_device(runs: pd.DataFrame) -> str | None:
    """The kind of device that most of these runs were timed on, those of the store first: seconds of two kinds don't mix."""
    own = runs[runs["source"] == STORED]
    counts = (own if len(own) else runs)["device"].value_counts()
    return str(counts.index[0]) if len(counts) else None


def in_words(stored: StoredRuns, elsewhere: pd.DataFrame, here: str) -> tuple[str, ...]:
    """The settings that most of the other runs have, in words; those of this setting were timed on another device."""
    counts = elsewhere.groupby("setting", sort=False).size().sort_values(ascending=False, kind="stable")
    keys = [str(key) for key in counts.index[: NAMED + 1]]
    words = options(stored, [key for key in keys if key != here])
    first = elsewhere.drop_duplicates("setting").set_index("setting")
    texts = []
    for key in keys:
        row = first.loc[key]
        text = words.get(key, "") if key != here else f"timed on {row['device']}"
        texts.append(", ".join(filter(None, (str(row["model"]), f"{row['amount']:g}", text))))
    return tuple(texts)


def relative(runs: pd.DataFrame) -> pd.DataFrame:
    """``value`` on a scale where the task's original is 0 and its oracle is 1 (means over the seeds stored).

    No value where either is missing, or where they are closer than :data:`SMALLEST_GAP`.
    """
    means = runs.pivot_table(index=DIALS, columns="method", values="value", aggfunc="mean").reindex(
        columns=[tables.ORIGINAL, "oracle_retrain"]
    )
    low, high = (
        pd.Series(means[name].reindex(pd.MultiIndex.from_frame(runs[DIALS])).to_numpy(float), index=runs.index)
        for name in (tables.ORIGINAL, "oracle_retrain")
    )
    gap = (high - low).where((high - low).abs() >= SMALLEST_GAP)
    return runs.assign(value=(runs["value"] - low) / gap)


def cells(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per method (and variant) and task: mean, standard_error, n (runs with a value), stored (all runs)."""
    grouped = runs.groupby([*ROW, *DIALS], sort=False)["value"]
    table = grouped.agg(mean="mean", standard_error="sem", n="count", stored="size").reset_index()
    return table.assign(gallery=_from_gallery(runs, table))


def _from_gallery(runs: pd.DataFrame, table: pd.DataFrame) -> list[bool]:
    flags = (runs["source"] == GALLERY).groupby([runs[c] for c in (*ROW, *DIALS)], sort=False).any()
    return [bool(flag) for flag in flags.reindex(pd.MultiIndex.from_frame(table[[*ROW, *DIALS]]))]


RowKey = tuple[str, str]
"""A row: a method's name and its variant ("" for its tuned values, "paper" for its publication's)."""


def rows_of(table: pd.DataFrame, extra: Iterable[RowKey] = (), keep: Callable[[str, str], bool] | None = None) -> pd.DataFrame:
    """The rows of the picture (columns :data:`ROW`): the references first, then the methods as they are registered.

    ``extra``: rows shown even without results; ``keep``: which rows are shown (the original always is).
    """
    stored = table[ROW].drop_duplicates()
    there = set(stored[["method", "variant"]].itertuples(index=False, name=None))
    added = [tables.method_columns(name) | {"variant": variant} for name, variant in extra if (name, variant) not in there]
    rows = pd.concat([f for f in (stored, pd.DataFrame(added, columns=ROW)) if len(f)] or [stored], ignore_index=True)
    if keep is not None:
        pairs = zip(rows["method"], rows["variant"], strict=True)
        rows = rows[np.array([method == tables.ORIGINAL or keep(method, variant) for method, variant in pairs], dtype=bool)]
    place = {name: k for k, name in enumerate(dict.fromkeys([*REFERENCES, *methods.names()]))}
    return rows.assign(place=rows["method"].map(place)).sort_values(["place", "variant"], ignore_index=True)[ROW]


def specs_of(
    store: Results, runs: pd.DataFrame, scenario: Scenario, mine: Sequence[MethodSpec] = ()
) -> dict[RowKey, MethodSpec]:
    """What each row would run: every method with its tuned and its published values, stored variants as they were stored, and
    ``mine``."""
    specs = {(name, ""): make_method(name, scenario) for name in methods.names()}
    paper = {name: make_method(name, scenario, values="paper") for name in methods.names()}
    specs |= {(name, PAPER): spec for name, spec in paper.items() if spec != specs[name, ""]}
    varied = runs[runs["variant"] != ""].drop_duplicates(["method", "variant"])
    known = stored_runs(store, scenario.dataset.name).spec_of(varied["spec"])
    for name, variant, key in varied[["method", "variant", "spec"]].itertuples(index=False, name=None):
        if key in known:
            specs[name, variant] = known[key]
    return specs | dict(zip(who(mine, scenario, runs), mine, strict=True))


def in_set(values: Values, specs: Iterable[RowKey]) -> Callable[[str, str], bool]:
    """Whether a row has this set of a method's values, with or without changes. A method whose two sets are one (it has no row
    "paper" in ``specs``) is in both."""
    two = {method for method, variant in specs if variant == PAPER}
    return lambda method, variant: method not in two or set_of(variant) == values


def who(specs: Sequence[MethodSpec], scenario: Scenario, runs: pd.DataFrame) -> list[RowKey]:
    """The rows of these methods with these parameters; ``runs``: those that are shown."""
    shown = runs.drop_duplicates("spec").set_index("spec")["variant"]
    return [(spec.name, shown.get(spec.key, tables.variant(spec, scenario))) for spec in specs]


def by_score(rows: pd.DataFrame, table: pd.DataFrame, tasks: Sequence[Cell], higher: bool) -> pd.DataFrame:
    """``rows`` with the methods ordered by their mean over the tasks that all of them have, or else over their own."""
    inside = table[rows_in_tasks(table, tasks)]
    if inside["mean"].notna().sum() == 0:
        return rows
    wide = inside.pivot_table(index=["method", "variant"], columns=DIALS, values="mean")
    common = wide.dropna(axis="columns")
    means = (common if common.shape[1] else wide).mean(axis="columns")
    score = pd.Series([means.get((m, v), np.nan) for m, v in zip(rows["method"], rows["variant"], strict=True)], rows.index)
    fixed = rows["method"].isin(REFERENCES)
    order = score[~fixed].sort_values(ascending=not higher, na_position="last", kind="stable").index
    return pd.concat([rows[fixed], rows.loc[order]], ignore_index=True)


def runs_in(runs: pd.DataFrame, method: str, variant: str, task: Cell) -> pd.DataFrame:
    """The runs behind one cell, by seed."""
    inside = (runs["method"] == method) & (runs["variant"] == variant)
    inside &= (runs["regularity"] == task.regularity) & (runs["discovery"] == task.discovery)
    return runs[inside].sort_values("seed", ignore_index=True)


def long_table(
    runs: pd.DataFrame, metric: str, rows: pd.DataFrame, tasks: Sequence[Cell], scenarios: Mapping[str, Scenario]
) -> pd.DataFrame:
    """What the picture shows as ``tables.summary`` gives it, for files: mean, standard error and n of ``value``. ``scenarios``:
    the view's by kind ("": on the dial); tasks of different kinds are told apart by their settings and options."""
    shown = pd.MultiIndex.from_frame(rows[["method", "variant"]])
    kept = runs[pd.MultiIndex.from_frame(runs[["method", "variant"]]).isin(shown) & rows_in_tasks(runs, tasks)]
    words = {kind: options_of(scenarios[kind]) for kind in kept["kind"].unique()}
    return tables.summary(kept.assign(**{metric: kept["value"]}, options=kept["kind"].map(words)), metric)
