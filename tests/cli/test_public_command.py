"""``app --public``: what pages, workers and Streamlit are told, and what is refused before anything starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from unlearn_core import plugins
from unlearn_core.cli import main
from unlearn_core.support.limits import Limits, limits, parse_limits

PLUGIN = "from unlearn_core.errors import UserError\n"


class Became(Exception):
    """Stands for the end of this process: it would be Streamlit's now."""


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    command: list[str] = []

    def execute(program: str, arguments: list[str]) -> None:
        command[:] = arguments
        raise Became

    monkeypatch.setattr(os, "execv", execute)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("UNLEARN_DEBUG", "1")  # Became is to come through
    for name in ("PUBLIC", "READ_ONLY", "LIMITS", "HOSTS", "SHARE", "DATA_ROOTS", "PLUGINS", "PLUGINS_NAMED"):
        monkeypatch.setenv(f"UNLEARN_{name}", "")  # put back afterwards
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    return command


def test_a_public_server_opens_no_folder_and_believes_no_proxy(become: list[str]) -> None:
    with pytest.raises(Became):
        main(["app", "--public", "--limit", "seconds=300", "--limit", "upload_mb=7", "--host", "lab.example.org"])
    told = {name: os.environ[f"UNLEARN_{name}"] for name in ("PUBLIC", "READ_ONLY", "DATA_ROOTS", "HOSTS")}
    assert told == {"PUBLIC": "1", "READ_ONLY": "0", "DATA_ROOTS": "", "HOSTS": "lab.example.org"}
    assert os.environ["FORWARDED_ALLOW_IPS"] == ""
    assert become[2].endswith(os.path.join("pages", "session", "serve.py"))
    assert become[3] == "run"
    assert (limits().seconds, limits().upload_mb, limits().running) == (300, 7, Limits().running)
    assert become[become.index("--server.maxUploadSize") + 1] == "7"
    assert become[become.index("--client.toolbarMode") + 1] == "viewer"


def test_a_proxy_that_the_operator_names_is_believed(become: list[str]) -> None:
    with pytest.raises(Became):
        main(["app", "--public", "--read-only", "--trust-proxy", "127.0.0.1", "--trust-proxy", "10.0.0.0/8"])
    assert os.environ["FORWARDED_ALLOW_IPS"] == "127.0.0.1,10.0.0.0/8"
    assert os.environ["UNLEARN_READ_ONLY"] == "1"


def test_only_plug_ins_that_the_command_line_names_run(
    become: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own, other = tmp_path / "own.py", tmp_path / "other.py"
    own.write_text(PLUGIN)
    other.write_text(PLUGIN)
    monkeypatch.setenv(plugins.VARIABLE, str(other))
    assert main(["app", "--public"]) == 2
    assert "runs only the plug-ins that its command line names" in capsys.readouterr().err
    assert main(["--plugin", str(own), "app", "--public"]) == 2
    monkeypatch.setenv(plugins.VARIABLE, "")
    with pytest.raises(Became):
        main(["app", "--public", "--plugin", str(own)])
    assert os.environ["UNLEARN_PLUGINS_NAMED"] == "1"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--read-only"], "go with --public"),
        (["--limit", "seconds=3"], "go with --public"),
        (["--public", "--share"], "not both"),
        (["--public", "--limit", "speed=3"], "no limit called 'speed'; known: running,"),
        (["--public", "--limit", "seconds=0"], "at least 1 (got '0')"),
        (["--public", "--limit", "seconds=1e9"], "whole number"),
        (["--public", "--trust-proxy", "proxy"], "takes an address or a network"),
        (["--public", "--server.enableXsrfProtection", "false"], "protects one visitor from another"),
        (["--public", "--server.enableCORS=false"], "protects one visitor from another"),
    ],
)
def test_what_would_open_it_is_refused(
    arguments: list[str], sentence: str, become: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["app", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert become == []


def test_limits_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_LIMITS", "running=1, size=2_000")
    assert (limits().running, limits().size) == (1, 2000)
    monkeypatch.setenv("UNLEARN_LIMITS", "")
    assert limits() == Limits() == parse_limits([])
    assert all(words and default >= 0 for _, default, words in Limits.described())


def test_the_document_has_every_limit_with_its_default() -> None:
    text = (Path(__file__).parents[2] / "docs" / "public.md").read_text(encoding="utf-8")
    for name, default, words in Limits.described():
        assert f"| `{name}` | {default:,} | {words} |" in text
