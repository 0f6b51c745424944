"""Leases on keys: one holder at a time, taken over only when abandoned, gone with the result; read-only stores need none."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from storetools import KEY, put

from unlearn_core.store import Lease, Store


def test_one_holder_at_a_time(store: Store) -> None:
    assert store.leases.take("key", "one", "here 1 0") is None
    assert store.leases.take("key", "one", "here 1 0") is None  # the same attempt, asked twice
    assert store.leases.take("key", "two", "there 2 0") == Lease("key", "one", "here 1 0", 0)
    assert store.leases.take("other", "two", "there 2 0") is None
    assert set(store.leases.of(["key", "other", "free"])) == {"key", "other"}
    store.leases.drop("key", "two")  # it is not its own
    assert store.leases.take("key", "two", "there 2 0") is not None
    store.leases.drop("key", "one")
    assert store.leases.take("key", "two", "there 2 0") is None


def test_an_abandoned_lease_is_taken_over_unless_it_moves(store: Store) -> None:
    store.leases.take("key", "one", "here 1 0")
    seen = store.leases.of(["key"])["key"]
    assert store.leases.beat("key", "one", 1)
    moved = store.leases.take("key", "two", "there 2 0", over=seen)
    assert moved == Lease("key", "one", "here 1 0", 1)
    assert store.leases.take("key", "two", "there 2 0", over=moved) is None
    assert not store.leases.beat("key", "one", 2)  # the first holder learns that it is another's
    assert store.leases.of(["key"])["key"].holder == "two"


def test_what_a_killed_process_left_on_a_finished_key_is_swept(store: Store) -> None:
    put(store)
    store.leases.take(KEY, "one", "here 1 0")
    store.leases.take("unfinished", "one", "here 1 0")
    store.sweep()
    assert set(store.leases.of([KEY, "unfinished"])) == {"unfinished"}


def test_a_read_only_store_without_leases_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the version before had it: it may not be upgraded here, and readers need no lease."""
    made = Store.open(tmp_path / "store")
    put(made)
    made.close()
    database = sqlite3.connect(tmp_path / "store" / "lethe.sqlite")
    database.execute("DROP TABLE leases")
    database.execute("UPDATE lethe SET value = '2' WHERE name = 'schema'")
    database.commit()
    database.close()
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        reader = Store.open(tmp_path / "store")
        assert reader.read_only
        assert reader.has([KEY]) == {KEY}
    writer = Store.open(tmp_path / "copy")  # where it may be written to it is upgraded, and nothing is lost
    assert writer.has([KEY]) == {KEY}
    assert writer.leases.take("key", "one", "here 1 0") is None
