"""The table of the soak: what nights add up to, and that the document has what was counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measure.soak import command
from benchmarks.report import soak

EARLIER = {
    "kills": {"worker": 1, "scheduler": 2, "command": 3},
    "plans": 4,
    "seconds": 120.0,
    "records": 50,
    "lost": [],
    "different": [],
}


def night(fault: str, seed: int, times: int, **more: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("survivors", "again", "tracebacks", *soak.LEFT), 0)
    return nothing | {"fault": fault, "seed": seed, "seconds": 60.0, "times": times, "lost": [], "different": []} | more


def test_the_counts_of_all_nights_are_added_and_nothing_wrong_is_hidden() -> None:
    nights = [night("disk", 0, 3, again=2), night("disk", 1, 4, lost=["a"], different=["a", "b"], scratch_left_over=1)]
    lines = soak.soak_table({"rounds": [*nights, night("clock", 0, 5)], "earlier": EARLIER})
    assert lines[0].startswith("3 rounds with 12 strikes in 3 minutes.")
    assert "6 kills before: 1 of a worker, 2 of the scheduler, 3 of the command" in lines[0]
    rows = [line for line in lines if line.startswith("| the ")]
    assert rows == [
        "| the disk is full for some seconds | 7 | 2 | 2 | 1 | 2 | 0 | 1 | 0 |",
        "| the clock jumps by an hour, forwards or backwards | 5 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |",
    ]


def test_rounds_are_added_and_the_next_night_takes_other_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "RESULT", tmp_path / "soak.json")
    command.RESULT.write_text(json.dumps({"earlier": EARLIER, "rounds": []}))
    assert command.next_seed() == 0
    for found in (night("disk", 0, 3), night("clock", 0, 5), night("disk", 1, 4), night("disk", 0, 6)):
        command.add(found)
    kept = json.loads(command.RESULT.read_text())
    assert kept["earlier"] == EARLIER
    counted = [(one["fault"], one["seed"], one["times"]) for one in kept["rounds"]]
    assert counted == [
        ("clock", 0, 5),
        ("disk", 1, 4),
        ("disk", 0, 6),
    ]
    assert command.next_seed() == 2


def test_the_document_says_what_was_counted() -> None:
    found = json.loads((soak.RESULTS / "soak.json").read_text())
    assert "\n".join(soak.soak_table(found)) in soak.PAGE.read_text(encoding="utf-8"), "run: python -m benchmarks report soak"
