"""What the tests of ``store du|prune|export|import|verify`` share: small records with real specs and keys, and commands."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from storetools import database_of

from unlearn_core.cli import main
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.store import Store
from unlearn_core.store.schema import records

DAY = 86_400.0


def arrays(value: float, size: int = 50) -> dict[str, dict[str, np.ndarray]]:
    return {"weights": {"a": np.full(size, value, dtype=np.float32)}}


def plant_original(store: Store, scenario: Scenario, size: int = 50) -> str:
    key = scenario.original_key
    store.put(key, "original", {"scenario": plain(scenario)}, {"seconds": 1.0}, {"device": "cpu"}, arrays(1, size))
    return key


def plant_run(store: Store, scenario: Scenario, spec: MethodSpec, healed: float = 0.5, **environment: Any) -> str:
    key = scenario.run_key(spec)
    told = {"scenario": plain(scenario), "method": spec.model_dump(mode="json")}
    payload = {"method": spec.name, "metrics": {"healed": healed}, "seconds": 1.0, "device": "cpu"}
    store.put(key, "run", told, payload, {"device": "cpu"} | environment, arrays(2))
    return key


def plant_picture(store: Store, scenario: Scenario, spec: MethodSpec) -> str:
    key = f"ff{scenario.run_key(spec)[:14]}"
    told = {"scenario": plain(scenario), "method": spec.model_dump(mode="json")}
    store.put(key, "boundary", told, {}, {}, {"frames": {"a": np.zeros(2000)}})
    return key


def plant(store: Store, dataset: str = "blobs", seed: int = 0, method: str = "finetune") -> tuple[str, str, str]:
    """Keys of an original, a run on it and a picture of that."""
    scenario = make_scenario(dataset, seed=seed)
    spec = make_method(method, scenario)
    return plant_original(store, scenario), plant_run(store, scenario, spec), plant_picture(store, scenario, spec)


def plain(scenario: Scenario) -> dict[str, Any]:
    return scenario.model_dump(mode="json")


def make_older(store: Store, keys: tuple[str, ...], days: float) -> None:
    """Let these records look as if they had been stored so many days ago."""
    change = sa.update(records).where(records.c.key.in_(keys)).values(created=time.time() - days * DAY)
    with database_of(store) as database:
        database.write(lambda db: db.execute(change))


def ask_store(capsys: pytest.CaptureFixture[str], store: Store, *command: str, code: int = 0) -> Any:
    """The JSON that a command answers."""
    assert main(["store", *command, "--store", store.location, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def snapshot(store: Store) -> dict[str, tuple[Any, ...]]:
    """Everything that a store says of its records, their arrays included."""
    found = {}
    for one in store.find():
        numbers = {f"{name}.{k}": v.tolist() for name in one.arrays for k, v in store.arrays(one.key, name).items()}
        found[one.key] = one.kind, one.spec, one.payload, one.arrays, numbers
    return found
