"""What goes wrong on a public server is said to strangers without the folders and addresses of the server."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apptools import QUICK, finish_jobs, texts
from streamlit.testing.v1 import AppTest

from pages.session import audience, services
from unlearn_core.support.public_mode import PUBLIC


@pytest.fixture(autouse=True)
def _public(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(PUBLIC, "1")
    yield
    services.engine().close()
    services._engine.clear()


def test_a_store_that_fails_is_not_named_to_strangers(
    open_page: Callable[..., AppTest], fresh_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage whose store is locked fails with the store's address, and with the process that holds the lock."""
    from unlearn_core.engine import worker

    monkeypatch.setattr(worker, "STORE_SECONDS", 0.2)
    services.store()
    other = sqlite3.connect(fresh_store / "lethe.sqlite", isolation_level=None)
    app = open_page("compare", QUICK)
    other.execute("BEGIN IMMEDIATE")
    app.button(key="run").click().run()
    finish_jobs()
    app.run()
    other.close()
    assert audience.ON_THE_SERVER in texts(app)
    assert str(fresh_store) not in texts(app)
    said = [stage.message for stage in services.engine().jobs()[0].stages]
    assert all("another program keeps it locked" in message or "which failed" in message for message in said)


def test_only_what_names_a_place_is_kept_from_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    for said in (
        "The store sqlite:////srv/x.sqlite is busy.",
        "The folder /srv/x is gone.",
        "(/var/lib/x)",
        "tcp://10.0.0.1:8786",
    ):
        assert audience.told(said) == audience.ON_THE_SERVER
    for said in ("Worst at 1/2 of the epochs.", "loss / accuracy", "Out of memory."):
        assert audience.told(said) == said
    monkeypatch.setenv(PUBLIC, "0")
    assert audience.told("The folder /srv/x is gone.") == "The folder /srv/x is gone."
