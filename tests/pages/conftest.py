"""The app in Streamlit's headless test, with a store of its own and the inline engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import forgettools
import pytest
from apptools import QUICK
from once import made_once
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.support.working_title import WORKING_TITLE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of this worker's own, in which the quick scenario is computed: see :func:`computed`."""
    return own_copy(tmp_path_factory, "computed", compute_quick)


def own_copy(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A store that is computed once for all workers, to write into."""
    return Path(shutil.copytree(made_once(factory, name, make), factory.mktemp(name) / "store"))


def compute_quick(place: Path) -> None:
    """The quick scenario with its methods and references."""
    from unlearn_core.engine import Engine
    from unlearn_core.stages.unlearn import plan_runs
    from unlearn_core.store import Store

    state, _ = vs.decode(QUICK)
    store = Store.open(place)
    engine = Engine(store, address="inline")
    stages = plan_runs(vs.to_scenario(state), vs.to_methods(state, ["finetune", "rem", "retrain", "oracle_retrain"]))
    view = engine.wait(engine.submit(stages, "test"), 120)
    engine.close()
    store.close()
    assert view.state == "done", view


@pytest.fixture(autouse=True)
def _environment(shared_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("UNLEARN_STORE", str(shared_store))
    monkeypatch.setenv("UNLEARN_ENGINE", "inline")
    monkeypatch.setenv("UNLEARN_GALLERY", "")  # what the code has computed before is tested apart
    before = os.getcwd()
    os.chdir(ROOT)
    yield
    os.chdir(before)
    # Every page would show it to the tests that follow, in whichever order the workers take them.
    assert failures_in(shared_store) == [], "this test leaves failures in the store of all tests: take fresh_store"


def failures_in(store: Path) -> list[str]:
    """The keys whose last attempt failed."""
    with contextlib.closing(sqlite3.connect(store / f"{WORKING_TITLE}.sqlite")) as db:
        return [key for (key,) in db.execute("select key from failures")]


@pytest.fixture
def fresh_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path))
    return tmp_path


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Open one page by name, with a query string; ``session``: what of it is open, by key."""

    def opened(page: str, query: str = "", **session: object) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for key, value in session.items():
            app.session_state[key] = value
        for part in filter(None, query.split("&")):
            name, _, value = part.partition("=")
            app.query_params[name] = value
        if page != "start":
            app.switch_page(f"pages/{page}.py")
        app.run()
        assert not app.exception, app.exception
        return app

    return opened


@pytest.fixture
def computed(shared_store: Path) -> vs.State:
    """The quick scenario, which is in the shared store with its methods and references."""
    state, notices = vs.decode(QUICK)
    assert notices == []
    return state


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a search of the page Forget set."""
    return own_copy(tmp_path_factory, "searched", lambda place: forgettools.compute(place, forgettools.QUERY))


@pytest.fixture
def place(searched: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("UNLEARN_STORE", str(searched))
    yield searched
    assert failures_in(searched) == []
