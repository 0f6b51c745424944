"""The example package, installed beside the product: listed, run, computed on a worker started elsewhere, in the app."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.dummy import until
from tests.engine.outside import Outside

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "examples" / "plugin"
SCENARIO = ["--dataset", "blobs", "--amount", "60", "--set", "training.epochs=3"]
RUN = ["run", *SCENARIO, "--methods", "second_choice", "--set", "second_choice.epochs=2", "--device", "cpu", "--json"]
APP = """
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("app.py", default_timeout=60)
app.switch_page("pages/compare.py")
app.run()
print("Second choice" in app.multiselect(key="control:methods").options)
"""

CHECKS = """
import sys
from unlearn_core.cli import main

for path in sys.argv[1:]:
    assert main(["check-plugin", path]) == 0, path
    print("checked", path)
"""
"""One process for all: most of a check's time is spent on its start."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the package."""
    target = tmp_path_factory.mktemp("installed")
    how = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *how, str(PACKAGE)], check=True, timeout=200)
    return target


@pytest.fixture(autouse=True)
def _environment(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(installed)]))
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("UNLEARN_ENGINE", "inline")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("UNLEARN_PLUGINS", raising=False)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unlearn_core", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )


def test_the_package_is_listed(installed: Path) -> None:
    done = command("methods", "--json")
    assert "second_choice" in {method["name"] for method in json.loads(done.stdout)}
    assert f"From a plug-in: second_choice ({installed / 'eunoe_second_choice' / 'method.py'})." in done.stderr


def test_the_package_runs_on_workers_that_are_started_from_here() -> None:
    done = command(*RUN, "--engine", "local", "--workers", "1")
    assert done.returncode == 0, done.stderr
    [result] = json.loads(done.stdout)["results"]
    assert result["method"] == "second_choice"
    assert 0 <= result["metrics"]["utility"] <= 1


def test_a_file_runs_on_workers_that_are_started_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    file = str(PACKAGE / "eunoe_second_choice" / "method.py")
    done = command(*RUN, "--engine", "local", "--workers", "1", "--plugin", file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"][0]["method"] == "second_choice"


@pytest.fixture
def outside(tmp_path: Path, installed: Path) -> Iterator[Outside]:
    made = Outside(tmp_path)
    try:
        made.scheduler()
        yield made
    finally:
        made.end()


def joined(outside: Outside) -> bool:
    import distributed

    with distributed.Client(outside.address, set_as_default=False) as client:
        return len(client.scheduler_info()["workers"]) == 1


@pytest.mark.parametrize("how", ["package", "missing"])
def test_a_worker_that_was_started_by_itself(outside: Outside, how: str) -> None:
    there = pytest.MonkeyPatch()
    if how == "missing":
        there.setenv("PYTHONPATH", str(ROOT))
    try:
        outside.worker("--name", "guest")
        until(lambda: joined(outside))
    finally:
        there.undo()
    done = command(*RUN, "--engine", outside.address)
    if how == "missing":
        assert done.returncode == 1
        assert (
            "The worker has no method 'second_choice', so the plug-in that adds it is missing there: install it" in done.stderr
        )
        assert "Traceback" not in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["results"][0]["method"] == "second_choice"


def test_the_app_offers_it(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", APP], cwd=ROOT, capture_output=True, text=True, timeout=200, check=True
    )  # fmt: skip
    assert done.stdout.split()[-1] == "True", done.stderr


def test_every_single_file_passes_its_checks() -> None:
    files = sorted(str(path) for path in (PACKAGE / "files").glob("*.py"))
    assert len(files) == 7
    done = subprocess.run(
        [sys.executable, "-c", CHECKS, *files], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    assert done.stdout.count("checked ") == len(files)


def test_a_plug_in_of_one_kind_is_not_taken_for_the_product_s_own_components() -> None:
    done = command("datasets", "--json", "--plugin", str(PACKAGE / "files" / "dataset.py"))
    found = {dataset["name"]: dataset["parameters"] for dataset in json.loads(done.stdout)}
    assert {name for name, parameters in found.items() if "plugin_version" in parameters} == {"rings"}
