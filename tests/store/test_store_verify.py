"""``store verify``: every damage is found and named, mending drops exactly that, and what people made is never dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from storetools import age, artifacts_of, damage, database_of, files
from upkeeptools import ask_store, plant

from unlearn_core.cli import main
from unlearn_core.engine.lease import has_ended
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.store import Store
from unlearn_core.store.schema import records, runs
from unlearn_core.store.upkeep import verify


def file_of(store: Store, key: str) -> Path:
    return next(path for path in files(store) if path.name.startswith(key))


@pytest.mark.parametrize("how", ["remove", "truncate", "extend", "flip"])
def test_damage_is_found_named_and_mended(store: Store, capsys: pytest.CaptureFixture[str], how: str) -> None:
    original, run, picture = plant(store)
    damage(file_of(store, run), how)
    told = ask_store(capsys, store, "verify", code=1)
    assert not told["sound"]
    assert [(one["what"], one["where"]) for one in told["findings"]] == [("damaged", run)]
    assert (told["records"], told["files"]) == (3, 3)
    assert len(store.find()) == 3
    assert ask_store(capsys, store, "verify", "--quick", code=0 if how == "flip" else 1)["sound"] == (how == "flip")
    mended = ask_store(capsys, store, "verify", "--mend")
    assert mended["sound"]
    assert mended["mended"] == mended["findings"] == told["findings"]
    assert {record.key for record in store.find()} == {original, picture}
    assert len(files(store)) == 2
    assert ask_store(capsys, store, "verify")["findings"] == []
    assert store.runs.find() == []


def test_what_is_left_over_is_no_harm_and_is_removed(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    _, run, _ = plant(store)
    stray = file_of(store, run).with_name("zz-weights-0.safetensors")
    for path in (stray, stray.with_name("young.safetensors"), artifacts_of(store) / "notes.txt"):
        path.write_bytes(b"x")
    age(stray)
    store.leases.take("killed", "token", "elsewhere 1 0", needs=(run,))
    with database_of(store) as database:
        database.write(lambda db: db.execute(sa.delete(runs)))
    found = verify(store, lambda _: True)
    assert found.sound
    assert {(one.what, one.where) for one in found.findings} == {
        ("left over", f"{stray.parent.name}/{stray.name}"),
        ("index", run),
        ("lease", "killed"),
        ("lease", f"killed>{run}"),
    }
    verify(store, lambda _: True, mend=True)
    assert not stray.exists()
    assert stray.with_name("young.safetensors").exists()
    assert (artifacts_of(store) / "notes.txt").exists()
    assert verify(store, lambda _: True).findings == []
    assert len(store.runs.find()) == 1


def test_rows_that_cannot_be_read_are_damage(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    original, run, picture = plant(store)
    change = sa.update(records)
    with database_of(store) as database:
        database.write(lambda db: db.execute(change.where(records.c.key == original).values(files="[{")))
        database.write(lambda db: db.execute(change.where(records.c.key == run).values(payload="[]")))
    for command in (["du"], ["prune", "--kind", "original"]):
        assert main(["store", *command, "--store", store.location]) == 2
        assert "`eunoe store verify --mend` drops it" in capsys.readouterr().err
    assert {one.where for one in verify(store, has_ended, mend=True).findings} == {original, run}
    assert [record.key for record in store.find()] == [picture]
    assert main(["store", "du", "--store", store.location]) == 0


def test_what_people_made_is_reported_and_never_dropped(store: Store) -> None:
    sets = NamedSets(store, "data")
    whole, lost, broken = (sets.create(name, ForgetSet((k,))) for k, name in enumerate(("whole", "lost", "broken")))
    store.delete(lost.key)
    with database_of(store) as database:
        change = sa.update(records).where(records.c.key == broken.key).values(payload="{")
        database.write(lambda db: db.execute(change))
    found = verify(store, has_ended, mend=True)
    assert not found.sound
    assert {(one.what, one.where) for one in found.findings} == {("lost", lost.id), ("lost", broken.key)}
    assert store.has([broken.key, whole.key]) == {broken.key, whole.key}


def test_a_file_that_cannot_be_read_now_is_not_dropped(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _, run, _ = plant(store)
    open_path = Path.open

    def refuse(path: Path, *given: Any, **named: Any) -> Any:
        if path.name.startswith(run):
            raise OSError(5, "Input/output error")
        return open_path(path, *given, **named)

    monkeypatch.setattr(Path, "open", refuse)
    found = verify(store, has_ended, mend=True)
    assert [(one.what, one.where) for one in found.findings] == [("unreadable", run)]
    assert not found.sound
    assert store.has([run])


def test_a_damaged_database_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An index that has lost its order: the file opens, and what is looked up by it may be missing."""
    store = Store.open(tmp_path / "store")
    original, _, _ = plant(store)
    store.close()
    path = tmp_path / "store" / "lethe.sqlite"
    data = path.read_bytes()
    assert data.count(original.encode()) > 1
    path.write_bytes(data.replace(original.encode(), original[::-1].encode(), 1))
    assert main(["store", "verify", "--store", str(tmp_path / "store")]) == 1
    said = capsys.readouterr().out
    assert "Database: " in said
    assert "not sound" in said
