"""The wheel holds what the product needs and nothing else; installed, it works from an empty folder."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from playwright.sync_api import expect, sync_playwright

from tests.browser.browsertools import CHROMIUM_ARGS, chromium, watch
from tests.package.conftest import ROOT
from unlearn_core import __version__
from unlearn_core.cli import main

RUN = ["run", "--dataset", "blobs", "--engine", "inline", "--set", "training.epochs=2", "--amount", "60", "--seed", "3"]
SMALL = [*RUN, "--methods", "finetune,retrain", "--set", "finetune.epochs=2", "--json"]


def files_below(*folders: str) -> set[str]:
    """Paths below folders of the source tree, as a repository has them."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def environment(folder: Path) -> dict[str, str]:
    """Of a newcomer: no way to the source tree, a store of their own, the gallery that was installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("UNLEARN_")}
    return kept | {"UNLEARN_STORE": str(folder / "store"), "UNLEARN_ENGINE": "inline", "UNLEARN_WARM_UP": "off"}


def call(program: str | Path, *arguments: str, folder: Path) -> str:
    """What a command prints in an empty folder."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    command = [str(program), *arguments]
    done = subprocess.run(command, cwd=empty, env=environment(folder), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert list(empty.iterdir()) == []
    return done.stdout


def test_the_wheel_holds_the_package_and_the_dashboard_and_nothing_else(wheel: Path) -> None:
    dashboard = {"app.py", ".streamlit/config.toml", "assets/logo.svg", "assets/icon.svg"}
    dashboard |= files_below("pages", "assets/gallery", "assets/lessons", "assets/start")
    wanted = files_below("unlearn_core") | {f"unlearn_core/dashboard/{path}" for path in dashboard}
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith(f"eunoe-{__version__}.dist-info/")}
    assert {"unlearn_core/py.typed", "unlearn_core/tuning/tuned/digits.json"} <= names
    assert sorted(names) == sorted(wanted)


def test_the_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run([*build, "-t", "sdist"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    subprocess.run([*build, "-t", "wheel"], cwd=tmp_path / f"eunoe-{__version__}", check=True, capture_output=True, timeout=120)
    (again,) = tmp_path.glob("*.whl")
    assert sums(again) == sums(wheel)


def sums(path: Path) -> dict[str, int]:
    """The checksum of every file in a wheel."""
    with zipfile.ZipFile(path) as opened:
        return {info.filename: info.CRC for info in opened.infolist()}


def test_the_wheel_says_what_it_is_and_needs_what_the_requirements_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        said = Parser().parsestr(opened.read(f"eunoe-{__version__}.dist-info/METADATA").decode())
        assert f"eunoe-{__version__}.dist-info/licenses/LICENSE" in opened.namelist()
    assert (said["Name"], said["Version"], said["License-Expression"]) == ("eunoe", __version__, "Apache-2.0")
    needed = [Requirement(line) for line in said.get_all("Requires-Dist", [])]
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    always = {str(one) for one in needed if one.marker is None}
    assert always == {str(Requirement(line)) for line in lines}


def test_commands_of_the_installed_wheel_run_in_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    assert call(programs / "eunoe", "--version", folder=tmp_path) == f"eunoe {__version__}\n"
    assert call(programs / "python", "-m", "unlearn_core", "--version", folder=tmp_path) == f"eunoe {__version__}\n"
    where = call(programs / "python", "-c", "import unlearn_core; print(unlearn_core.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(programs.parent)
    found = json.loads(call(programs / "eunoe", "methods", "--json", folder=tmp_path))
    rem = next(method for method in found if method["name"] == "rem")
    assert rem["values"]["digits"], "the tuned values were not installed"


def test_a_run_of_the_installed_wheel_gives_the_source_trees_numbers(
    programs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = json.loads(call(programs / "eunoe", *SMALL, folder=tmp_path))
    assert main([*SMALL, "--store", str(tmp_path / "other")]) == 0
    assert numbers(installed) == numbers(json.loads(capsys.readouterr().out))


def numbers(found: dict[str, Any]) -> tuple[Any, ...]:
    """What does not depend on the clock."""
    clock = {"seconds", "unlearning_seconds", "seconds_against_retraining"}
    rows = [{name: value for name, value in row["metrics"].items() if name not in clock} for row in found["results"]]
    assert all(rows)
    return found["scenario"], found["original"]["utility"], [row["params"] for row in found["results"]], rows


@contextlib.contextmanager
def opened(programs: Path, folder: Path) -> Iterator[str]:
    """The address of ``eunoe app``, started in an empty folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "empty").mkdir()
    command = [str(programs / "eunoe"), "app", "--port", str(port)]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=folder / "empty", env=environment(folder), stdout=log, stderr=log)
    try:
        url = f"http://localhost:{port}"
        for _ in range(600):
            assert process.poll() is None, (folder / "log.txt").read_text()
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.browser
def test_the_installed_dashboard_opens_with_its_gallery_its_lessons_and_its_theme(programs: Path, tmp_path: Path) -> None:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with opened(programs, tmp_path) as url, ThreadPoolExecutor(1) as thread:  # other tests' browser keeps this thread's loop
        assert thread.submit(look_around, url, path).result() == []


def look_around(url: str, path: str) -> list[str]:
    """Open the start page and a lesson in a browser; what the browser complains of."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        tab = watch(browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light"))
        tab.page.goto(url)
        expect(tab.page).to_have_title("Eunoe – unlearning corrupted data", timeout=30_000)
        expect(tab.page.get_by_text("From the gallery that comes with Eunoe").first).to_be_attached(timeout=30_000)
        assert tab.page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(252, 252, 251)"
        tab.page.goto(f"{url}/lessons")
        expect(tab.page.get_by_text("Why retraining").first).to_be_attached(timeout=30_000)
        browser.close()
    return tab.complaints
