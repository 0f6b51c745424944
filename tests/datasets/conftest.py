"""Every test has a cache of its own and forgets what was looked at before."""

from __future__ import annotations

from pathlib import Path

import pytest
from picturetools import forget


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("UNLEARN_CACHE", str(place))
    forget()
    return place
