"""A store of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlearn_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")
