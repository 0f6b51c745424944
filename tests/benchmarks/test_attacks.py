"""The attacker's script in its short form: no attempt succeeds, and the script would notice one that does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks.measure import attacks
from benchmarks.measure.attacking.ground import ATTEMPTS, BAIT, DEFAULT, PUBLIC, SHOWN, Ground
from benchmarks.measure.attacking.visitor import Page
from benchmarks.report import attacks as report


@pytest.mark.parametrize("mode", [PUBLIC, SHOWN, DEFAULT])
def test_no_attempt_succeeds(mode: str) -> None:
    found = attacks.measure(mode, short=True)
    assert [(one["what"], one["wrong"]) for one in found if one["wrong"]] == []
    assert len(found) >= {PUBLIC: 14, SHOWN: 9, DEFAULT: 12}[mode]


def test_what_an_attacker_reaches_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "server.txt").touch()
    place = Ground(PUBLIC, 0, psutil.Process(), tmp_path, tmp_path / "bait", tmp_path / "ran")
    assert place.judge(Page(data=b"fine")) == ""
    assert "looked at" in place.judge(Page(data=f"classes: {BAIT}".encode()))
    assert "path of the server" in place.judge(Page(data=str(tmp_path).encode()))
    assert replace(place, mode=DEFAULT).judge(Page(data=str(tmp_path).encode())) == ""
    assert place.judge(Page(wrong="an exception")) == "an exception"
    (tmp_path / "ran").mkdir()
    assert "code of the attacker" in place.judge()
    (tmp_path / "ran").rmdir()
    (tmp_path / "escapes.txt").write_text("open /etc/evil\n")
    assert "written outside" in place.judge()
    (tmp_path / "escapes.txt").unlink()
    (tmp_path / "server.txt").write_text("Traceback (most recent call last)")
    assert "traceback" in place.judge()


def test_every_attempt_is_reported_once_in_every_mode() -> None:
    names = [(one.kind, one.words) for one in ATTEMPTS]
    assert len(names) == len(set(names)) >= 30
    assert all(asyncio.iscoroutinefunction(one.act) for one in ATTEMPTS)
    found = {"public": [{"kind": "link", "what": "x", "outcome": "left out", "wrong": ""}],
             "default": [{"kind": "link", "what": "x", "outcome": "", "wrong": "it was opened"}]}  # fmt: skip
    assert report.rows(found) == [["link", "x", "left out", "–", "**succeeded: it was opened**"]]
