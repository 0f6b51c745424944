"""One row of the table of runs: made from a record's JSON, read back as what cells and tables filter and group by."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.errors import UserError
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.store.schema import runs

RUN = "run"
"""The kind of record that has a row."""
_OWN = frozenset({"metrics", "seconds", "trajectory", "report", "params", "redirect_layers", "method", "device"})
"""What of a run's payload differs from run to run. Everything else, with the names of the metrics, is what ``told`` is of."""
COLUMNS = [column for column in runs.columns if column.name != "reader"]
"""What a :class:`RunRow` is read from, in its order."""


class RunRow(NamedTuple):
    """One stored run. ``setting``: ``Scenario.setting_key``; ``spec``: ``MethodSpec.key``. ``regularity`` is None where the
    corruption is as found, ``discovery`` for an edited set; ``number`` where the row is not in the table.

    ``numbers``: the metrics in the order of their names, float64, NaN for null. ``told``: equal for records that have metrics
    of the same names, and say the same beside them: what one of their payloads says of its metrics holds for all.
    """

    number: int | None
    key: str
    dataset: str
    model: str
    amount: float | None
    regularity: float | None
    discovery: float | None
    seed: int
    setting: str
    method: str
    spec: str
    device: str | None
    told: str
    numbers: bytes


def as_run_row(row: Mapping[str, Any]) -> RunRow | None:
    """What :func:`make_row` made, without a number; None where this version could not read the record."""
    return None if row["setting"] is None else RunRow._make(row.get(column.name) for column in COLUMNS)


def make_row(key: str, spec: str, payload: str) -> dict[str, Any]:
    """The row of one record from its JSON; without a setting where this version cannot read it."""
    plain: dict[str, Any] = dict.fromkeys(column.name for column in COLUMNS if column.name != "number")
    plain |= {"key": key, "reader": reader()}
    told, given = json.loads(spec), json.loads(payload)
    try:
        task, name = read_task(_sorted_json(told["scenario"])), told["method"]["name"]
        method = _method_key(_sorted_json(told["method"]))
    except (UserError, KeyError, TypeError):
        return plain
    metrics = dict(sorted((given.get("metrics") or {}).items()))
    rest = {field: value for field, value in given.items() if field not in _OWN}
    numbers = np.array([_number(value) for value in metrics.values()], dtype="<f8").tobytes()
    about = {"told": content_key("told", list(metrics), rest), "numbers": numbers, "device": given.get("device")}
    return plain | task | {"method": name, "spec": method} | about


@functools.cache
def reader() -> str:
    """What tells this version's way of reading specs from another's: rows that one could not read, the next one tries."""
    return content_key("reader", Scenario.model_json_schema(), MethodSpec.model_json_schema())


@functools.lru_cache(maxsize=4096)
def read_task(scenario_json: str) -> dict[str, Any]:
    """The columns that a scenario fills; kept, as many runs share one."""
    scenario = Scenario.parse(json.loads(scenario_json))
    found = scenario.corruption.found
    return {
        "dataset": scenario.dataset.name,
        "model": scenario.model.name,
        "amount": None if found else scenario.corruption.amount,
        "regularity": None if found else scenario.corruption.regularity,
        "discovery": None if scenario.edited else scenario.discovery,
        "seed": scenario.seed,
        "setting": scenario.setting_key,
    }


@functools.lru_cache(maxsize=4096)
def _method_key(method_json: str) -> str:
    return MethodSpec.parse(json.loads(method_json)).key


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _sorted_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
