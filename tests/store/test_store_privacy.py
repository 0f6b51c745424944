"""A store is its owner's alone, is never made where one should have been, and can be read where it cannot be written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from storetools import KEY, put

from unlearn_core.datasets.files import cache
from unlearn_core.errors import UserError
from unlearn_core.store import Store
from unlearn_core.store.database import Database
from unlearn_core.store.location import resolve
from unlearn_core.support import uploads


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(0o022)  # what most systems have
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Every file and folder below, with what may be done with it."""
    return {path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}


def private(found: dict[str, int]) -> bool:
    return all(mode & 0o077 == 0 for mode in found.values())


def test_only_its_owner_can_read_a_store_an_upload_or_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path / "store")
    put(store)
    uploads.keep(store.uploads, "a.zip", b"pictures")
    found = modes(tmp_path / "store")
    assert {"lethe.sqlite", "lethe.sqlite-wal", "lethe.sqlite-shm", "artifacts/store-id", "uploads"} <= set(found)
    assert [name for name in found if name.endswith(".safetensors")]
    assert private(found), found
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "images").mkdir(parents=True)  # as an earlier version made it
    cache.write_note("key", {"a": 1})
    cache.write("key", store.arrays(KEY, "weights"))
    assert private(modes(tmp_path / "cache" / "images"))


def test_an_older_store_becomes_private_and_keeps_working(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    put(store)
    store.close()
    for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    again = Store.open(tmp_path / "store")
    assert again.get(KEY) is not None
    assert again.arrays(KEY, "weights")
    found = modes(tmp_path / "store")
    assert found["lethe.sqlite"] == 0o600
    assert found["artifacts"] == 0o700
    assert found["."] == 0o755  # another's folder, perhaps with other things in it


def test_a_folder_that_several_people_write_to_stays_shared(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(0o2770)
    os.umask(0o002)
    put(Store.open(tmp_path / "store"))
    found = modes(tmp_path / "store")
    assert all(mode & 0o060 == 0o060 for mode in found.values()), found


def test_passwords_stay_out_of_every_message(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    address = f"postgresql://me:first@127.0.0.1:1/db?password=second&sslpassword=third&application_name=x&artifacts={tmp_path}"
    name = Database(resolve(address)[0]).name
    assert not any(secret in name for secret in ("first", "second", "third"))
    assert "application_name=x" in name
    with pytest.raises(UserError) as caught:
        Store.open(address)
    assert not any(secret in str(caught.value) for secret in ("first", "second", "third"))


def test_a_reading_command_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no store in"):
        Store.open(tmp_path / "none", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place that is no temporary folder, and a state folder of its own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


def test_a_disk_that_is_not_mounted_is_no_new_store(disk: Path) -> None:
    put(Store.open(disk / "lab"))
    away = disk.rename(disk.with_name("unplugged"))
    for mounted in (False, True):  # the folder it is mounted at may be there, and empty
        if mounted:
            disk.mkdir()
        with pytest.raises(UserError, match="is its disk not mounted"):
            Store.open(disk / "lab")
        assert not (disk / "lab").exists()
    disk.rmdir()
    away.rename(disk)
    assert Store.open(disk / "lab").get(KEY) is not None
    with pytest.raises(UserError, match="there is no folder"):  # one that was never there before
        Store.open(disk / "other" / "lab")
    shutil.rmtree(disk / "lab")
    with pytest.raises(UserError, match="touch") as caught:
        Store.open(disk / "lab")
    command = str(caught.value).partition("there: ")[2]
    subprocess.run(["sh", "-c", command], check=True)  # what the sentence says does begin a new one
    assert Store.open(disk / "lab").find() == []


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Path]:
    """A store on a disk that is mounted read-only."""
    folder = tmp_path / "frozen"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system can only be mounted by root")
    store = Store.open(folder / "store")
    put(store)
    store.fail("failed", "run", "It failed.")
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield folder / "store"
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_read_only_store_can_be_read(frozen: Path) -> None:
    store = Store.open(frozen)
    assert store.read_only
    assert store.get(KEY) is not None
    assert store.arrays(KEY, "weights")
    assert store.failure("failed") is not None
    for change in (lambda: put(store, "new"), lambda: store.delete(KEY), lambda: store.clear_failure("failed")):
        with pytest.raises(UserError, match="can only be read here"):
            change()
    joined = Store.join(store.location, store.identity)
    assert joined.has([KEY]) == {KEY}


def test_a_store_that_another_user_writes_to_is_read_as_it_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Store.open(tmp_path / "store")
    put(writer)
    with monkeypatch.context() as mine:
        mine.setattr(os, "access", lambda *_: False)
        reader = Store.open(tmp_path / "store")
    assert reader.read_only
    assert reader.has([KEY, "later"]) == {KEY}
    put(writer, "later")
    assert reader.has([KEY, "later"]) == {KEY, "later"}
    writer.close()
    assert sqlite3.connect(tmp_path / "store" / "lethe.sqlite").execute("SELECT count(*) FROM records").fetchone() == (2,)
    assert reader.has([KEY, "later"]) == {KEY, "later"}
