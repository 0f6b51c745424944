"""Signing in on a public server, without a provider: who is asked, who comes in, whose runs are whose, what is written down."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from apptools import QUICK, finish_jobs, texts
from streamlit.testing.v1 import AppTest

from pages.session import public, sign_in
from unlearn_core.support import audit
from unlearn_core.support.public_mode import PUBLIC

ROOT = Path(__file__).parents[2]
AUTH = {"redirect_uri": "http://localhost:8501/oauth2callback", "cookie_secret": "x" * 32, "client_id": "id"}
ANNA = {"is_logged_in": True, "email": "Anna@Example.org", "email_verified": True}
Blocks = Mapping[str, Mapping[str, Any]]


@pytest.fixture(autouse=True)
def _public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC, "1")
    here = importlib.util.find_spec
    spec = importlib.machinery.ModuleSpec("authlib", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: spec if name == "authlib" else here(name, *more))


def opened(
    blocks: Blocks, user: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, page: str = "craft", query: str = ""
) -> AppTest:
    monkeypatch.setattr(st, "user", dict(user))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, block in blocks.items():
        app.secrets[name] = dict(block)
    for name, value in (part.split("=") for part in query.split("&") if part):
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py")
    app.run()
    assert not app.exception, app.exception
    return app


def test_who_is_not_signed_in_gets_one_button_and_nothing_is_read(monkeypatch: pytest.MonkeyPatch, fresh_store: Path) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr(st, "login", lambda provider=None: asked.append(provider))
    app = opened({"auth": AUTH}, {"is_logged_in": False}, monkeypatch)
    assert [button.label for button in app.button] == ["Sign in"]
    assert not app.slider
    assert list(fresh_store.iterdir()) == []
    app.button(key="sign-in").click().run()
    assert asked == [None]


def test_without_a_block_nobody_is_asked_and_elsewhere_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened({}, {}, monkeypatch).slider
    monkeypatch.setenv(PUBLIC, "0")
    assert opened({"auth": AUTH}, {"is_logged_in": False}, monkeypatch).slider


def test_who_is_on_the_list_comes_in_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = {"auth": AUTH, "allow": {"emails": ["anna@example.org"], "domains": []}}
    app = opened(blocks, ANNA, monkeypatch)
    assert app.slider
    assert "Sign out" in {button.label for button in app.button}
    other = opened(blocks, ANNA | {"email": "eve@evil.example"}, monkeypatch)
    assert sign_in.NOT_LISTED in texts(other)
    assert not other.slider
    assert [button.label for button in other.button] == ["Sign out"]


@pytest.mark.parametrize(
    ("user", "allowed", "reason"),
    [
        ({"email": "a@lab.org"}, {}, ""),
        ({"email": "A@Lab.org "}, {"emails": ["a@lab.org"]}, ""),
        ({"email": "b@lab.org"}, {"emails": ["a@lab.org"]}, sign_in.NOT_LISTED),
        ({"email": "b@lab.org"}, {"domains": ["@LAB.org"]}, ""),
        ({"email": "b@evil-lab.org"}, {"domains": ["lab.org"]}, sign_in.NOT_LISTED),
        ({"email": "b@x.lab.org"}, {"domains": ["lab.org"]}, sign_in.NOT_LISTED),
        ({"email": "lab.org"}, {"domains": ["lab.org"]}, sign_in.NOT_LISTED),
        ({"email": "a@lab.org@evil.org"}, {"domains": ["lab.org"]}, sign_in.NOT_LISTED),
        ({"email": "a@lab.org", "email_verified": False}, {"domains": ["lab.org"]}, sign_in.NO_ADDRESS),
        ({"email": "a@lab.org", "email_verified": "false"}, {"domains": ["lab.org"]}, sign_in.NO_ADDRESS),
        ({"sub": "123"}, {"domains": ["lab.org"]}, sign_in.NO_ADDRESS),
        ({"email": "a@lab.org"}, {"emails": [], "domains": []}, sign_in.NOT_LISTED),
    ],
)
def test_an_address_counts_as_the_provider_confirmed_it(
    user: dict[str, Any], allowed: dict[str, list[str]], reason: str
) -> None:
    assert sign_in.why_not(user, allowed) == reason


def test_a_provider_with_a_block_of_its_own_is_asked_by_name() -> None:
    assert sign_in.provider_of({"client_id": "x", "client_kwargs": {"prompt": "login"}}) is None
    assert sign_in.provider_of({"cookie_secret": "x", "client_kwargs": {}, "microsoft": {"client_id": "y"}}) == "microsoft"


def test_a_person_is_one_session_in_every_browser_and_is_written_down(
    monkeypatch: pytest.MonkeyPatch, fresh_store: Path
) -> None:
    app = opened({"auth": AUTH}, ANNA, monkeypatch, page="compare", query=QUICK)
    app.button(key="run").click().run()
    finish_jobs()
    line = json.loads((fresh_store / audit.NAME).read_text().splitlines()[0])
    assert (line["event"], line["person"]) == ("started", "anna@example.org")
    monkeypatch.setattr(sign_in, "wanted", lambda: True)
    assert line["session"] == public.owner()
    monkeypatch.setattr(st, "user", ANNA | {"email": "other@example.org"})
    assert line["session"] != public.owner()


def test_without_the_package_that_signs_in_nobody_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None)
    app = opened({"auth": AUTH}, ANNA, monkeypatch)
    assert sign_in.NO_AUTHLIB in texts(app)
    assert not app.slider
