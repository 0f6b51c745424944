"""What a person types of an example, and which example is shown next: one key a label, nothing told by the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.store import Store
from unlearn_core.views.suspects.telling import class_keys, next_to_check, next_to_label


def test_a_label_decides_whether_an_example_is_in_the_set_or_checked() -> None:
    start = ForgetSet((1, 4), (7,), notes={4: "odd"})
    wrong = start.labelling(4, "cat", "dog").labelling(7, "cow", "dog")
    assert (wrong.indices, wrong.rejected, wrong.checked) == ((1, 4, 7), (), ())
    assert wrong.labels == {4: "cat", 7: "cow"}
    assert wrong.notes == {4: "odd"}
    right = wrong.labelling(4, "dog", "dog").labelling(9, "dog", "dog")
    assert (right.indices, right.checked, right.labels, right.notes) == ((1, 7), (4, 9), {7: "cow"}, {})
    assert right.clean == (4, 9)
    # The three never overlap, whatever comes last.
    assert right.adding([4]).checked == (9,)
    again = right.rejecting([9])
    assert (again.rejected, again.checked, again.clean) == ((9,), (4,), (4, 9))
    assert again.checking([9]).rejected == ()
    assert right.removing([4]).checked == (9,)


def test_checked_examples_are_kept_and_a_set_without_any_is_written_as_before(tmp_path: Path) -> None:
    plain, checked = ForgetSet((1, 4), (7,), {1: "a"}), ForgetSet((1, 4), (7,), {1: "a"}, checked=(2, 9))
    assert plain.plain() == {"indices": [1, 4], "rejected": [7], "labels": {"1": "a"}, "notes": {}}
    assert ForgetSet.from_plain(checked.plain()) == checked
    store = Store.open(tmp_path)
    sets = NamedSets(store, "data1")
    assert sets.content(sets.keep(checked)) == checked
    assert NamedSets(store, "data1", renumber=lambda k: k + 10).content(sets.keep(checked)) == ForgetSet(
        (11, 14), (17,), {11: "a"}, checked=(12, 19)
    )
    names = [f"{k}.png" for k in range(10)]
    assert "checked" not in plain.by_path(names)
    data = checked.by_path(names)
    assert ForgetSet.from_paths(data, {name: k for k, name in enumerate(names)}) == checked
    fewer = ForgetSet.from_paths(data, {name: k for k, name in enumerate(names) if k != 9})
    assert (fewer.checked, fewer.outside["9.png"].checked, len(fewer)) == ((2,), True, 2)
    assert fewer.by_path(names)["checked"] == ["2.png", "9.png"]
    store.close()


def test_a_class_is_a_key() -> None:
    assert class_keys([str(k) for k in range(10)]) == [str(k) for k in range(10)]
    assert class_keys(["A", "b"]) == ["a", "b"]
    assert class_keys(["airplane", "car"]) == ["1", "2"]
    assert class_keys(["a", "A"]) == ["1", "2"]
    assert class_keys([str(k) for k in range(43)]) is None


def test_the_next_example_is_one_that_nobody_spoke_of() -> None:
    content = ForgetSet((1, 4, 6), labels={4: "cat"})
    assert next_to_label([4, 6, 1], content, ()) == 6
    assert next_to_label([4, 6, 1], content, {6}) == 1
    assert next_to_label([4, 6, 1], content, {6, 1}) == 6  # what was passed over comes again
    assert next_to_label([4], content, ()) is None


def test_others_are_checked_at_random_and_of_every_class() -> None:
    labels = np.repeat(np.arange(3), 20)
    content = ForgetSet((0, 20), (1,))
    for _ in range(12):
        index = next_to_check(labels, content, (), 5)
        assert index is not None
        assert index not in {*content.indices, *content.clean}
        content = content.checking([index])
    assert np.bincount(labels[list(content.checked)]).tolist() == [4, 4, 4]
    first, other = next_to_check(labels, ForgetSet(), (), 5), next_to_check(labels, ForgetSet(), (), 6)
    assert first != other
    assert next_to_check(labels, ForgetSet(), {first} if first is not None else (), 5) != first
    assert next_to_check(np.zeros(2, np.int64), ForgetSet((0,), checked=(1,)), (), 0) is None
