"""Precomputed results that come with the code, so that the first pictures need no training.

``runs.csv`` has the metrics of a whole sweep, one row per run: read-only, shown below what a store has itself.
``records.json`` and ``arrays/`` have the complete records of the demo, which a store can adopt. ``provenance.json`` says how
it was all made. ``kinds/`` has the same table and provenance for kinds of corruption that have no place on the map,
``photographs/`` for the map of other data, whose files do not come with the code, ``lessons/`` what the steps of the lessons
open on beyond all that (:mod:`~unlearn_core.results.gallery_lessons`).
"""

from __future__ import annotations

import functools
import json
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.evaluation import of_today
from unlearn_core.evaluation import registry as metrics
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.gallery_lessons import LessonRuns, made_line, read_lessons
from unlearn_core.results.gallery_records import ADOPTED, ARRAYS, RECORDS, Adopting, adopt_records, array_path
from unlearn_core.results.settings import read_options, read_variant
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.support.dashboard import DASHBOARD

__all__ = [
    "ADOPTED", "ARRAYS", "COLUMNS", "FOLDER", "KINDS", "LESSONS", "MAPS", "PROVENANCE", "RECORDS", "RUNS", "Gallery",
    "array_path", "comparison_rows", "gallery", "identity_today", "keys_today",
]  # fmt: skip

FOLDER: Final = DASHBOARD / "assets" / "gallery"
ENVIRONMENT: Final = "UNLEARN_GALLERY"
"""Names another folder; empty for no gallery at all."""
RUNS, PROVENANCE, LESSONS, KINDS = "runs.csv", "provenance.json", "lessons", "kinds"
MAPS: Final = ("photographs",)
"""The data that have a map of their own, which is their folder's name."""
TASK: Final = ["dataset", "model", "amount", "regularity", "discovery", "options", "seed"]
COLUMNS: Final = [*TASK, "method", "label", "oracle", "variant", *metrics.names(), "device", "key"]


@dataclass(frozen=True)
class Gallery:
    """A folder with precomputed results, and how they were made."""

    folder: Path
    provenance: Mapping[str, Any]

    @functools.cached_property
    def runs(self) -> pd.DataFrame:
        """As ``tables.results`` gives them, with rows of the originals; those that do not hold any more are left out."""
        rows, today = self._rows, identity_today(self._rows)
        there = rows["key"] == today["key"]
        return rows.assign(setting=today["setting"], spec=today["spec"])[there].reset_index(drop=True)

    @property
    def outdated(self) -> int:
        """How many rows are left out because a method, its preset or the dataset has changed since."""
        return len(self._rows) - len(self.runs)

    @functools.cached_property
    def _rows(self) -> pd.DataFrame:
        rows = pd.read_csv(self.folder / RUNS)
        return _typed(rows.drop(columns=self.redefined, errors="ignore"))

    @property
    def redefined(self) -> list[str]:
        """The metrics that had another definition when this was computed: they have no values here."""
        current = of_today(dict.fromkeys(metrics.names()), self.provenance.get("metric_revisions") or {})
        return [name for name in metrics.names() if name not in current]

    @functools.cached_property
    def lessons(self) -> LessonRuns | None:
        """What the steps of the lessons open on, where that is no part of the map or the demo; None where there is none."""
        return read_lessons(self.folder / LESSONS)

    @functools.cached_property
    def kinds(self) -> Gallery | None:
        """The kinds of corruption that have no place on the map; None where there are none."""
        return _open(self.folder / KINDS)

    @functools.cached_property
    def maps(self) -> dict[str, Gallery]:
        """The maps of other data that are there, by name (:data:`MAPS`)."""
        return {name: part for name in MAPS if (part := _open(self.folder / name)) is not None}

    @functools.cached_property
    def on_dial(self) -> pd.DataFrame:
        """:attr:`runs`, and those of :attr:`maps`: everything that has a place on a map."""
        return _below(self.runs, *self.maps.values())

    @functools.cached_property
    def with_kinds(self) -> pd.DataFrame:
        """:attr:`on_dial`, and those of :attr:`kinds`."""
        return self.on_dial if self.kinds is None else _below(self.on_dial, self.kinds)

    @property
    def comparisons(self) -> pd.DataFrame:
        """:attr:`with_kinds` and below them what the lessons compare, for :func:`comparison_rows`."""
        rows = self.with_kinds
        return rows if self.lessons is None else pd.concat([rows, self.lessons.rows], ignore_index=True)

    def line(self) -> str:
        """Where these results come from, in one sentence."""
        gone = f" {self.outdated} results are left out: their methods have changed since." if self.outdated else ""
        labels = ", ".join(metrics.get(name).label for name in self.redefined)
        gone += f" There are no values of {labels}: they have other definitions since." if labels else ""
        return made_line(self.provenance) + gone

    def line_of(self, keys: Collection[str]) -> str:
        """The same for these results, each part's that some of them come from."""
        parts = [
            part
            for part in (self, self.kinds, *self.maps.values())
            if part is not None and part.runs["key"].isin(list(keys)).any()
        ]
        told = [part.line() for part in parts]
        if self.lessons is not None and not self.lessons.keys.isdisjoint(keys):
            told.append(self.lessons.line())
        return " ".join(told) or self.line()

    def adopt(self, store: Adopting) -> int:
        """Put the complete records that still hold today, and that the store lacks, into it; returns how many."""
        taken = adopt_records(self.folder, self.provenance["date"], store)
        return taken if self.lessons is None else taken + self.lessons.adopt(store)


def gallery(folder: str | Path | None = None) -> Gallery | None:
    """The gallery in ``folder`` (default: ``$UNLEARN_GALLERY``, or the one beside the code); None where there is none."""
    place = folder if folder is not None else os.environ.get(ENVIRONMENT, str(FOLDER))
    return _open(Path(place)) if str(place) else None


@functools.lru_cache(maxsize=4)
def _open(folder: Path) -> Gallery | None:
    if not (folder / PROVENANCE).exists():
        return None
    try:
        return Gallery(folder, dict(json.loads((folder / PROVENANCE).read_text())))
    except (OSError, ValueError) as error:
        warnings.warn(f"The gallery in {folder} cannot be read, so there is none: {error}", stacklevel=2)
        return None


def _below(rows: pd.DataFrame, *parts: Gallery) -> pd.DataFrame:
    return pd.concat([rows, *(part.runs for part in parts)], ignore_index=True) if parts else rows


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The table as :func:`unlearn_core.results.tables.results` has it; a metric that is new since has no values."""
    rows = rows.reindex(columns=COLUMNS)
    kinds = {"seed": int, "oracle": bool} | dict.fromkeys(["amount", "regularity", "discovery", *metrics.names()], float)
    return rows.assign(**{name: rows[name].fillna("") for name in ("options", "variant")}).astype(kinds)


def comparison_rows(runs: pd.DataFrame, scenario: Scenario, specs: Sequence[MethodSpec]) -> pd.DataFrame:
    """What ``Gallery.runs`` knows of a comparison: rows of the original and of ``specs``, with the columns of
    ``tables.comparison``. None of an edited forget set."""
    columns = ["method", "label", "oracle", *metrics.names(), "device", "key"]
    if scenario.forget is not None:
        return pd.DataFrame(columns=columns)
    keys = {scenario.original_key, *(scenario.run_key(spec) for spec in specs)}
    # An original has a row at every discovery rate, since what is measured of it depends on what is known.
    rows = runs[runs["key"].isin(keys) & np.isclose(runs["discovery"].astype(float), scenario.discovery)]
    return rows.drop_duplicates("key").reindex(columns=columns).reset_index(drop=True)


def keys_today(rows: pd.DataFrame) -> pd.Series:
    """The key that each row has with today's methods, presets and datasets; empty where there is no such part any more."""
    return identity_today(rows)["key"]


def identity_today(rows: pd.DataFrame) -> pd.DataFrame:
    """The same with what tells cells apart: columns key, setting and spec as ``tables.results`` has them."""
    scenarios: dict[tuple[Any, ...], tuple[Scenario, str]] = {}
    specs: dict[tuple[str, str, str], MethodSpec] = {}
    found = []
    columns = ["dataset", "model", "amount", "regularity", "discovery", "seed", "options", "method", "variant"]
    told = rows.reindex(columns=columns).fillna({"options": ""})
    for *task, name, variant in told.to_numpy(object):
        try:
            if tuple(task) not in scenarios:
                made = _scenario(*task)
                scenarios[tuple(task)] = made, made.setting_key
            scenario, setting = scenarios[tuple(task)]
            if name == "original":
                found.append((scenario.original_key, setting, name))
                continue
            if (setting, name, variant) not in specs:
                values, changed = read_variant(variant)
                specs[setting, name, variant] = make_method(name, scenario, changed, values)
            spec = specs[setting, name, variant]
            found.append((scenario.run_key(spec), setting, spec.key))
        except UserError:
            found.append(("", "", ""))
    return pd.DataFrame(found, columns=["key", "setting", "spec"], index=rows.index, dtype=object)


def _scenario(
    dataset: str, model: str, amount: float, regularity: float, discovery: float, seed: int, options: str
) -> Scenario:
    return make_scenario(
        dataset, regularity=regularity, amount=amount, discovery=discovery, model=model, seed=int(seed),
        overrides=read_options(options),
    )  # fmt: skip
