"""What a record says of itself in its spec: dataset, methods, and the records that it builds on."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from unlearn_core.errors import UserError
from unlearn_core.specs import MethodSpec, Scenario

HAND_MADE = frozenset({"forget_set", "forget_content"})
"""Kinds of record that a person has made: nothing can compute them again."""
ADOPTED = "gallery"
"""The entry in the environment of a record that came with the program (``results/gallery_records.py``), and would come back."""


def dataset_of(spec: Mapping[str, Any]) -> str | None:
    """The name of the dataset that a record is about, None where it says none."""
    found = _within(spec, "scenario", "dataset", "name")
    return found if isinstance(found, str) else None


def methods_of(spec: Mapping[str, Any]) -> list[str]:
    """The names of the methods that a record is about."""
    listed = spec.get("methods")
    told = [spec.get("method"), *(listed if isinstance(listed, list) else [])]
    return [name for one in told if isinstance(one, Mapping) and isinstance(name := one.get("name"), str)]


def edited_data(spec: Mapping[str, Any]) -> str | None:
    """The key of the data whose named sets a record's hand-made forget set belongs to; None where it was not hand-made."""
    if _within(spec, "scenario", "forget") is None:
        return None
    keys = _keys_of_scenario(_text(spec["scenario"]))
    return None if keys is None else keys[1]


def builds_on(key: str, spec: Mapping[str, Any]) -> set[str]:
    """Keys of the original and of the runs that the record ``key`` was computed from; some of them may not be stored.

    Nothing where this version cannot read its spec: what it was computed from is then of no use to this version either.
    """
    found = set[str]()
    if isinstance(spec.get("scenario"), Mapping):
        scenario = _text(spec["scenario"])
        if (keys := _keys_of_scenario(scenario)) is not None:
            found.add(keys[0])
        listed = spec.get("methods")
        for method in (spec.get("method"), *(listed if isinstance(listed, list) else ())):
            if isinstance(method, Mapping) and (run := _run_key(scenario, _text(method))) is not None:
                found.add(run)
    return found - {key}


@functools.lru_cache(maxsize=4096)
def _scenario(text: str) -> Scenario | None:
    try:
        return Scenario.parse(json.loads(text))
    except UserError:
        return None


@functools.lru_cache(maxsize=4096)
def _keys_of_scenario(text: str) -> tuple[str, str] | None:
    """(the original's key, the key of the data that named sets belong to)."""
    scenario = _scenario(text)
    return None if scenario is None else (scenario.original_key, scenario.sets_key)


def _run_key(scenario: str, method: str) -> str | None:
    task = _scenario(scenario)
    try:
        return None if task is None else task.run_key(MethodSpec.parse(json.loads(method)))
    except UserError:
        return None


def _within(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
