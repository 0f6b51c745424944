"""Every stored run as one table, kept in memory for each store: only what has changed is read again, nothing parsed twice."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from unlearn_core.methods import registry as methods
from unlearn_core.presets import brought
from unlearn_core.results.measured import recorded
from unlearn_core.results.reader import Results
from unlearn_core.results.settings import options_of, told_apart, variant_of
from unlearn_core.specs import MethodSpec, Scenario

TEXTS: Final = ("key", "dataset", "model", "setting", "method", "spec", "device")
COLUMNS: Final = dict.fromkeys(TEXTS, object) | {
    "amount": float,
    "regularity": float,
    "discovery": float,
    "seed": int,
}
TOLD: Final = "told"
"""Column: which metrics the record speaks of, and in which version. Null is not the same as not told."""

_kept: weakref.WeakKeyDictionary[Any, dict[str | None, StoredRuns]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def stored_runs(store: Results, dataset: str | None = None) -> StoredRuns:
    """The runs of this store (on one dataset) as they are now."""
    with _lock:
        parts = _kept.setdefault(store.runs, {})
        found = parts.setdefault(dataset, StoredRuns(store.runs, dataset))
    return found.refreshed()


class StoredRuns:
    """A table of runs that follows its store. ``frame``: :data:`COLUMNS`, :data:`TOLD` and one float column per metric."""

    def __init__(self, table: Any, dataset: str | None) -> None:
        self._table = weakref.proxy(table)
        self.dataset = dataset
        self._lock = threading.Lock()
        self.mark: tuple[int, ...] = ()
        self._scenarios: dict[str, Scenario] = {}
        self._specs: dict[str, MethodSpec] = {}
        self._names: dict[str, tuple[list[str], frozenset[str]]] = {}
        self.kept: dict[str, Any] = {}
        """The latest of what was made of :attr:`frame`, with what it was made for."""
        self.values: dict[str, Mapping[str, float | None]] = {}
        """Records of values that were measured later, by key: they never change."""
        self.frame = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in (COLUMNS | {TOLD: object}).items()})

    def refreshed(self) -> StoredRuns:
        """The same with what has changed in the store since."""
        with self._lock:
            changes = self._table.changes(self.mark, self.frame["key"], self.dataset)
            frame = self.frame
            if changes.gone:
                frame = frame[~frame["key"].isin(changes.gone)].reset_index(drop=True)
            if changes.added:
                new = self._parsed(changes.added)
                frame = pd.concat([frame, new], ignore_index=True) if len(frame) else new
            self.frame, self.mark = frame, changes.mark
        return self

    def scenario_of(self, settings: Iterable[str]) -> dict[str, Scenario]:
        """Setting → one of its scenarios; dials and seed are any stored ones."""
        self._learn("setting", self._scenarios, lambda spec: Scenario.parse(spec["scenario"]), settings)
        return self._scenarios

    def spec_of(self, specs: Iterable[str]) -> dict[str, MethodSpec]:
        """Key of a method's spec → the spec."""
        self._learn("spec", self._specs, lambda spec: MethodSpec.parse(spec["method"]), specs)
        return self._specs

    def values_of(self, keys: Iterable[str]) -> dict[str, Mapping[str, float | None]]:
        """Key → values of those of these records of later measurements that the store has."""
        wanted = list(keys)
        found = self._table.payloads(key for key in wanted if key not in self.values)
        self.values |= {key: payload["values"] for key, payload in found.items()}
        return {key: self.values[key] for key in wanted if key in self.values}

    def _learn(self, column: str, known: dict[str, Any], parse: Any, wanted: Iterable[str]) -> None:
        """Read one record for each of these values of ``column`` that is not known yet."""
        lacking = set(wanted) - known.keys()
        if lacking:
            first = self.frame[self.frame[column].isin(lacking)].drop_duplicates(column)
            specs = self._table.specs(first["key"])
            known |= {value: parse(specs[key]) for value, key in zip(first[column], first["key"], strict=True) if key in specs}

    def _parsed(self, rows: Sequence[Any]) -> pd.DataFrame:
        given = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
        columns = {name: pd.Series(list(given[name]), dtype=kind) for name, kind in COLUMNS.items()}
        kinds, stored = pd.Series(list(given["told"]), dtype=object), given["numbers"]
        parts = []
        for told, part in kinds.groupby(kinds, sort=False):
            if told not in self._names:
                self._names[told] = self._named(rows[part.index[0]].key)
            names, holding = self._names[told]
            if len(names):
                matrix = np.frombuffer(b"".join(stored[k] for k in part.index), "<f8").reshape(-1, len(names))
                kept = [k for k, name in enumerate(names) if name in holding]
                parts.append(pd.DataFrame(matrix[:, kept], part.index, [names[k] for k in kept]))
        numbers = pd.concat(parts).reindex(kinds.index) if parts else pd.DataFrame(index=kinds.index)
        return pd.concat([pd.DataFrame(columns | {TOLD: kinds}), numbers], axis="columns")

    def _named(self, key: str) -> tuple[list[str], frozenset[str]]:
        """Which metrics records as this one have, and which of these values hold today."""
        payload = self._table.payloads([key]).get(key, {})
        return sorted(payload.get("metrics") or {}), frozenset(recorded(payload))

    def telling(self, metric: str) -> frozenset[str]:
        """The values of :data:`TOLD` of records that speak of this metric, with a value or with null."""
        return frozenset(told for told, (_, holding) in self._names.items() if metric in holding)


def described(runs: StoredRuns, frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` (rows of ``runs.frame``) of methods as they are today, with label, oracle and variant."""
    pairs = frame[["setting", "spec", "method", "dataset"]].drop_duplicates(["setting", "spec"])
    scenarios, specs = runs.scenario_of(pairs["setting"].unique()), runs.spec_of(pairs["spec"].unique())
    there = [s in scenarios and k in specs and _of_today(specs[k]) for s, k in pairs[["setting", "spec"]].to_numpy()]
    pairs = pairs[np.array(there, dtype=bool)]
    words: dict[tuple[str, str, bool, bool], str] = {}
    variants = []
    for setting, key in pairs[["setting", "spec"]].to_numpy():
        scenario = scenarios[setting]
        kind = (key, scenario.dataset.name, scenario.training.augment, brought(scenario.model))
        if kind not in words:
            words[kind] = variant_of(specs[key], *kind[1:])
        variants.append(words[kind])
    pairs = pairs.assign(
        label=pairs["method"].map({name: methods.get(name).label for name in pairs["method"].unique()}),
        oracle=pairs["method"].map({name: methods.get(name).oracle for name in pairs["method"].unique()}),
        variant=pd.Series(variants, pairs.index, dtype=object),
    )
    twice = pairs.duplicated(["setting", "method", "variant"], keep=False)
    pairs.loc[twice, "variant"] = [
        f"{v}, spec={k}".removeprefix(", ") for v, k in pairs.loc[twice, ["variant", "spec"]].to_numpy()
    ]
    return frame.merge(pairs[["setting", "spec", "label", "oracle", "variant"]], on=["setting", "spec"], how="inner")


def options(runs: StoredRuns, settings: Iterable[str]) -> dict[str, str]:
    """Setting → its options in words; two settings never have the same words with the same dataset, network and amount."""
    wanted = list(dict.fromkeys(settings))
    scenarios = runs.scenario_of(wanted)
    there = [scenarios[key] for key in wanted if key in scenarios]
    groups: dict[tuple[Any, ...], list[Scenario]] = {}
    for scenario in there:
        amount = None if scenario.corruption.found else scenario.corruption.amount
        groups.setdefault((scenario.dataset.name, scenario.model.name, amount), []).append(scenario)
    return {
        scenario.setting_key: text
        for group in groups.values()
        for scenario, text in zip(group, told_apart([options_of(one) for one in group], group), strict=True)
    }


def _of_today(spec: MethodSpec) -> bool:
    """Whether the method is still in this revision and has these parameters. One from before a knob was added may have done the
    same as today's run of the preset, and would count twice beside it."""
    if spec.name not in methods:
        return False
    method = methods.get(spec.name)
    fields, there = method.Params.model_fields.keys(), spec.params.keys()
    return bool(method.todays_revision() == spec.revision and fields - method.later <= there <= fields)
