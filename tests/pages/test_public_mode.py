"""A public server: what strangers may have computed, whose runs and sets are whose, what links name, what is written down."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apptools import QUICK, finish_jobs, link, texts
from forgettools import QUERY
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import AppTest

from pages.session import audience, hardening, permission, public, services
from unlearn_core.support import audit
from unlearn_core.support.limits import VARIABLE
from unlearn_core.support.public_mode import PUBLIC, READ_ONLY

OpenPage = Callable[..., AppTest]
UNCOMPUTED = QUICK.replace("amount=60", "amount=61")
PAGES = ("start", "lessons", "craft", "compare", "boundary", "redirect", "embedding", "heatmap", "forget", "own")


class Browsers:
    """Which browser the next page belongs to: the headless test has one session for all."""

    def __init__(self) -> None:
        self.now = "one"


@pytest.fixture(autouse=True)
def _public(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(PUBLIC, "1")
    monkeypatch.setenv("UNLEARN_DATA_ROOTS", "")
    yield
    services.engine().close()
    services._engine.clear()


@pytest.fixture
def browsers(monkeypatch: pytest.MonkeyPatch) -> Browsers:
    made = Browsers()
    monkeypatch.setattr(public, "secret", lambda: made.now)
    return made


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def run(open_page: OpenPage, query: str = UNCOMPUTED) -> AppTest:
    return open_page("compare", query).button(key="run").click().run()


def log(store: Path) -> list[dict[str, str]]:
    path = store / audit.NAME
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_stranger_runs_within_the_limits_and_is_written_down(
    open_page: OpenPage, fresh_store: Path, browsers: Browsers
) -> None:
    app = run(open_page)
    finish_jobs()
    app.run()
    assert "The original model" in texts(app)
    found = log(fresh_store)
    assert [(one["event"], one["session"]) for one in found] == [("started", public.owner())]
    assert set(found[0]) == {"time", "event", "session", "what", "job"}
    assert os.stat(fresh_store / audit.NAME).st_mode & 0o777 == 0o600
    assert "A public server" in texts(app)


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("size=1000", "(epochs × training examples × width), and one stage may ask for 1,000"),
        ("cells=2", "stages at once, and a request may ask for 2"),
        ("waiting=2", "more than the 2 that one session may have"),
        ("waiting_all=2", "This server is busy: it takes 2 stages at a time"),
    ],
)
def test_beyond_a_limit_nothing_starts_and_one_sentence_says_which(
    limit: str, sentence: str, open_page: OpenPage, fresh_store: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, limit)
    app = run(open_page)
    assert sentence in texts(app).replace("\\", "")
    assert services.engine().jobs() == []
    assert [one["event"] for one in log(fresh_store)] == ["refused"]


def test_who_has_used_up_the_seconds_hears_when_to_come_back(
    open_page: OpenPage, fresh_store: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unlearn_core.engine.turns import Account

    engine = services.engine()
    with monkeypatch.context() as patch:
        patch.setattr(engine, "account", lambda owner: Account(900.0, 0.0, 130.0))
        assert "some are free again in about 3 min" in texts(run(open_page))
    assert engine.jobs() == []


def test_a_network_address_has_so_many_sessions_at_work(
    open_page: OpenPage, fresh_store: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "sessions=2")
    monkeypatch.setattr(audience, "peer", lambda: "203.0.113.7")
    monkeypatch.setattr(services.engine(), "load", lambda: {"a": 1, "b": 3, "c": 0})
    monkeypatch.setattr(public, "_addresses", {"a": "203.0.113.7", "b": "203.0.113.7", "c": "203.0.113.7"})
    assert "2 sessions of your network address" in texts(run(open_page))
    monkeypatch.setattr(public, "_addresses", {"a": "203.0.113.7", "b": "198.51.100.1"})
    assert "of your network address" not in texts(run(open_page))
    finish_jobs()


def test_another_s_run_is_seen_and_neither_cancelled_nor_repeated(
    open_page: OpenPage, fresh_store: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unlearn_core.errors import UserError

    monkeypatch.setenv(VARIABLE, "size=1_000_000_000")
    slow = UNCOMPUTED.replace("training.epochs=12", "training.epochs=400")
    owner = run(open_page, slow)
    job = services.engine().jobs()[0].id
    assert "Cancel" in labels(owner)
    browsers.now = "two"
    other = open_page("compare", slow)
    assert "Cancel" not in labels(other)
    for attempt in (services.cancel, services.retry):
        with pytest.raises(UserError, match="theirs to cancel"):
            attempt(job)
    view = services.engine().view(job)
    assert view is not None
    assert view.state == "running"
    browsers.now = "one"
    services.cancel(job)
    cancelled = services.engine().view(job)
    assert cancelled is not None
    assert cancelled.state == "cancelled"
    assert [one["event"] for one in log(fresh_store)] == ["started", "cancelled"]


def test_a_set_belongs_to_who_made_it_and_a_link_shows_it(
    open_page: OpenPage, place: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unlearn_core import view_state as vs
    from unlearn_core.errors import UserError
    from unlearn_core.forget_sets import ForgetSet
    from unlearn_core.forget_sets.in_use import sets_of

    scenario = vs.to_scenario(vs.decode(QUERY)[0])
    monkeypatch.setenv(VARIABLE, "sets=2")
    browsers.now = "maker"
    from pages.session import forget_sets

    mine = forget_sets.named(scenario)
    made = mine.create("Secret finds", ForgetSet((1, 2, 3)))
    mine.create("More", ForgetSet((4,)))
    with pytest.raises(UserError, match="One session may keep 2 forget sets"):
        mine.create("Too many", ForgetSet((5,)))
    browsers.now = "other"
    others = forget_sets.named(scenario)
    assert others.all() == []
    for attempt in (lambda: others.rename(made.id, "Mine"), lambda: others.remove(made.id)):
        with pytest.raises(UserError, match="no forget set called"):
            attempt()
    with pytest.raises(UserError, match="not yours to change"):
        others.change(made.id, lambda content: content.adding([9]), "added 9")
    with pytest.raises(UserError, match="nothing to undo"):
        others.undo(made.id)
    shown = open_page("forget", f"{QUERY}&draft={made.id}")
    assert "Secret finds" not in texts(shown)
    assert others.content(made.key) == ForgetSet((1, 2, 3))
    assert {one.name for one in sets_of(services.store(), scenario).all()} >= {"Secret finds", "More"}  # the operator's view


def test_a_path_is_refused_without_a_word_about_what_lies_there(open_page: OpenPage, tmp_path: Path) -> None:
    there, said = tmp_path / "there.csv", set()
    there.write_text("path,label\n")
    for path in (there, tmp_path / "absent.csv", Path("/etc/passwd"), Path("../../etc/passwd")):
        for query in (f"dataset=images&dataset.data={path}", f"own={path}", f"model=torchvision&model.weights={path}"):
            app = open_page("craft", query)
            assert permission.refusal() == public.NO_PATHS
            assert public.NO_PATHS in texts(app).replace("\\", "")
            assert str(path) not in texts(app)
            said.add((query.partition("=")[0], texts(app)))
    assert len(said) == 3, "the page depends on what lies there"


def test_no_setting_names_a_file_and_no_stage_that_does_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearn_core.errors import UserError
    from unlearn_core.stages.stage import Stage

    typed = {"own": "/etc", "seed": 3, "overrides": {"dataset.data": "/etc", "rem.epochs": 2, "model.weights": "/w.pt"}}
    monkeypatch.setattr(permission.st, "session_state", {})
    assert permission.allowed(typed) == ({"seed": 3, "overrides": {"rem.epochs": 2}}, [public.NO_PATHS])
    for kind, payload in (
        ("run", {"scenario": {"dataset": {"params": {"data": "/etc"}}}}),
        ("reading", {"dataset": "images", "params": {"data": str(services.store().uploads / "x.zip")}}),
        ("run", {"scenario": {"model": {"params": {"weights": "/w.pt"}}}}),
        ("run", {"scenario": {"corruption": {"options": {"file": "/t.csv"}}}}),
        ("fetching", {"name": "cifar10"}),
    ):
        with pytest.raises(UserError, match="opens no path"):
            services.submit([Stage(kind, f"attack-{kind}", "Attack", payload)], "Attack")


def test_pages_have_no_field_for_what_strangers_may_not_do(open_page: OpenPage) -> None:
    for page, query in (("craft", QUICK), ("own", ""), ("compare", QUICK), ("craft", "dataset=digits&model=torchvision")):
        app = open_page(page, query)
        keys = {str(one.key) for one in (*app.text_input, *app.button)}
        assert not keys & {"control:own", "plugin-path", "parameter:model.weights", "checkpoint:weights", "export-model"}, page
        assert not any(key.startswith("get:") for key in keys), page
        assert "Engine" not in labels(app)


def test_what_is_only_shown_starts_nothing_and_says_so_once(
    open_page: OpenPage, fresh_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(READ_ONLY, "1")
    for page in PAGES:
        app = open_page(page, "" if page == "start" else UNCOMPUTED)
        said = texts(app)
        assert said.count(audience.ONLY_SHOWN) == 1, page
        assert not labels(app) & {"Run", "Run again", "Cancel", "Compute it", "Try again", "Train four of them"}, page
        assert "ecturer" not in said, page
    from unlearn_core.errors import UserError
    from unlearn_core.stages.stage import Stage

    with pytest.raises(UserError, match="nothing is trained"):
        services.submit([Stage("run", "k", "t", {})], "t")
    with pytest.raises(UserError, match="nothing is trained"):
        services.engine().submit([Stage("run", "k", "t", {})], "t")
    assert services.engine().status().state == "off"
    assert log(fresh_store) == []


def test_stored_runs_are_shown_where_nothing_is_computed(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(READ_ONLY, "1")
    assert "The original model" in texts(open_page("compare", QUICK))


def test_a_browser_keeps_its_name_and_its_token_is_not_in_it() -> None:
    first, again = "2|0a0b0c0d|1a1b1c1d2a2b2c2d|1700000000", "2|00000000|101010102020202" + "0|1700000001"
    assert public.token_of(first) == public.token_of(again) == "browser 1010101020202020"
    for cookie in ("", "2|xx|yy|1", "1|aa", "2|0a0b0c0d||1", "3|0a0b0c0d|1a1b1c1d2a2b2c2d|1"):
        assert public.token_of(cookie) == ""
    assert len(public.owner()) == 12


def test_messages_that_only_developers_need_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    before = AppSession.handle_backmsg, MemoryUploadedFileManager.add_file
    seen: list[str] = []
    monkeypatch.setattr(AppSession, "handle_backmsg", lambda session, message: seen.append(message.WhichOneof("type")))
    monkeypatch.setattr(MemoryUploadedFileManager, "add_file", before[1])
    hardening.guard()
    session = AppSession.__new__(AppSession)
    monkeypatch.setattr(AppSession, "shutdown", lambda self: None)
    for message in (BackMsg(clear_cache=True), BackMsg(set_run_on_save=True), BackMsg(load_git_info=True)):
        session.handle_backmsg(message)
    assert seen == []
    session.handle_backmsg(BackMsg(app_heartbeat=True))
    assert seen == ["app_heartbeat"]
    monkeypatch.setenv(PUBLIC, "0")
    session.handle_backmsg(BackMsg(clear_cache=True))
    assert seen == ["app_heartbeat", "clear_cache"]


def test_one_session_fills_no_memory_with_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "uploads_mb=1")
    monkeypatch.setattr(MemoryUploadedFileManager, "add_file", MemoryUploadedFileManager.add_file)
    hardening.guard()
    manager = MemoryUploadedFileManager("/upload")
    for number in range(20):
        manager.add_file("session", UploadedFileRec(str(number), "x.zip", "application/zip", b"x" * 400_000))
    held = manager.file_storage["session"]
    assert set(held) == {"18", "19"}


def test_the_address_bar_holds_no_path_of_the_server(open_page: OpenPage, tmp_path: Path) -> None:
    app = open_page("craft", f"own={tmp_path}&seed=3")
    assert link(app) == {"seed": "3"}


@pytest.mark.parametrize("name", ["UNLEARN_PLUGINS", "UNLEARN_SHARE"])
def test_a_server_that_was_set_up_wrongly_answers_nothing(
    name: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "plugin.py"))
    app = open_page("craft", QUICK)
    assert "set up wrongly" in texts(app)
    assert not app.button
