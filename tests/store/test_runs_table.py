"""The table of runs: says what the records say, is read by changes, mends itself, and is made for older stores."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from storetools import database_of

from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.store import Store, run_rows
from unlearn_core.store import runs as run_table
from unlearn_core.store.database import Database
from unlearn_core.store.run_rows import RunRow
from unlearn_core.store.runs import Changes, RunTable
from unlearn_core.store.schema import records, runs

REM = make_method("rem", make_scenario("blobs"))


def put(store: Store, seed: int, dataset: str = "blobs", method: MethodSpec = REM, **payload: Any) -> str:
    what = make_scenario(dataset, amount=60, seed=seed)
    about = {"scenario": what.model_dump(mode="json"), "method": method.model_dump(mode="json")}
    told = {"metrics": {"utility": seed / 10, "healed": None}, "device": "cpu", "trajectory": [{"round": 1}]} | payload
    store.put(what.run_key(method), "run", about, told, {})
    return what.run_key(method)


def sql(store: Store, statement: Any) -> None:
    with database_of(store) as database:
        database.write(lambda db: db.execute(statement))


def without_numbers(rows: tuple[RunRow, ...]) -> set[RunRow]:
    return {row._replace(number=None) for row in rows}


def test_a_row_says_what_its_record_says(store: Store) -> None:
    key = put(store, 3)
    store.put("other", "original", {}, {}, {})
    (row,) = store.runs.changes().added
    what = make_scenario("blobs", amount=60, seed=3)
    assert (row.key, row.dataset, row.model, row.amount, row.seed) == (key, "blobs", what.model.name, 60, 3)
    assert (row.regularity, row.discovery, row.device) == (1.0, 0.3, "cpu")
    assert (row.setting, row.method, row.spec) == (what.setting_key, "rem", REM.key)
    healed, utility = np.frombuffer(row.numbers)
    assert np.isnan(healed)
    assert utility == 0.3
    assert store.runs.specs([key])[key]["scenario"]["seed"] == 3
    assert store.runs.find(dataset="blobs", seed=3, method="rem") == [row]
    assert store.runs.find(dataset="blobs", seed=4) == []


def test_records_that_speak_of_the_same_metrics_in_the_same_version_are_told_alike(store: Store) -> None:
    for seed, more in enumerate([{}, {"seconds": 2.0}, {"version": 2}, {"metrics": {"utility": 0.5}}]):
        put(store, seed, **more)
    told = [row.told for row in store.runs.changes().added]
    assert told[0] == told[1]
    assert len(set(told)) == 3


def test_only_what_changed_is_read(store: Store) -> None:
    keys = [put(store, seed) for seed in range(3)]
    put(store, 0, "waves")
    first = store.runs.changes(dataset="blobs")
    assert [row.key for row in first.added] == keys
    assert store.runs.changes(first.mark, keys, "blobs") == Changes(first.mark)
    keys.append(put(store, 3))
    put(store, 1, "waves")
    second = store.runs.changes(first.mark, keys[:3], "blobs")
    assert ([row.key for row in second.added], second.gone) == (keys[3:], frozenset())
    store.delete(keys[0])
    third = store.runs.changes(second.mark, keys, "blobs")
    assert (third.added, third.gone) == ((), {keys[0]})
    keys[0] = put(store, 0)
    fourth = store.runs.changes(third.mark, keys[1:], "blobs")
    assert [row.key for row in fourth.added] == keys[:1]
    assert len(store.runs.changes().added) == 6


def test_one_that_went_while_one_came_late_is_noticed(store: Store) -> None:
    """A row with a lower number may be committed after one with a higher number, where several write at once."""
    keys = [put(store, seed) for seed in range(3)]
    mark = store.runs.changes().mark
    sql(store, sa.update(runs).where(runs.c.key == keys[0]).values(number=100))
    known, last = keys[1:], store.runs.changes()
    late = store.runs.changes((2, 100, mark[2] - 1, 0), known)
    assert [row.key for row in late.added] == [keys[0]]
    store.delete(keys[1])
    sql(store, sa.update(runs).where(runs.c.key == keys[2]).values(number=50))
    assert store.runs.changes(last.mark, keys).gone == {keys[1]}


def test_where_nothing_was_written_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, other = Store.open(tmp_path / "store"), Store.open(tmp_path / "store")
    put(store, 0)
    first = store.runs.changes()
    assert store.runs.whole(lambda _: None, "waves") == (0, 0, 0, 0)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "read", lambda *_: pytest.fail("nothing was written, and the database was asked"))
        assert store.runs.changes(first.mark) == Changes(first.mark)
    key = put(other, 1)
    second = store.runs.changes(first.mark)
    assert [row.key for row in second.added] == [key]
    other.delete(key)
    assert store.runs.changes(second.mark, [key]).gone == {key}
    store.close()
    put(other, 2)
    assert [row.seed for row in store.runs.changes(first.mark).added] == [2]


def test_all_rows_are_given_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_table, "PAGE", 2)
    keys = [put(store, seed) for seed in range(5)]
    put(store, 0, "waves")
    parts: list[list[Any]] = []
    mark = store.runs.whole(lambda rows: parts.append(list(rows)), "blobs")
    assert [len(part) for part in parts] == [2, 2, 1]
    given = [RunRow._make(row) for part in parts for row in part]
    assert given == list(store.runs.changes(dataset="blobs").added)
    assert store.runs.changes(mark, keys, "blobs") == Changes(mark)
    sql(store, sa.update(runs).where(runs.c.key == keys[0]).values(number=100))
    put(store, 9)
    assert [row.seed for row in store.runs.changes(mark, keys, "blobs").added] == [9]


@pytest.mark.parametrize("batch", [2, 500])
def test_rows_that_are_missing_are_made_once(store: Store, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """As in a store of version 1, or after a program of that version has written into this one."""
    for seed in range(5):
        put(store, seed)
    before = without_numbers(store.runs.changes().added)
    monkeypatch.setattr(run_table, "BATCH", batch)
    sql(store, sa.delete(runs).where(runs.c.seed != 2))
    calls = []
    make = run_table.make_row
    monkeypatch.setattr(run_table, "make_row", lambda *row: calls.append(row[0]) or make(*row))
    again = Store.open(store.location)
    assert without_numbers(again.runs.changes().added) == before
    assert len(calls) == 4
    assert without_numbers(Store.open(store.location).runs.changes().added) == before
    assert len(calls) == 4
    again.close()


@pytest.mark.parametrize("sweep", [True, False])
def test_a_row_without_its_record_goes(store: Store, sweep: bool) -> None:
    keys = [put(store, seed) for seed in range(2)]
    mark = store.runs.changes().mark
    sql(store, sa.delete(records).where(records.c.key == keys[0]))
    assert store.runs.changes(mark, keys).gone == {keys[0]}
    put(store, 2)
    sql(store, sa.delete(records).where(records.c.key == keys[1]))
    sql(store, sa.delete(runs).where(runs.c.seed == 2))  # now the counts agree
    fresh = Store.open(store.location, sweep=sweep)
    if not sweep:
        fresh.runs.compare()  # as commands do that only read
    assert [row.seed for row in fresh.runs.changes().added] == [2]
    fresh.close()


def test_where_nothing_can_be_written_the_rows_are_kept_in_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [put(store, seed) for seed in range(3)]
    before = without_numbers(store.runs.changes().added)
    sql(store, sa.delete(runs))

    write = Database.write

    def refuse(db: Database, work: Any, key: str | None = None, patience: float | None = None) -> Any:
        if key == "runs":
            raise UserError("The store cannot be used: attempt to write a readonly database.")
        return write(db, work, key, patience)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", refuse)
        first = store.runs.changes(dataset="blobs")
        assert set(first.added) == before
        assert store.runs.changes(first.mark, keys, "blobs") == Changes(first.mark)
        assert [row.seed for row in store.runs.find(seed=1)] == [1]
        store.delete(keys[0])
        second = store.runs.changes(first.mark, keys, "blobs")
        assert (second.added, second.gone) == ((), {keys[0]})
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)  # writing is tried again after a while
    third = store.runs.changes(second.mark, keys[1:], "blobs")
    assert (third.added, third.gone) == ((), frozenset())
    assert {row.number is None for row in store.runs.changes().added} == {False}


def test_a_store_without_the_table_is_read_all_the_same(store: Store) -> None:
    put(store, 0)
    before = without_numbers(store.runs.changes().added)
    with database_of(store) as database:
        database.write(lambda db: runs.drop(db))
        assert set(RunTable(database).changes().added) == before


def test_what_this_version_cannot_read_is_tried_by_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_rows.read_task.cache_clear()
    what = make_scenario("blobs").model_dump(mode="json")
    store.put("odd", "run", {"scenario": what | {"new": 1}, "method": REM.model_dump(mode="json")}, {"metrics": {}}, {})
    store.put("none", "run", {"nothing": 1}, {}, {})
    good = put(store, 1)
    assert [row.key for row in store.runs.changes().added] == [good]
    newer = Scenario.model_validate
    for module in (run_rows, run_table):
        monkeypatch.setattr(module, "reader", lambda: "newer")
    monkeypatch.setattr(
        Scenario, "parse", classmethod(lambda _, data: newer({name: v for name, v in data.items() if name != "new"}))
    )
    run_rows.read_task.cache_clear()
    fresh = Store.open(store.location)
    assert {row.key for row in fresh.runs.changes().added} == {good, "odd"}
    fresh.close()
