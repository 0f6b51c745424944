"""A short form of ``benchmarks.many_clients``: twenty browsers at once on one running app."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.many_clients import measure

ROOT = Path(__file__).parents[2]
GROWTH_MB = 300
"""Twenty sessions at once may take so much more than one."""


def test_twenty_clients_at_once_are_all_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    report = measure(clients=20, rounds=1, pages=("", "compare"))
    assert report["pages"] == 2 + 40
    assert report["wrong"] == []
    alone, crowded = report["memory_mb"]
    assert crowded - alone < GROWTH_MB
