"""``app``: what it hands to Streamlit, what it refuses; and ``--version``. That it opens is tested on the installed wheel."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from unlearn_core import __version__
from unlearn_core.cli import main, sharing
from unlearn_core.support.dashboard import find_dashboard

ROOT = Path(__file__).parents[2]


class Became(Exception):
    """Stands for the end of this process: it would be Streamlit's now."""


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command that the process would become."""
    command: list[str] = []

    def execute(program: str, arguments: list[str]) -> None:
        assert program == sys.executable
        command[:] = arguments
        raise Became

    monkeypatch.setattr(os, "execv", execute)
    monkeypatch.setenv("UNLEARN_DEBUG", "1")  # Became is to come through
    for name in ("UNLEARN_STORE", "UNLEARN_ENGINE", "UNLEARN_DEVICE", "UNLEARN_SHARE", "UNLEARN_LECTURER"):
        monkeypatch.setenv(name, "")  # put back afterwards
    return command


def test_it_opens_the_dashboard_of_this_installation(become: list[str]) -> None:
    with pytest.raises(Became):
        main(["app"])
    assert become[1:] == ["-P", "-m", "streamlit", "run", str(ROOT / "app.py")]


def test_options_reach_streamlit_and_the_pages(become: list[str], tmp_path: Path) -> None:
    own = ["--port", "8600", "--address", "127.0.0.1", "--store", str(tmp_path), "--engine", "inline", "--browser"]
    with pytest.raises(Became):
        main(["app", *own, "--server.baseUrlPath", "eunoe"])
    assert become[6:] == [
        "--server.port", "8600", "--server.address", "127.0.0.1", "--server.headless", "false",
        "--server.showEmailPrompt", "false", "--server.baseUrlPath", "eunoe",
    ]  # fmt: skip
    assert (os.environ["UNLEARN_STORE"], os.environ["UNLEARN_ENGINE"]) == (str(tmp_path), "inline")


def test_the_workers_compute_where_they_are_told_to(become: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.session import services

    with pytest.raises(Became):
        main(["app", "--device", "cpu", "--engine", "inline"])
    made: dict[str, object] = {}
    monkeypatch.setattr(services, "Engine", lambda store, **given: made.update(given))
    services._engine.clear()
    services.engine()
    services._engine.clear()
    assert (made["device"], made["address"]) == ("cpu", "inline")
    with pytest.raises(Became):
        main(["app"])
    assert os.environ["UNLEARN_DEVICE"] == "cpu", "what is not said stays as the environment has it"


def test_sharing_listens_on_the_network_and_says_where(
    become: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sharing, "own_address", lambda: "192.168.1.7")
    with pytest.raises(Became):
        main(["app", "--share", "--port", "8600"])
    assert become[6:] == [
        "--server.address", "0.0.0.0", "--server.port", "8600", "--server.corsAllowedOrigins", "http://192.168.1.7:8600",
        "--browser.serverAddress", "localhost",
    ]  # fmt: skip
    word, said = os.environ["UNLEARN_LECTURER"], capsys.readouterr().out
    assert os.environ["UNLEARN_SHARE"] == "http://192.168.1.7:8600"
    assert len(word) >= 16
    assert word not in " ".join(become), "every user of the computer sees the arguments"
    assert f"http://192.168.1.7:8600/?lecturer={word}" in said
    assert said.count("▄") > 50
    with pytest.raises(Became):
        main(["app", "--share", "--port", "8600"])
    assert os.environ["UNLEARN_LECTURER"] != word


def test_without_a_network_there_is_nothing_to_share(
    become: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sharing, "own_address", lambda: None)
    assert main(["app", "--share"]) == 2
    assert "in no network" in capsys.readouterr().err
    assert become == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--prot", "1"], "no option '--prot'"), (["craft"], "no option 'craft'"), (["--port", "70000"], "--port"),
        (["--device", "tpu"], "--device"), (["--share", "--server.port=80"], "--server.port does not go with --share"),
    ],
)  # fmt: skip
def test_what_nothing_understands_is_refused(
    arguments: list[str], sentence: str, become: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["app", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert become == []


def test_an_installed_dashboard_is_found_inside_the_package_and_the_source_trees_beside_it(tmp_path: Path) -> None:
    package = tmp_path / "unlearn_core"
    (package / "dashboard").mkdir(parents=True)
    assert find_dashboard(package) == tmp_path, "an empty folder is no dashboard"
    (package / "dashboard" / "app.py").touch()
    assert find_dashboard(package) == package / "dashboard"


def test_the_version_is_printed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"eunoe {__version__}\n"
