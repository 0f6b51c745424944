"""Whole records that come with the code: read, held against what their keys would be today, put into a store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from unlearn_core.errors import UserError
from unlearn_core.presets import make_method
from unlearn_core.specs import Scenario

RECORDS, ARRAYS = "records.json", "arrays"
ADOPTED: Final = "gallery"
"""The entry in the environment of an adopted record: the date on which the gallery was made."""


class Adopting(Protocol):
    """The part of the store that adopting needs."""

    def has(self, keys: Sequence[str]) -> set[str]: ...
    def put(
        self,
        key: str,
        kind: str,
        spec: Mapping[str, Any],
        payload: Mapping[str, Any],
        environment: Mapping[str, Any],
        arrays: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    ) -> object: ...


def adopt_records(folder: Path, date: str, store: Adopting) -> int:
    """Put those of a folder's records that still hold today, and that the store lacks, into it; returns how many."""
    from safetensors.numpy import load_file

    entries = [entry for entry in json.loads((folder / RECORDS).read_text()) if _holds(entry)]
    there = store.has([entry["key"] for entry in entries])
    wanted = [entry for entry in entries if entry["key"] not in there]
    for entry in wanted:
        arrays = {name: dict(load_file(array_path(folder, entry["key"], name))) for name in entry["arrays"]}
        environment = entry["environment"] | {ADOPTED: date}
        store.put(entry["key"], entry["kind"], entry["spec"], entry["payload"], environment, arrays)
    return len(wanted)


def array_path(folder: Path, key: str, name: str) -> Path:
    """The file of one array group."""
    return folder / ARRAYS / f"{key}-{name}.safetensors"


def _holds(entry: Mapping[str, Any]) -> bool:
    """Whether a record would have the same key today: its methods' revisions and presets are still the same."""
    if entry["kind"] == "original":
        return True
    from unlearn_core.results.embedding_keys import embedding_key

    spec = entry["spec"]
    try:
        scenario = Scenario.parse(spec["scenario"])
        if "of" in entry:  # a look at one model, or at the data, has a key of its own that rests on theirs
            return bool(entry["of"] == looked_at(scenario, spec, entry.get("set", {})))
        if entry["kind"] == "run":
            return bool(scenario.run_key(make_method(spec["method"]["name"], scenario, entry.get("set", {}))) == entry["key"])
        methods = [make_method(method["name"], scenario) for method in spec["methods"]]
        return bool(embedding_key(scenario, methods, spec["way"]) == entry["key"])
    except UserError:
        return False


def looked_at(scenario: Scenario, spec: Mapping[str, Any], changed: Mapping[str, Any]) -> str:
    """Key, today, of what a plane, a decision map or a timeline was computed from; ``changed``: the method's parameters that
    are not those of its preset."""
    if "method" not in spec:
        return scenario.key
    told = spec["method"]
    return scenario.original_key if told is None else scenario.run_key(make_method(told["name"], scenario, changed))
