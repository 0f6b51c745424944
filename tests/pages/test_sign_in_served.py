"""Signing in on a real server: Streamlit's own signed cookie, as its callback sets it once a provider has confirmed somebody.

The provider's part (the redirect there and the exchange of the code) is Streamlit's and Authlib's, and is not tried.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from benchmarks.measure.attacking.visitor import Page, Visitor
from benchmarks.measure.serving import run_apart, served
from pages.session import sign_in
from unlearn_core.cli import public

ROOT = Path(__file__).parents[2]
SECRET = "the-operator-s-own-secret-of-32-characters"
SECRETS = """
[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "{secret}"
client_id = "id"
client_secret = "secret"
server_metadata_url = "http://localhost:1/.well-known/openid-configuration"

[allow]
domains = ["example.org"]
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("signing-in")
    (folder / "authlib").mkdir()  # the package's name is enough for the app; Streamlit needs it for the redirect alone
    (folder / "authlib" / "__init__.py").touch()
    secrets = folder / "secrets.toml"
    environment = public.variables(False, [], [], [], []) | {
        "UNLEARN_STORE": str(folder / "store"), "UNLEARN_ENGINE": "inline", "UNLEARN_GALLERY": "",
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
    }  # fmt: skip

    def command(number: int) -> list[str]:
        secrets.write_text(SECRETS.format(port=number, secret=SECRET))
        script = str(ROOT / "pages" / "session" / "serve.py")
        return [sys.executable, script, "run", "app.py", "--server.port", str(number), "--secrets.files", str(secrets)]

    with served(folder / "log.txt", environment, command) as (number, _):
        yield number


def cookie_of(port: int, email: str, secret: str, origin: str = "") -> str:
    """What Streamlit's callback would set for this person."""
    told = {"origin": origin or f"http://localhost:{port}", "is_logged_in": True, "email": email, "email_verified": True}
    return create_signed_value(secret, "_streamlit_user", json.dumps(told)).decode()


def visit(port: int, cookie: str = "") -> Page:
    async def look() -> Page:
        async with Visitor.on(port, origin=f"http://localhost:{port}", user=cookie) as visitor:
            return await visitor.open("lessons")

    return run_apart(look())


def test_only_a_cookie_that_this_server_signed_for_somebody_on_the_list_opens_a_page(port: int) -> None:
    assert list(visit(port).buttons) == ["Sign in"]
    inside = visit(port, cookie_of(port, "anna@example.org", SECRET))
    assert "Sign out" in inside.buttons
    assert "anna" in inside.text
    for cookie in (
        cookie_of(port, "anna@example.org", "another secret of an attacker's own"),
        cookie_of(port, "anna@example.org", SECRET, origin="https://evil.example"),
        cookie_of(port, "anna@example.org", SECRET)[:-3] + "abc",
    ):
        assert list(visit(port, cookie).buttons) == ["Sign in"]
    outside = visit(port, cookie_of(port, "eve@evil.example", SECRET))
    assert sign_in.NOT_LISTED in outside.text
    assert list(outside.buttons) == ["Sign out"]
