"""What breaks around a store: full disks, locks, absent servers, clocks. Nothing stored is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from postgresserver import Server
from storetools import KEY, WEIGHTS, expect_one_sentence, files, put

from unlearn_core.errors import UserError
from unlearn_core.store import Store, database
from unlearn_core.store.artifacts import Artifacts

# -- a full disk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("what", ["arrays", "row"])
def test_a_full_disk_refuses_the_new_and_keeps_the_old(small_disk: Path, what: str) -> None:
    store = Store.open(small_disk / "store")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    put(store)

    def more(key: str) -> None:
        arrays = {"w": {"a": np.zeros(60_000, np.uint8)}} if what == "arrays" else {}
        store.put(key, "run", {}, {"text": "x" * (60_000 if what == "row" else 1)}, {}, arrays)

    kept = [KEY]

    def fill() -> None:
        for number in range(100):
            more(f"more{number}")
            kept.append(f"more{number}")

    with pytest.raises(UserError, match=r"No space left on device|database or disk is full") as caught:
        fill()
    expect_one_sentence(caught)
    lost = f"more{len(kept) - 1}"
    assert store.get(lost) is None
    assert store.has(kept) == set(kept)
    assert len(files(store)) == sum(len(record.arrays) for record in store.find())
    store.arrays(KEY, "weights")
    ballast.unlink()
    more(lost)
    store.close()
    again = Store.open(small_disk / "store")
    assert again.has([*kept, lost]) == {*kept, lost}
    again.close()


def test_the_second_file_that_does_not_fit_takes_the_first_along(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) > 3:  # a file and its folder for the first array group, then the second
            raise OSError(28, "No space left on device")

    put(store, "before")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        synced.append(0)
        with pytest.raises(UserError, match=r"cannot write its files: No space left on device\.$"):
            put(store, weights=WEIGHTS, snapshots=WEIGHTS)
    assert len(files(store)) == 1
    assert store.has([KEY, "before"]) == {"before"}
    put(store, weights=WEIGHTS, snapshots=WEIGHTS)
    assert store.has([KEY, "before"]) == {KEY, "before"}


def test_a_database_that_cannot_grow_takes_no_file_either(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    put(store)

    pages = 1  # SQLite takes the present size instead

    def limit(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(sa.Pool, "checkout", limit)
    try:
        with pytest.raises(UserError, match=r"cannot be used: database or disk is full\.$"):
            store.put("big", "run", {}, {"text": "x" * 10**5}, {}, {"weights": WEIGHTS})
        assert len(files(store)) == 1
        pages = 10**6
        assert store.has([KEY, "big"]) == {KEY}
    finally:
        sa.event.remove(sa.Pool, "checkout", limit)
    store.put("big", "run", {}, {"text": "x" * 10**5}, {}, {"weights": WEIGHTS})


# -- a database that is busy or away ----------------------------------------------------------------------------------


def hold(store: Store, server: Server | None) -> Callable[[], None]:
    """Lock the database as another program would; returns what lets go of it."""
    if server is None:
        other = sqlite3.connect(Path(store.location) / "lethe.sqlite", check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        return other.close
    schema = store.location.partition("search_path%3D")[2].partition("&")[0]
    connection = server.connect()
    connection.autocommit = False
    connection.execute(f"LOCK TABLE {schema}.records, {schema}.failures IN EXCLUSIVE MODE")
    return connection.close


def test_a_locked_database_is_waited_for_and_then_named(
    place: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = request.getfixturevalue("server") if "://" in place else None
    monkeypatch.setattr(database, "PATIENCE", 20.0)
    store = Store.open(place)
    release = hold(store, server)
    timer = threading.Timer(0.7, release)
    timer.start()
    start = time.monotonic()
    put(store)
    assert 0.5 < time.monotonic() - start < 15
    timer.join()
    store.close()

    monkeypatch.setattr(database, "PATIENCE", 0.5)
    store = Store.open(place)
    release = hold(store, server)
    start = time.monotonic()
    with pytest.raises(UserError, match=r"is busy, another program keeps it locked \(tried for \d+ s\)") as caught:
        put(store, "late")
    expect_one_sentence(caught)
    assert time.monotonic() - start < 10
    assert store.get(KEY) is not None  # readers never wait
    release()
    put(store, "late")
    assert store.has([KEY, "late"]) == {KEY, "late"}
    assert len(files(store)) == 2
    store.close()


def test_who_holds_the_lock_is_named_and_what_helps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if "://" in store.location or not Path("/proc/locks").exists():
        pytest.skip("only Linux tells who holds a lock on a file")
    code = "import sqlite3, sys; other = sqlite3.connect(sys.argv[1]); other.execute('BEGIN IMMEDIATE'); print(); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, Path(store.location) / "lethe.sqlite"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    with pytest.raises(UserError, match=rf"process {holder.pid} \(python[\d.]*\)\.$") as caught:
        put(store)
    expect_one_sentence(caught)
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(UserError, match=rf"which is stopped; continue it \(kill -CONT {holder.pid}\) or end it") as caught:
        put(store)
    expect_one_sentence(caught)
    holder.kill()
    holder.wait()
    put(store)


@pytest.fixture
def restarted(server: Server) -> Iterator[Server]:
    """The server, which a test may stop; it runs again afterwards."""
    yield server
    server.stop()
    server.start()


def test_a_server_that_comes_back_is_waited_for(restarted: Server, tmp_path: Path) -> None:
    place = restarted.new_store(tmp_path / "files")
    store = Store.open(place)
    put(store, "before")
    restarted.stop()
    results: list[object] = []
    work: list[Callable[[], Any]] = [
        lambda: put(store, "during"),
        lambda: store.arrays("before", "weights")["steps"].item(),
        lambda: store.fail("other", "run", "It broke."),
        lambda: Store.open(place, sweep=False).get("before").key,
    ]
    threads = [threading.Thread(target=lambda call=call: results.append(call())) for call in work]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    assert all(thread.is_alive() for thread in threads)
    restarted.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, results)) == ["7", "None", "None", "before"]
    assert store.has(["before", "during"]) == {"before", "during"}
    assert store.failure("other") is not None
    store.close()


def test_a_server_that_stays_away_is_named(restarted: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = restarted.new_store(tmp_path / "files")
    store = Store.open(place)
    put(store)
    monkeypatch.setattr(database, "PATIENCE", 0.5)
    restarted.stop()
    with pytest.raises(UserError, match=r"does not answer \(tried for \d+ s\)") as caught:
        put(store, "new")
    expect_one_sentence(caught)
    monkeypatch.undo()
    start = time.monotonic()
    with pytest.raises(UserError, match="does not answer: "):
        Store.open(place)
    assert time.monotonic() - start < 10  # who has just typed the address hears at once
    restarted.start()
    put(store, "new")
    assert store.has([KEY, "new"]) == {KEY, "new"}
    store.close()


def test_what_is_written_twice_is_there_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection may break after the commit and before the answer: then a write is done again."""
    write = database.Database.write

    def twice(db: database.Database, work: Callable[[Any], Any], key: str | None = None, patience: float | None = None) -> Any:
        write(db, work, key, patience)
        return write(db, work, key, patience)

    monkeypatch.setattr(database.Database, "write", twice)
    put(store)
    store.fail("other", "run", "It broke.")
    assert store.arrays(KEY, "weights")["steps"] == 7
    assert len(store.find()) == len(files(store)) == 1
    assert store.failure("other") is not None
    store.delete(KEY)
    store.clear_failure("other")
    assert store.find() == files(store) == []


# -- clocks -----------------------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_back_changes_nothing_but_the_dates(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    put(store, "first")
    monkeypatch.setattr(time, "time", lambda: now - 86400)
    put(store, "second")
    store.fail("other", "run", "It broke.")
    put(store, "first", weights={"w": np.zeros(2)})
    again = Store.open(store.location)
    assert again.has(["first", "second"]) == {"first", "second"}
    assert again.arrays("first", "weights").keys() == WEIGHTS.keys()
    assert again.failure("other") is not None
    assert len(files(store)) == 2


def test_a_sweep_with_a_fast_clock_cannot_take_a_result_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine, whose clock is a day ahead, sweeps between a file and its row."""
    other, now, write, swept = Store.open(store.location), time.time(), Artifacts.write, list[tuple[int, int]]()

    def interrupted(*arguments: Any) -> Any:
        entry = write(*arguments)
        if not swept:
            with monkeypatch.context() as patch:
                patch.setattr(time, "time", lambda: now + 86400)
                swept.append(other.sweep())
        return entry

    monkeypatch.setattr(Artifacts, "write", interrupted)
    put(store)
    assert swept == [(0, 1)]
    assert store.arrays(KEY, "weights")["steps"] == 7
    monkeypatch.setattr(time, "time", lambda: now + 86400)
    assert other.sweep() == (0, 0)
