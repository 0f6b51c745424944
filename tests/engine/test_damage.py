"""Damaged files: found when they are read, and the stage that made them is computed again, with the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlearn_core.engine import Engine
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store


def stored(store: Store) -> dict[tuple[str, str, str], bytes]:
    """Every array in the store to the bit, by record, group and name."""
    groups = [(record.key, group, store.arrays(record.key, group)) for record in store.find() for group in record.arrays]
    return {(key, group, name): value.tobytes() for key, group, arrays in groups for name, value in arrays.items()}


@pytest.mark.parametrize("how", ["flip", "truncate"])
def test_a_damaged_original_is_trained_again(tmp_path: Path, how: str) -> None:
    task = make_scenario("blobs", regularity=0.0, discovery=0.5, overrides={"training.epochs": 3})
    stages = plan_runs(task, [make_method("finetune", task)])
    original, run = stages[0].key, stages[-1].key
    store = Store.open(tmp_path)
    engine = Engine(store, address="inline")
    try:
        assert engine.wait(engine.submit(stages, "first"), 60).state == "done"
        before = stored(store)
        store.delete(run)
        [path] = tmp_path.rglob(f"{original}-weights-*")
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if how == "flip" else data[:-1])
        view = engine.wait(engine.submit(stages, "again"), 60)
    finally:
        engine.close()
    assert [stage.state for stage in view.stages] == ["done", "done"]
    assert stored(store) == before
    assert store.failure(run) is None
    note = "was damaged, computed again" if how == "flip" else ""  # a file cut short is found before anything is planned
    assert view.stages[0].message == note
