"""Files that are damaged, unreadable or away: a damaged one is never used, one that is away costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from storetools import KEY, age, artifacts_of, damage, expect_one_sentence, files, put

from unlearn_core.errors import UserError
from unlearn_core.store import MissingArtifact, Store


@pytest.mark.parametrize("how", ["truncate", "remove", "extend"])
def test_a_row_without_its_file_is_dropped_at_start_up(store: Store, how: str) -> None:
    put(store)
    put(store, "intact")
    damage(next(p for p in files(store) if KEY in p.name), how)
    again = Store.open(store.location)
    assert [r.key for r in again.find()] == ["intact"]
    assert again.has([KEY, "intact"]) == {"intact"}
    assert len(files(store)) == 1


@pytest.mark.parametrize("how", ["truncate", "remove", "extend", "flip"])
def test_damage_while_open_is_noticed_and_can_be_mended(store: Store, how: str) -> None:
    put(store)
    damage(files(store)[0], how)
    with pytest.raises(MissingArtifact, match="damaged"):
        store.arrays(KEY, "weights")
    assert store.get(KEY) is None
    assert files(store) == []
    put(store)
    assert store.arrays(KEY, "weights")["steps"] == 7


def test_a_file_that_cannot_be_read_now_is_not_called_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store)

    def refused(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    for method in ("read_bytes", "stat"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, refused)
            with pytest.raises(UserError, match=r"cannot read its files: Too many open files\.$"):
                store.arrays(KEY, "weights") if method == "read_bytes" else store.get(KEY)
    assert store.arrays(KEY, "weights")["steps"] == 7


def test_a_folder_that_is_gone_for_a_while_costs_nothing(store: Store) -> None:
    put(store)
    root = artifacts_of(store)
    away = root.rename(root.with_name("unplugged"))
    calls: list[Callable[[], Any]] = [
        lambda: store.get(KEY),
        lambda: store.has([KEY]),
        lambda: store.arrays(KEY, "weights"),
        lambda: put(store, "new"),
        store.sweep,
        lambda: Store.open(store.location),
        lambda: Store.open(store.location, sweep=False),
    ]
    for call in calls:
        with pytest.raises(UserError, match="does not hold this store's files") as caught:
            call()
        expect_one_sentence(caught)
    assert files(store) == []
    root.rmdir()  # opening made it, and left it empty
    away.rename(root)
    assert store.arrays(KEY, "weights")["steps"] == 7
    put(store, "new")


def test_the_folder_of_another_store_is_refused(store: Store, tmp_path: Path) -> None:
    put(store)
    age(files(store)[0])
    other = f"sqlite:///{tmp_path / 'other.sqlite'}?artifacts={artifacts_of(store)}"
    with pytest.raises(UserError, match="belongs to another store") as caught:
        Store.open(other)
    expect_one_sentence(caught)
    (artifacts_of(store) / "store-id").unlink()  # as before stores had an id
    with pytest.raises(UserError, match="does not hold this store's files"):
        Store.open(other)
    again = Store.open(store.location)
    assert again.arrays(KEY, "weights")["steps"] == 7
