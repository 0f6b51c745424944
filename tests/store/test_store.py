"""The store on both databases: round trips, finding, orphans; and places that are good or bad."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from storetools import KEY, WEIGHTS, age, artifacts_of, files, put

from unlearn_core.errors import UserError
from unlearn_core.store import MissingArtifact, Store


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


def test_equal_content_is_equal_bytes(store: Store) -> None:
    """So a second attempt replaces the file that a first one left."""
    put(store)
    before = files(store)
    for _ in range(5):
        store.delete(KEY)
        put(store)
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


def test_an_array_group_that_never_was_leaves_the_record_alone(store: Store) -> None:
    put(store)
    with pytest.raises(MissingArtifact, match="no snapshots"):
        store.arrays(KEY, "snapshots")
    assert store.get(KEY) is not None


def test_orphans_go_when_old_and_nothing_else_does(store: Store) -> None:
    put(store)
    folder = files(store)[0].parent
    old, young, temporary = folder / "old.safetensors", folder / "young.safetensors", folder / "half.safetensors.1a.tmp"
    foreign = artifacts_of(store) / "notes.txt"
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


def test_opening_is_quick_and_free_of_torch(store: Store) -> None:
    put(store)
    code = "import sys; from unlearn_core.store import Store; assert Store.open(sys.argv[1]).get(sys.argv[2]);"
    code += "assert 'torch' not in sys.modules"
    start = os.times().children_user
    subprocess.run([sys.executable, "-c", code, store.location, KEY], check=True)
    assert os.times().children_user - start < 3  # 0.6 s


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
    start = time.monotonic()
    with pytest.raises(UserError, match="does not answer: connection") as caught:
        Store.open(f"postgresql://me:secret@127.0.0.1:1/db?artifacts={tmp_path}")
    assert "secret" not in str(caught.value)
    assert time.monotonic() - start < 10  # a wrong address is not waited for


def test_the_missing_driver_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for address in ("postgresql://host/db", "postgresql+psycopg://host/db"):
        with pytest.raises(UserError, match=r"PostgreSQL needs the package psycopg: pip install 'psycopg\[binary\]'\.$"):
            Store.open(f"{address}?artifacts={tmp_path}")


def test_text_that_a_database_refuses_is_kept_as_far_as_it_goes(store: Store) -> None:
    store.fail(KEY, "run", "caf\udce9 \x00.", "half a \ud83d pair")
    failure = store.failure(KEY)
    assert failure is not None
    assert (failure.message, failure.detail) == ("caf? .", "half a ? pair")
    record = store.put("text", "run", {"name": "\x00\udce9"}, {}, {})
    assert record.spec == {"name": "\x00\udce9"}
