"""Every stored run as one table, kept in memory for each store: only what has changed is read again, nothing parsed twice."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
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

ALWAYS: Final = ("memorised", "memorised_known", "seconds")
"""Metrics that are there whatever is asked for: tables show them beside others."""

_kept: weakref.WeakKeyDictionary[Any, dict[str | None, StoredRuns]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def stored_runs(store: Results, dataset: str | None = None, only: Collection[str] | None = None) -> StoredRuns:
    """The runs of this store (on one dataset) as they are now. ``only``: the metrics that are asked for, where others may be
    left out: a hundred thousand runs have more numbers than a table needs."""
    with _lock:
        parts = _kept.setdefault(store.runs, {})
        found = parts.setdefault(dataset, StoredRuns(store.runs, dataset))
    return found.refreshed(only)


class StoredRuns:
    """A table of runs that follows its store. ``frame``: :data:`COLUMNS`, :data:`TOLD` and one float column per metric that was
    asked for."""

    def __init__(self, table: Any, dataset: str | None) -> None:
        self._table = weakref.proxy(table)
        self.dataset = dataset
        self._lock = threading.Lock()
        self.mark: tuple[int, ...] = ()
        self._only: frozenset[str] | None = frozenset(ALWAYS)
        self._texts: dict[str, str] = {}
        self._scenarios: dict[str, Scenario] = {}
        self._specs: dict[str, MethodSpec] = {}
        self._names: dict[str, tuple[list[str], frozenset[str]]] = {}
        self.kept: dict[str, Any] = {}
        """The latest of what was made of :attr:`frame`, with what it was made for."""
        self.values: dict[str, Mapping[str, float | None]] = {}
        """Records of values that were measured later, by key: they never change."""
        self.frame = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in (COLUMNS | {TOLD: object}).items()})

    def refreshed(self, only: Collection[str] | None = None) -> StoredRuns:
        """The same with what has changed in the store since; with metrics that were not asked for before, all is read anew."""
        with self._lock:
            if self._only is not None and (only is None or not self._only.issuperset(only)):
                self._only = None if only is None else self._only.union(only)
                self.mark = ()
            if not self.mark:
                self.frame, self.mark = self._read_all()
                return self
            changes = self._table.changes(self.mark, self.frame["key"], self.dataset)
            frame = self.frame
            if changes.gone:
                frame = frame[~frame["key"].isin(changes.gone)].reset_index(drop=True)
            if changes.added:
                new = _Growing(self._columns(changes.added)).frame()
                frame = pd.concat([frame, new], ignore_index=True) if len(frame) else new
            self.frame, self.mark = frame, changes.mark
        return self

    def _read_all(self) -> tuple[pd.DataFrame, tuple[int, ...]]:
        whole = _Growing()
        mark = self._table.whole(lambda rows: whole.add(self._columns(rows)), self.dataset)
        return whole.frame(), mark

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

    def _columns(self, rows: Sequence[Any]) -> dict[str, np.ndarray]:
        """Column → its values in these rows, which have the table's fields."""
        given = dict(zip(self._table.fields, zip(*rows, strict=True), strict=True))
        found = {name: self._shared(given[name]) for name in (*TEXTS, TOLD) if name != "key"}
        found["key"] = np.array(given["key"], dtype=object)
        found |= {name: np.array(given[name], dtype=kind) for name, kind in COLUMNS.items() if name not in TEXTS}
        kinds, stored = found[TOLD], given["numbers"]
        for told in dict.fromkeys(kinds):
            where = np.flatnonzero(kinds == told)
            if told not in self._names:
                self._names[told] = self._named(given["key"][where[0]])
            names, holding = self._names[told]
            kept = [(k, name) for k, name in enumerate(names) if name in holding and (self._only is None or name in self._only)]
            if kept:
                matrix = np.frombuffer(b"".join(stored[k] for k in where), "<f8").reshape(-1, len(names))
                for k, name in kept:
                    found.setdefault(name, np.full(len(rows), np.nan))[where] = matrix[:, k]
        return found

    def _shared(self, texts: Sequence[str | None]) -> np.ndarray:
        """These texts, equal ones as one object."""
        one = self._texts.setdefault
        if len(few := set(texts)) == 1:
            (text,) = few
            found = np.empty(len(texts), dtype=object)
            found.fill(text and one(text, text))  # np.full would make a text of its own for every row
            return found
        return np.array([text and one(text, text) for text in texts], dtype=object)

    def _named(self, key: str) -> tuple[list[str], frozenset[str]]:
        """Which metrics records as this one have, and which of these values hold today."""
        payload = self._table.payloads([key]).get(key, {})
        return sorted(payload.get("metrics") or {}), frozenset(recorded(payload))

    def telling(self, metric: str) -> frozenset[str]:
        """The values of :data:`TOLD` of records that speak of this metric, with a value or with null."""
        return frozenset(told for told, (_, holding) in self._names.items() if metric in holding)


class _Growing:
    """Columns that grow by parts. Each is one array from the start: thousands of small ones between what is only there while a
    part is read would keep all of that memory."""

    def __init__(self, *parts: Mapping[str, np.ndarray]) -> None:
        self._kinds = dict[str, Any](COLUMNS) | {TOLD: object}
        self._columns = {name: np.empty(0, dtype=kind) for name, kind in self._kinds.items()}
        self._size = 0
        for part in parts:
            self.add(part)

    def add(self, part: Mapping[str, np.ndarray]) -> None:
        """The next rows; a metric that they lack is NaN there."""
        size = self._size + len(part["key"])
        for name in part.keys() | self._columns.keys():
            column = self._columns.get(name)
            if column is None or len(column) < size:
                old, column = column, np.empty(size + size // 2, dtype=self._kinds.get(name, float))
                column[: self._size] = np.nan if old is None else old[: self._size]
            column[self._size : size] = part.get(name, np.nan)
            self._columns[name] = column
        self._size = size

    def frame(self) -> pd.DataFrame:
        """The table of all that was added."""
        kinds = {name: self._kinds.get(name, float) for name in self._columns}
        columns = {name: pd.Series(self._columns[name][: self._size], dtype=kind) for name, kind in kinds.items()}
        return pd.DataFrame(columns, copy=False)


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
    place = pd.MultiIndex.from_frame(pairs[["setting", "spec"]]).get_indexer(
        pd.MultiIndex.from_frame(frame[["setting", "spec"]])
    )
    if (place < 0).any():
        frame, place = frame[place >= 0], place[place >= 0]
    told = {name: pd.Series(pairs[name].to_numpy()[place], dtype=pairs[name].dtype) for name in ("label", "oracle", "variant")}
    return frame.reset_index(drop=True).assign(**told)


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
