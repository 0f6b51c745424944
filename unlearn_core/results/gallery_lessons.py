"""What the steps of the lessons open on, as far as it is neither in the gallery's map nor in its demo.

``runs.json`` has what a comparison shows of a run: its metrics and those of its rounds; read-only, shown below what a store has
itself. ``records.json`` and ``arrays/`` have the complete records of what a step looks into, which a store adopts; only the
weights of the rounds are left out. ``provenance.json`` says how it was made.
"""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from unlearn_core.evaluation import of_today
from unlearn_core.evaluation import registry as metrics
from unlearn_core.results.gallery_records import RECORDS, Adopting, adopt_records

RUNS, PROVENANCE = "runs.json", "provenance.json"
WHO: Final = ["key", "method", "label", "oracle", "discovery", "device"]


@dataclass(frozen=True)
class LessonRuns:
    """A folder with the results of the lessons' steps, and how they were made."""

    folder: Path
    provenance: Mapping[str, Any]

    @functools.cached_property
    def entries(self) -> list[dict[str, Any]]:
        """One for each run, and for each original at each discovery rate: what :data:`WHO` names, "values" and "trajectory"."""
        return list(json.loads((self.folder / RUNS).read_text()))

    @functools.cached_property
    def rows(self) -> pd.DataFrame:
        """One row an entry: what :data:`WHO` names and every metric, NaN where it has none. A key says which method it is of,
        with which values, in which revision: what is outdated has a key that nobody asks for."""
        measured = self.provenance.get("metric_revisions") or {}
        found = [{name: one[name] for name in WHO} | of_today(one["values"], measured) for one in self.entries]
        kinds = {"oracle": bool, "discovery": float} | dict.fromkeys(metrics.names(), float)
        return pd.DataFrame(found, columns=[*WHO, *metrics.names()]).astype(kinds)

    @functools.cached_property
    def trajectories(self) -> dict[str, list[dict[str, Any]]]:
        """Key of a run → its metrics round by round."""
        return {one["key"]: one["trajectory"] for one in self.entries if one["trajectory"]}

    @functools.cached_property
    def keys(self) -> frozenset[str]:
        """Of every result that is here, as a row or as a whole record."""
        records = json.loads((self.folder / RECORDS).read_text())
        return frozenset(one["key"] for one in (*self.entries, *records))

    def line(self) -> str:
        """Where these results come from, in one sentence."""
        return made_line(self.provenance)

    def adopt(self, store: Adopting) -> int:
        """Put the complete records that still hold today, and that the store lacks, into it; returns how many."""
        return adopt_records(self.folder, self.provenance["date"], store)


def read_lessons(folder: Path) -> LessonRuns | None:
    """What is in ``folder``; None where there is nothing that can be read."""
    if not (folder / PROVENANCE).exists():
        return None
    try:
        return LessonRuns(folder, dict(json.loads((folder / PROVENANCE).read_text())))
    except (OSError, ValueError) as error:
        warnings.warn(f"The lessons' results in {folder} cannot be read, so there are none: {error}", stacklevel=2)
        return None


def made_line(made: Mapping[str, Any]) -> str:
    """How results that come with the code were made, in one sentence and its note."""
    versions = ", ".join(f"{name} {version}" for name, version in made.get("versions", {}).items())
    note = f" {made['note']}" if made.get("note") else ""
    return (
        f"From the gallery that comes with Eunoe, computed on {made.get('date')} with `{made.get('command')}` on "
        f"{made.get('machine')} ({versions}).{note}"
    )
