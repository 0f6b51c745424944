"""Named sets: edits, undo, names, histories; several people at once; nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.store import Store


@pytest.fixture
def sets(tmp_path: Path) -> NamedSets:
    return NamedSets(Store.open(tmp_path), "data1")


def test_a_content_is_edited_without_contradictions() -> None:
    start = ForgetSet((1, 4), (7,), {1: "a"}, {4: "odd"})
    added = start.adding([7, 2])
    assert (added.indices, added.rejected) == ((1, 2, 4, 7), ())
    rejected = added.rejecting([1, 9])
    assert (rejected.indices, rejected.rejected, rejected.labels) == ((2, 4, 7), (1, 9), {})
    assert added.removing([4]).notes == {}
    assert ForgetSet.from_plain(start.plain()) == start


def test_changes_are_kept_and_undone_one_by_one(sets: NamedSets) -> None:
    made = sets.create(" first  try ", ForgetSet((1, 2)))
    assert (made.name, len(made)) == ("first try", 2)
    sets.change(made.id, lambda c: c.adding([5]), "added 5")
    sets.rename(made.id, "second try")
    sets.change(made.id, lambda c: c.rejecting([1]), "rejected 1")
    now = sets.get("second try")
    assert sets.now(now).indices == (2, 5)
    assert [change.what for change in now.history] == ["made", "added 5", "renamed from first try", "rejected 1"]
    assert sets.now(sets.undo(made.id)) == ForgetSet((1, 2, 5))
    assert sets.undo(made.id).name == "first try"
    undone = sets.undo(made.id)
    assert undone.key == made.key
    assert undone.now.what == "back to “made”"
    with pytest.raises(UserError, match="nothing to undo"):
        sets.undo(made.id)
    # After an undo, the next change is undone to where it began.
    sets.change(made.id, lambda c: c.adding([8]), "added 8")
    again = sets.undo(made.id)
    assert (sets.now(again).indices, again.now.what) == ((1, 2), "back to “made”")
    assert sets.name_of(now.key) == "first try"


def test_what_was_taken_back_is_made_again_until_something_else_is_done(sets: NamedSets) -> None:
    made = sets.create("a", ForgetSet((1,)))
    with pytest.raises(UserError, match="nothing to redo"):
        sets.redo(made.id)
    sets.change(made.id, lambda c: c.adding([5]), "added 5")
    sets.rename(made.id, "b")
    for _ in range(2):
        sets.undo(made.id)
    first = sets.redo(made.id)
    assert (first.name, sets.now(first).indices, first.now.deed) == ("a", (1, 5), "added 5")
    second = sets.redo(made.id)
    assert (second.name, second.now.what, second.undone) == ("b", "again “renamed from a”", None)
    back = sets.undo(made.id)  # what was made again is taken back like any other change
    assert (back.name, sets.now(back).indices) == ("a", (1, 5))
    assert sets.undo(made.id).now.content == made.key
    sets.change(made.id, lambda c: c.adding([8]), "added 8")
    assert sets.get(made.id).undone is None


def test_what_changes_nothing_is_not_written(sets: NamedSets) -> None:
    made = sets.create("a", ForgetSet((1,)))
    assert sets.change(made.id, lambda c: c.adding([1]), "added 1").history == made.history
    assert sets.rename(made.id, "a").history == made.history


def test_a_removed_set_is_gone_and_comes_back(sets: NamedSets) -> None:
    made = sets.create("a", ForgetSet((1,)))
    sets.remove(made.id)
    assert sets.all() == []
    assert [one.id for one in sets.all(removed=True)] == [made.id]
    assert sets.create("a", ForgetSet((2,))).id != made.id
    with pytest.raises(UserError, match="called 'a' already"):
        sets.undo(made.id)
    sets.rename(sets.get("a").id, "b")
    assert sets.undo(made.id).name == "a"
    assert sets.free_name() == "My set 1"


def test_names_are_checked(sets: NamedSets) -> None:
    sets.create("a", ForgetSet((1,)))
    for name in ("", "  ", "x" * 61, "a\x00b"):
        with pytest.raises(UserError, match="needs a name"):
            sets.create(name, ForgetSet((1,)))
    with pytest.raises(UserError, match="already"):
        sets.create("a ", ForgetSet((1,)))
    with pytest.raises(UserError, match="no forget set called 'z' here; known: 'a'"):
        sets.get("z")


def test_sets_of_other_data_are_not_seen(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    here, there = NamedSets(store, "data1"), NamedSets(store, "data2")
    made = here.create("a", ForgetSet((1,)))
    assert there.all() == []
    assert there.content(made.key) is None
    assert here.content(made.key) == ForgetSet((1,))
    assert here.content("nonsense") is None


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    one, two = (NamedSets(Store.open(tmp_path), "data1") for _ in range(2))
    made = one.create("a", ForgetSet((1,)))

    def slowly(content: ForgetSet) -> ForgetSet:
        if 9 not in two.now(two.get(made.id)).indices:  # another writer is quicker, once
            two.change(made.id, lambda c: c.adding([9]), "added 9")
        return content.adding([5])

    assert one.now(one.change(made.id, slowly, "added 5")).indices == (1, 5, 9)
    assert len(Store.open(tmp_path).find("forget_set")) == 3
