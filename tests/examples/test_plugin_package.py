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
SMALL = ["--amount", "60", "--set", "training.epochs=3"]
RUN = ["run", *SMALL, "--methods", "second_choice", "--set", "second_choice.epochs=2", "--device", "cpu", "--json"]
LISTED = """
from unlearn_core.cli import main

assert main(["methods", "--json"]) == 0
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("app.py", default_timeout=60)
app.switch_page("pages/compare.py")
app.run()
print("Second choice" in app.multiselect(key="control:methods").options)
"""
CHECKS = """
import sys
from unlearn_core.cli import main

dataset, *files = sys.argv[1:]
assert main(["datasets", "--json", "--plugin", dataset]) == 0
for path in files:
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


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "unlearn_core", *arguments)


def test_the_package_is_listed_and_the_app_offers_it(installed: Path) -> None:
    done = python("-c", LISTED)
    assert done.returncode == 0, done.stderr
    listed, _, offered = done.stdout.strip().rpartition("\n")
    assert "second_choice" in {method["name"] for method in json.loads(listed)}
    assert f"From a plug-in: second_choice ({installed / 'eunoe_second_choice' / 'method.py'})." in done.stderr
    assert offered == "True"


def test_the_package_and_a_file_run_on_workers_that_are_started_from_here() -> None:
    file = str(PACKAGE / "files" / "dataset.py")
    done = command(*RUN, "--dataset", "rings", "--engine", "local", "--workers", "1", "--plugin", file)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["scenario"]["dataset"]["name"] == "rings"
    [result] = answer["results"]
    assert result["method"] == "second_choice"
    assert 0 <= result["metrics"]["utility"] <= 1


@pytest.fixture
def outside(tmp_path: Path, installed: Path) -> Iterator[Outside]:
    made = Outside(tmp_path)
    try:
        made.scheduler()
        yield made
    finally:
        made.end()


def there(outside: Outside) -> list[str]:
    """The workers that have joined."""
    import distributed

    with distributed.Client(outside.address, set_as_default=False) as client:
        return [worker["name"] for worker in client.scheduler_info()["workers"].values()]


def test_a_worker_that_was_started_by_itself(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("PYTHONPATH", str(ROOT))
        bare = outside.worker("--name", "bare")
    until(lambda: there(outside) == ["bare"])
    without = command(*RUN, "--dataset", "blobs", "--engine", outside.address)
    assert without.returncode == 1
    assert (
        "The worker has no method 'second_choice', so the plug-in that adds it is missing there: install it" in without.stderr
    )
    assert "Traceback" not in without.stderr
    outside.end([bare])
    outside.worker("--name", "guest")
    until(lambda: there(outside) == ["guest"])
    done = command(*RUN, "--dataset", "blobs", "--engine", outside.address)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"][0]["method"] == "second_choice"


def test_every_single_file_passes_its_checks_and_ours_are_not_taken_for_its_components() -> None:
    files = sorted(str(path) for path in (PACKAGE / "files").glob("*.py"))
    assert len(files) == 7
    done = python("-c", CHECKS, str(PACKAGE / "files" / "dataset.py"), *files)
    assert done.returncode == 0, done.stdout + done.stderr
    listed, end = json.JSONDecoder().raw_decode(done.stdout)
    assert {dataset["name"] for dataset in listed if "plugin_version" in dataset["parameters"]} == {"rings"}
    assert "FAIL" not in done.stdout[end:]
    assert done.stdout.count("\nchecked ") == len(files)
