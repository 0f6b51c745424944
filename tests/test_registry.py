"""A registry is whole or not there: however many ask at once while its modules are still being imported."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from unlearn_core.registry import Registry

PACKAGE = """
from unlearn_core.registry import Registry
registry = Registry("part", "slowparts")
"""
MODULE = """
import time
from slowparts import registry
time.sleep(0.05)
registry.add("{name}", object())
"""


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    folder = tmp_path / "slowparts"
    folder.mkdir()
    (folder / "__init__.py").write_text(PACKAGE)
    for name in ("a", "b", "c", "d"):
        (folder / f"{name}.py").write_text(MODULE.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("slowparts")]:
        monkeypatch.delitem(sys.modules, name)
    from slowparts import registry  # type: ignore[import-not-found]

    found: Registry[object] = registry
    return found


def test_everyone_who_asks_at_once_sees_all_parts(slow: Registry[object]) -> None:
    barrier = threading.Barrier(4)

    def ask(_: int) -> list[str]:
        barrier.wait()
        return slow.names()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(4))) == [["a", "b", "c", "d"]] * 4


def test_a_part_that_cannot_be_imported_is_not_forgotten(slow: Registry[object], tmp_path: Path) -> None:
    broken = tmp_path / "slowparts" / "e.py"
    broken.write_text("raise RuntimeError('broken')")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            slow.names()
