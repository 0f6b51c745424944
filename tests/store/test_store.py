"""The store: round trips, damage, several writers, schema versions, bad places."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unlearn_core.errors import UserError
from unlearn_core.store import MissingArtifact, Store, _artifacts
from unlearn_core.store import _schema as store_module

KEY = "0123456789abcdef"
WEIGHTS = {"layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(7)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def put(store: Store, key: str = KEY, **arrays: dict[str, np.ndarray]) -> None:
    store.put(key, "run", {"seed": 0}, {"metrics": {"healed": 0.5}}, {"torch": "2"}, arrays or {"weights": WEIGHTS})


def files(store: Store) -> list[Path]:
    return sorted(p for p in store._artifacts.root.glob("??/*") if p.is_file())


def age(path: Path) -> None:
    old = time.time() - 2 * _artifacts.GRACE
    os.utime(path, (old, old))


def test_a_record_comes_back_as_it_went_in(store: Store) -> None:
    put(store)
    record = store.get(KEY)
    assert record is not None
    assert (record.kind, record.spec, record.payload, record.environment) == (
        "run",
        {"seed": 0},
        {"metrics": {"healed": 0.5}},
        {"torch": "2"},
    )
    assert record.arrays == ("weights",)
    assert record.size == files(store)[0].stat().st_size
    assert abs(record.created.timestamp() - time.time()) < 60
    loaded = store.arrays(KEY, "weights")
    assert loaded["steps"].shape == ()
    np.testing.assert_array_equal(loaded["layer.weight"], WEIGHTS["layer.weight"])


@given(
    array=hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_, np.float16]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    ),
    transpose=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arrays_round_trip_to_the_bit(store: Store, array: np.ndarray, transpose: bool) -> None:
    array = array.T if transpose else array
    store.delete(KEY)
    put(store, group={"a": array})
    loaded = store.arrays(KEY, "group")["a"]
    assert loaded.dtype == array.dtype
    assert loaded.shape == array.shape
    assert loaded.tobytes() == np.asarray(array, order="C").tobytes()


def test_put_is_idempotent_and_keeps_the_first(store: Store) -> None:
    put(store)
    before = files(store)
    record = store.put(KEY, "run", {"seed": 9}, {}, {}, {"weights": {"other": np.zeros(3)}})
    assert record.spec == {"seed": 0}
    assert files(store) == before


def test_undefined_numbers_become_null(store: Store) -> None:
    record = store.put(KEY, "run", {}, {"loss": float("nan"), "list": [np.float64("inf"), np.int64(3)], "t": (1,)}, {})
    assert record.payload == {"loss": None, "list": [None, 3], "t": [1]}


def test_find_has_and_delete(store: Store) -> None:
    for index in range(3):
        put(store, f"run{index}")
    store.put("orig", "original", {}, {}, {})
    assert [r.key for r in store.find("run")] == ["run0", "run1", "run2"]
    assert len(store.find()) == 4
    assert store.has([*(f"k{i}" for i in range(900)), "run1", "orig", "orig"]) == {"run1", "orig"}
    store.delete("run1")
    store.delete("run1")
    assert store.get("run1") is None
    assert len(files(store)) == 2


def test_failures_are_remembered_until_a_record_comes(store: Store) -> None:
    store.fail(KEY, "run", "It broke.", "Traceback …")
    store.fail(KEY, "run", "It broke again.", "")
    failure = store.failure(KEY)
    assert failure is not None
    assert failure.message == "It broke again."
    put(store)
    assert store.failure(KEY) is None
    store.fail(KEY, "run", "too late")
    assert store.failure(KEY) is None
    store.fail("other", "run", "x")
    store.clear_failure("other")
    assert store.failure("other") is None


@pytest.mark.parametrize("damage", ["truncate", "remove", "extend"])
def test_a_row_without_its_file_is_dropped_at_start_up(store: Store, damage: str) -> None:
    put(store)
    put(store, "intact")
    broken = next(p for p in files(store) if KEY in p.name)
    if damage == "remove":
        broken.unlink()
    else:
        broken.write_bytes(broken.read_bytes()[:-4] if damage == "truncate" else broken.read_bytes() + b"x")
    again = Store.open(store.location)
    assert [r.key for r in again.find()] == ["intact"]
    assert again.has([KEY, "intact"]) == {"intact"}


def test_damage_while_open_is_noticed(store: Store) -> None:
    put(store)
    files(store)[0].unlink()
    assert store.get(KEY) is None
    put(store)
    assert store.get(KEY) is not None


def test_a_flipped_bit_is_never_loaded(store: Store) -> None:
    put(store)
    path = files(store)[0]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(MissingArtifact, match="damaged"):
        store.arrays(KEY, "weights")
    assert store.get(KEY) is None
    assert files(store) == []
    put(store)
    assert store.arrays(KEY, "weights")["steps"] == 7


def test_an_array_group_that_never_was_leaves_the_record_alone(store: Store) -> None:
    put(store)
    with pytest.raises(MissingArtifact, match="no snapshots"):
        store.arrays(KEY, "snapshots")
    assert store.get(KEY) is not None


def test_orphans_go_when_old_and_nothing_else_does(store: Store) -> None:
    put(store)
    folder = files(store)[0].parent
    old, young, temporary = folder / "old.safetensors", folder / "young.safetensors", folder / "half.safetensors.1a.tmp"
    foreign = store._artifacts.root / "notes.txt"
    for path in (old, young, temporary, foreign):
        path.write_bytes(b"x")
    for path in (old, temporary, foreign, files(store)[0]):
        age(path)
    again = Store.open(store.location)
    assert not old.exists()
    assert not temporary.exists()
    assert young.exists()
    assert foreign.exists()
    assert again.get(KEY) is not None


def test_nothing_is_left_when_the_disk_refuses(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_artifacts.os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        put(store)
    assert files(store) == []
    assert store.get(KEY) is None


WRITER = """
import sys, numpy as np
from unlearn_core.store import Store
store = Store.open(sys.argv[1])
for index in range(30):
    store.put(f"shared{index}", "run", {}, {}, {}, {"w": {"a": np.full(50, int(sys.argv[2]))}})
    store.put(f"own{sys.argv[2]}-{index}", "run", {}, {}, {}, {"w": {"a": np.full(50, index)}})
"""


def test_several_processes_create_and_write_one_store(tmp_path: Path) -> None:
    place = str(tmp_path / "store")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, place, str(n)], stderr=subprocess.PIPE) for n in (1, 2, 3)]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors.decode()
    store = Store.open(place)
    records = store.find()
    assert len(records) == 30 + 3 * 30
    assert len(files(store)) == len(records)
    for record in records:
        assert len(store.arrays(record.key, "w")["a"]) == 50


def test_killed_while_writing_leaves_a_sound_store(tmp_path: Path) -> None:
    place = str(tmp_path / "store")
    endless = WRITER.replace("range(30)", "range(10**6)")
    writer = subprocess.Popen([sys.executable, "-c", endless, place, "1"])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(list(Path(place).rglob("*.safetensors"))) < 5:
        time.sleep(0.02)
    writer.kill()
    writer.wait()
    store = Store.open(place)
    assert store.find()
    for record in store.find():
        store.arrays(record.key, "w")


def test_opening_is_quick_and_free_of_torch(store: Store) -> None:
    put(store)
    code = "import sys; from unlearn_core.store import Store; assert Store.open(sys.argv[1]).get(sys.argv[2]);"
    code += "assert 'torch' not in sys.modules"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, store.location, KEY], check=True)
    assert time.perf_counter() - start < 3  # 0.3 s alone; a loaded machine gets room


def test_an_older_schema_is_upgraded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store)
    store.close()

    def add_note(db: sa.Connection) -> None:
        db.exec_driver_sql("ALTER TABLE records ADD COLUMN note TEXT")

    monkeypatch.setattr(store_module, "SCHEMA", 2)
    monkeypatch.setitem(store_module.UPGRADES, 1, add_note)
    for _ in range(2):
        upgraded = Store.open(store.location)
        assert upgraded.get(KEY) is not None
    columns = sqlite3.connect(Path(store.location) / "lethe.sqlite").execute("PRAGMA table_info(records)").fetchall()
    assert "note" in {column[1] for column in columns}


def test_a_newer_schema_is_refused_untouched(store: Store) -> None:
    database = sqlite3.connect(Path(store.location) / "lethe.sqlite")
    with database:
        database.execute("UPDATE lethe SET value = '99' WHERE name = 'schema'")
    with pytest.raises(UserError, match="newer version"):
        Store.open(store.location)


def test_a_failed_upgrade_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(db: sa.Connection) -> None:
        db.exec_driver_sql("ALTER TABLE records ADD COLUMN note TEXT")
        db.exec_driver_sql("ALTER TABLE nowhere ADD COLUMN note TEXT")

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "SCHEMA", 2)
        patch.setitem(store_module.UPGRADES, 1, broken)
        with pytest.raises(UserError):
            Store.open(store.location)
    put(Store.open(store.location))


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "env"))
    assert Store.open().location == str(tmp_path / "env")
    monkeypatch.chdir(tmp_path)
    relative = Store.open("here")
    assert relative.location == str(tmp_path / "here")
    url = Store.open("sqlite:///db.sqlite?artifacts=files")
    put(url)
    monkeypatch.chdir("/")
    again = Store.open(url.location)
    assert again.get(KEY) is not None
    assert again.location == url.location
    assert list((tmp_path / "files").rglob("*.safetensors"))


def test_places_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "lethe.sqlite").write_bytes(b"this is no database, whatever its name says" * 100)
    for place, why in [
        (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "sub", "is a file"),
        (folder, "not a database"),
        ("sqlite://", "in-memory"),
        ("nonsense://host/db", "not a database address"),
        ("postgresql+nodriver://host/db", "not a database address"),
        ("/proc/nowhere/store", "cannot be"),
    ]:
        with pytest.raises(UserError, match=why) as caught:
            Store.open(place)
        assert "\n" not in str(caught.value)


def test_a_password_stays_out_of_messages(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(UserError) as caught:
        Store.open(f"postgresql+psycopg://me:secret@127.0.0.1:1/db?artifacts={tmp_path}")
    assert "secret" not in str(caught.value)
