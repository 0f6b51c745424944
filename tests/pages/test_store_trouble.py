"""A store that cannot be used: every page says so in a sentence, and goes on when it can be used again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import QUICK, texts
from streamlit.testing.v1 import AppTest

from unlearn_core.errors import UserError
from unlearn_core.store import Store

PAGES = ("start", "craft", "compare", "boundary", "redirect", "embedding", "forget", "heatmap", "lessons")


def set_version(store: Path, version: str) -> None:
    database = sqlite3.connect(store / "lethe.sqlite")
    with database:
        database.execute("UPDATE lethe SET value = ? WHERE name = 'schema'", [version])
    database.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_store_that_cannot_be_opened_is_named(page: str, fresh_store: Path, open_page: Callable[..., AppTest]) -> None:
    Store.open(fresh_store).close()
    set_version(fresh_store, "99")
    app = open_page(page, QUICK)
    if page not in ("craft", "lessons"):  # these two show something without what was computed
        assert "newer version of Eunoe" in texts(app)
    set_version(fresh_store, "1")
    app.run()
    assert not app.exception
    assert "newer version of Eunoe" not in texts(app)


def test_a_store_whose_files_are_away_loses_nothing(
    computed: object, shared_store: Path, open_page: Callable[..., AppTest]
) -> None:
    before = {record.key for record in Store.open(shared_store).find()}
    away = (shared_store / "artifacts").rename(shared_store / "unplugged")
    try:
        app = open_page("compare", QUICK)
        assert "does not hold this store's files" in texts(app)
    finally:
        away.rename(shared_store / "artifacts")
    app.run()
    assert "does not hold this store's files" not in texts(app)
    assert Store.open(shared_store).has(before) == before


def test_a_run_that_cannot_be_handed_over_says_why(
    fresh_store: Path, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> str:
        raise UserError("The store is away.")

    app = open_page("compare", QUICK)
    with monkeypatch.context() as broken:
        broken.setattr("unlearn_core.engine.Engine.submit", away)
        app.button(key="run").click().run()
    assert not app.exception
    assert [warning.value for warning in app.warning] == ["The store is away."]
    app.run()
    assert not app.warning
    assert not app.button(key="run").disabled


def test_runs_that_cannot_be_planned_any_more_say_why(
    fresh_store: Path, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> list[object]:
        raise UserError("This cannot run.")

    app = open_page("heatmap", QUICK)
    with monkeypatch.context() as broken:
        broken.setattr("unlearn_core.stages.unlearn.plan_runs", refuse)
        app.button(key="grid-run").click().run()
    assert not app.exception
    assert [warning.value for warning in app.warning] == ["This cannot run."]


@pytest.mark.parametrize("page", ["start", "compare", "heatmap", "forget"])
def test_a_store_that_may_only_be_read_is_shown(
    page: str, fresh_store: Path, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(fresh_store).close()
    monkeypatch.delenv("UNLEARN_GALLERY")  # what comes with the code cannot be put into it
    monkeypatch.setattr("unlearn_core.store.database.cannot_be_written", lambda _: True)
    app = open_page(page, QUICK)
    assert not app.error
    if page == "compare":
        app.button(key="run").click().run()
        assert not app.exception
        assert any("can only be read here" in warning.value for warning in app.warning)
    monkeypatch.undo()
    assert Store.open(fresh_store).find() == []
