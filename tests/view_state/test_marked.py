"""The selected and pinned examples as text of a link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from unlearn_core import view_state as vs
from unlearn_core.errors import UserError

INDICES = some.lists(some.integers(0, 3000), unique=True, max_size=300).map(sorted).map(tuple)
MARKED = some.builds(
    vs.Marked,
    chosen=INDICES,
    pins=some.lists(some.integers(0, 60_000), unique=True, max_size=vs.MAX_PINS).map(tuple),
    inspected=some.none() | some.integers(0, 60_000),
)


@given(MARKED)
def test_what_is_marked_comes_back_as_far_as_it_fits(marked: vs.Marked) -> None:
    text = vs.encode_marked(marked, "these data")
    assert len(text) <= vs.MAX_MARKED
    found = vs.decode_marked(text, "these data") if text else vs.Marked()
    assert (found.pins, found.inspected) == (marked.pins, marked.inspected)
    assert found.chosen == (marked.chosen if vs.fits(marked, "these data") else ())


@pytest.mark.parametrize("step", [1, 2, 3, 17])
def test_any_lasso_of_the_digits_and_of_the_signs_fits(step: int) -> None:
    for count in (1437, 2000):
        marked = vs.Marked(tuple(range(0, count, step)), pins=tuple(range(count - 12, count)), inspected=count - 1)
        assert vs.fits(marked, "these data")


def test_fifty_of_fifty_thousand_fit_and_half_of_them_do_not() -> None:
    assert vs.fits(vs.Marked(tuple(range(7, 50_000, 1000))), "these data")
    half = vs.Marked(tuple(range(0, 50_000, 2)), pins=(3,))
    assert not vs.fits(half, "these data")
    assert vs.decode_marked(vs.encode_marked(half, "these data"), "these data") == vs.Marked(pins=(3,))


@given(some.text("abcXYZ019-_ ü%", max_size=60))
def test_a_bad_text_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"^The examples that the link selects .*\.$"):
        vs.decode_marked("A" + text, "these data")


def test_the_selection_of_other_data_is_none_here() -> None:
    text = vs.encode_marked(vs.Marked((1, 2)), "those data")
    with pytest.raises(UserError, match="other data"):
        vs.decode_marked(text, "these data")


def test_more_pins_than_there_can_be_are_left_out() -> None:
    text = vs.encode_marked(vs.Marked(pins=tuple(range(100))), "these data")
    assert vs.decode_marked(text, "these data").pins == tuple(range(vs.MAX_PINS))


def test_the_selection_is_the_first_thing_that_a_full_link_leaves_out() -> None:
    state = vs.with_changes(vs.default_state(), {"regularity": 0.3, "marked": "A" * vs.MAX_MARKED})
    state["overrides"] = {f"rem.x{k}": "long" * 30 for k in range(11)}
    full = vs.encode(state)
    assert "marked" not in full
    assert full.count("rem.x") == 11
    assert "regularity" in full


def test_which_changes_keep_the_data() -> None:
    state = vs.default_state()
    for change in ({"discovery": 0.9}, {"model": "mlp"}, {"colour": "loss"}, {"overrides": {"rem.epochs": 3}}):
        assert vs.same_data(state, vs.with_changes(state, change)), change
    for change in ({"seed": 3}, {"regularity": 0.9}, {"amount": 0.2}, {"dataset": "signs"}):
        assert not vs.same_data(state, vs.with_changes(state, change)), change
