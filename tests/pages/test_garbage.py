"""What the search for garbage after every run of a page looks through."""

from __future__ import annotations

import gc
import weakref

import pytest

from pages.session import garbage


class Knot:
    """What only a search finds: it holds itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_left_out", 0)


def test_what_was_imported_is_not_looked_through_again() -> None:
    gc.unfreeze()
    before = len(gc.get_objects())
    garbage.tidy_up()
    assert len(gc.get_objects()) < before / 10
    mine: list[list[int]] = [[] for _ in range(100)]
    garbage.tidy_up()  # no new modules: what pages make is still looked for
    looked_through = {id(one) for one in gc.get_objects()}
    assert all(id(one) in looked_through for one in mine)


def test_garbage_is_thrown_away_first_and_later_garbage_is_found() -> None:
    gc.disable()
    try:
        early = weakref.ref(Knot())
        garbage.tidy_up()
        assert early() is None
        late = weakref.ref(Knot())
        gc.collect()
        assert late() is None
    finally:
        gc.enable()
