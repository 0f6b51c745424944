"""A short form of ``python -m benchmarks run soak``: a few kills in a running sweep, then everything is there and the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from benchmarks.measure.soak import soak

pytestmark = pytest.mark.cluster


@pytest.mark.timeout(900)  # a quarter of a minute on an idle machine
def test_a_sweep_that_is_killed_and_resumed_equals_an_undisturbed_one() -> None:
    # Sockets have paths of at most 108 characters, and each worker of the suite adds a folder to pytest's own.
    with tempfile.TemporaryDirectory() as place:
        report = soak(Path(place) / "soak", kills=2, seed=1, seeds_a_plan=1, epochs=4, most=1, regularity=(0.5,))
    assert sum(report["kills"].values()) >= 2
    assert report["records"] >= 9
    assert report["lost"] == report["different"] == []
    for nothing in ("survivors", "rows_dropped", "files_left_over", "failures_left_over", "scratch_left_over"):
        assert report[nothing] == 0, report
