"""One small comparison, run once, that the tests of the Python door read."""

from __future__ import annotations

from pathlib import Path

import pytest

import unlearn_core as eunoe

METHODS = ["finetune", "retrain", "rem"]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store for the whole session: what one test computed the next one finds."""
    return tmp_path_factory.mktemp("door") / "store"


@pytest.fixture(scope="session")
def scenario() -> eunoe.Scenario:
    return eunoe.Scenario.make("blobs", overrides={"training.epochs": 10})


@pytest.fixture(scope="session")
def results(place: Path, scenario: eunoe.Scenario) -> eunoe.Results:
    return eunoe.run(scenario, METHODS, store=place)
