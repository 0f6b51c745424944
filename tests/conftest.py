"""Shared fixtures: one tiny scenario, trained once a session, that the contract tests reuse."""

from __future__ import annotations

import functools
import gc
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before torch is imported, for this process and those it starts: two workers of pytest with two threads each would wait for
# one another on two cores, tens of times longer than the work takes. Numba, which UMAP uses, gives torch its own number.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))
# Links of the tests name files in the temporary folder; what a link may open by default is tested apart.
os.environ["UNLEARN_DATA_ROOTS"] = tempfile.gettempdir()
os.environ.pop("UNLEARN_PLUGINS", None)
# A server's workers would compile UMAP in a pause, and this process with them: seconds of each, mostly for nothing.
os.environ["UNLEARN_WARM_UP"] = "off"
# A hundred processes are started, and each would compile the whole project anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
from once import made_once
from shifted import Shift
from trained import Trained, train
from xdist.scheduler import LoadScopeScheduling

from unlearn_core.contracts.methods import shortened
from unlearn_core.corruption import registry as corruptions
from unlearn_core.methods import registry as methods
from unlearn_core.training import deterministic

# And each worker of pytest would rewrite the asserts of every test anew, which takes longer than all that it imports.
sys.dont_write_bytecode = False

WAITING = {
    "browser": ("tests/browser/",),
    "processes": (
        "tests/engine/",
        "tests/examples/",
        "tests/cli/test_cli.py",
        "tests/package/",
        "tests/proxy/",
        "tests/benchmarks/test_attacks.py",
    ),
    "store": ("tests/store/",),
}
"""Tests that mostly wait, for a browser or for processes that they started: one worker of pytest each, so that no more than one
app, one cluster and one PostgreSQL run beside what computes. They come first, because they are the longest."""


def group_of(nodeid: str) -> str:
    """The tests of a group run one after the other in one worker: those of :data:`WAITING`, or of a file."""
    waiting = (name for name, places in WAITING.items() if nodeid.startswith(places))
    return next(waiting, nodeid.partition("::")[0])


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Workers share the suite by file, so that what a file prepares is prepared once."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


QUICK = (
    "tests/walls/test_layers.py", "tests/walls/test_circles.py", "tests/walls/test_lengths.py",
    "tests/golden/test_golden_keys.py", "tests/golden/test_golden_links.py",
    "tests/corruption/", "tests/forget_sets/", "tests/support/test_escaping.py",
    "tests/methods/test_contract.py::test_a_method_returns", "tests/methods/test_contract.py::test_a_task_has_no_path",
    "tests/methods/test_manual.py", "tests/view_state/test_lessons.py", "tests/test_specs.py", "tests/test_registry.py",
)  # fmt: skip
"""What ``pytest -m quick`` runs: what a change breaks most often, and every method once."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    first = [*WAITING]
    items.sort(key=lambda item: first.index(group) if (group := group_of(item.nodeid)) in first else len(first))
    for item in items:
        if item.nodeid.startswith(QUICK):
            item.add_marker("quick")


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported and collected lives as long as the process: the garbage collector need not walk through it each time,
    nor look after every 700 objects where a page makes a hundred thousand. A tenth of what tests of pages take."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> object:
    with deterministic(threads=1):
        yield


@pytest.fixture(scope="session", autouse=True)
def _components_are_looked_for_once() -> Iterator[None]:
    """A server of Streamlit reads once which installed packages bring components; its headless test would for each app."""
    if "streamlit" not in sys.modules:  # no test of a page was collected
        yield
        return
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", functools.cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained_once(tmp_path_factory, "digits", 25)


@pytest.fixture(scope="session")
def points(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained_once(tmp_path_factory, "waves", 40)


def trained_once(factory: pytest.TempPathFactory, dataset: str, epochs: int) -> Trained:
    """Trained by one worker of pytest, which leaves it to the others: the same seed gives the same bits."""

    def make(folder: Path) -> None:
        (folder / "trained").write_bytes(pickle.dumps(train(dataset, **{"training.epochs": epochs})))

    found: Trained = pickle.loads((made_once(factory, f"{dataset}-{epochs}", make) / "trained").read_bytes())
    return found


@pytest.fixture
def quick() -> Callable[[str], dict[str, object]]:
    """Parameters that make a method quick, where it has such parameters."""

    def shorten(name: str) -> dict[str, object]:
        return shortened(methods.get(name), "digits")

    return shorten


@pytest.fixture
def shift() -> Iterator[None]:
    """A corruption called "shift" is there."""
    corruptions.register(Shift)
    yield
    corruptions.remove("shift")
