"""Every test has a cache and a store of its own, and forgets what was looked at before."""

from __future__ import annotations

from pathlib import Path

import pytest
from listtools import CLASSES, make
from ownpage import ROOT
from owntools import make_photos

from unlearn_core.datasets import forget_datasets
from unlearn_core.datasets.files.facts import forget_facts


@pytest.fixture(autouse=True)
def _fresh(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path_factory.mktemp("store")))
    monkeypatch.setenv("UNLEARN_ENGINE", "inline")
    monkeypatch.setenv("UNLEARN_GALLERY", "")
    forget_facts()
    forget_datasets()


@pytest.fixture
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit finds the app's pages from there."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    made: Path = make_photos(tmp_path / "photos")
    return made


@pytest.fixture
def split_photos(tmp_path: Path) -> Path:
    made: Path = make(tmp_path / "photos", {"train": 6, "test": 2})
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Without a split: the seed holds out four of twenty."""
    made: Path = make(tmp_path / "photos", {"": 10}, CLASSES[:2])
    return made
