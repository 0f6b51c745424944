"""Values of stored models that are measured after their runs: which there are to measure, and which are stored already."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from unlearn_core.canonical import content_key
from unlearn_core.errors import UserError
from unlearn_core.evaluation import registry as metrics
from unlearn_core.presets import make_method
from unlearn_core.results.measured import REFERENCE_MODELS, defined, run_metrics
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    from unlearn_core.results.run_table import StoredRuns


class Place(NamedTuple):
    """Where a run stands in its setting; None for what has no meaning there."""

    regularity: float | None
    discovery: float | None
    seed: int


@dataclass(frozen=True)
class MissingMetric:
    """Values of one scenario that can be measured from what is stored: run keys, the original's own included."""

    scenario: Scenario
    metric: str
    keys: tuple[str, ...]
    references: tuple[str, ...]

    @functools.cached_property
    def key(self) -> str:
        return content_key("measured", self.scenario, self.metric, self.keys, self.references, *defined([self.metric]))


class Places:
    """The scenarios of one setting by their places, with the keys that they need; each is worked out once."""

    def __init__(self, scenario: Scenario) -> None:
        self._base = scenario
        self._originals: dict[tuple[float | None, int], str] = {}
        self._presets: dict[str, MethodSpec] = {}
        self._references: dict[tuple[str, Place], str] = {}
        self._pending: dict[tuple[object, ...], MissingMetric] = {}

    @functools.cached_property
    def setting(self) -> str:
        return self._base.setting_key

    def scenario(self, place: Place) -> Scenario:
        return at(self._base, *place)

    def original_key(self, place: Place) -> str:
        """The same at every discovery rate."""
        known = (place.regularity, place.seed)
        if known not in self._originals:
            self._originals[known] = self.scenario(place).original_key
        return self._originals[known]

    def reference_key(self, name: str, place: Place) -> str:
        """The key of what a metric compares with, stored or not."""
        if name == "original":
            return self.original_key(place)
        if (name, place) not in self._references:
            scenario = self.scenario(place)
            if name == REFERENCE_MODELS:
                from unlearn_core.evaluation.rmia import reference_models_key

                self._references[name, place] = reference_models_key(scenario)
            else:
                if name not in self._presets:
                    self._presets[name] = make_method(name, self._base)
                self._references[name, place] = scenario.run_key(self._presets[name])
        return self._references[name, place]

    def pending(self, place: Place, metric: str, keys: tuple[str, ...], references: tuple[str, ...]) -> MissingMetric:
        asked = (place, metric, keys, references)
        if asked not in self._pending:
            self._pending[asked] = MissingMetric(self.scenario(place), metric, keys, references)
        return self._pending[asked]


def places_of(scenario: Scenario) -> Places:
    """The places of this scenario's setting; those of the last few are kept."""
    base = scenario.model_copy(update={"seed": 0})
    if base.forget is None:
        base = base.at_rate(1.0)
    if not base.corruption.found:
        base = at(base, 1.0, base.discovery, 0)
    return cached_places(base.model_dump_json())


@functools.lru_cache(maxsize=16)
def cached_places(scenario_json: str) -> Places:
    """The places of a setting by the JSON of its base scenario: the keys of the last few are not worked out again."""
    return Places(Scenario.model_validate_json(scenario_json))


def at(scenario: Scenario, regularity: float | None, discovery: float | None, seed: int) -> Scenario:
    """The scenario with its dials and its seed elsewhere; a dial that is None stays as it is."""
    changed: dict[str, object] = {"seed": int(seed)}
    if regularity is not None:
        changed["corruption"] = scenario.corruption.model_copy(update={"regularity": float(regularity)})
    moved = scenario if discovery is None else scenario.at_rate(float(discovery))
    return moved.model_copy(update=changed)


def pending_in(store: Results, places: Places, rows: pd.DataFrame, metric: str, runs: frozenset[str]) -> list[MissingMetric]:
    """What has to be measured for ``rows`` (one setting, columns regularity, discovery, seed, key) and can be.

    ``runs``: keys of stored runs. Whatever the metric compares with has to be stored as well.
    """
    compared = metrics.get(metric).compares_with
    found: dict[Place, list[str]] = {}
    for regularity, discovery, seed, key in rows[[*Place._fields, "key"]].itertuples(index=False, name=None):
        found.setdefault(Place(_dial(regularity), _dial(discovery), int(seed)), []).append(key)
    references = {place: tuple(places.reference_key(name, place) for name in compared) for place in found}
    asked = sorted({key for keys in references.values() for key in keys} - runs)
    there = runs | store.has(asked) if asked else runs
    return [
        places.pending(place, metric, tuple(sorted(keys)), references[place])
        for place, keys in found.items()
        if there.issuperset(references[place])
    ]


def late_values(store: Results, runs: StoredRuns, rows: pd.DataFrame, metric: str) -> dict[str, float | None]:
    """Run key → ``metric`` of these rows, measured now where that was not done before; what cannot be measured is left out."""
    scenarios, stored = runs.scenario_of(rows["setting"].unique()), frozenset(runs.frame["key"])
    values: dict[str, float | None] = {}
    for setting, group in rows.groupby("setting", sort=False):
        parts = pending_in(store, places_of(scenarios[str(setting)]), group, metric, stored)
        known = runs.values_of(part.key for part in parts)
        for part in parts:
            values |= known[part.key] if part.key in known else _measured(store, runs, part)
    return values


def _measured(store: Results, runs: StoredRuns, part: MissingMetric) -> Mapping[str, float | None]:
    values: dict[str, float | None] = {}
    for key, spec in store.runs.specs(part.keys).items():
        with contextlib.suppress(LookupError):  # its arrays were damaged, and so it is not stored any more
            values[key] = run_metrics(store, part.scenario, MethodSpec.parse(spec["method"]), {}, part.metric)[part.metric]
    with contextlib.suppress(UserError):  # where nothing can be written it is measured again next time
        store.put(part.key, "measured", {"metric": part.metric}, {"values": values}, {})
    return values


def _dial(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
