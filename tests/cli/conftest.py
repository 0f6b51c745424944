"""A store of its own for every test of the command line, and a plan to sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
from clitools import PLAN


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path
