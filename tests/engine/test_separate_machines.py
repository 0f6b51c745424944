"""Scheduler and workers in network namespaces of their own, over TLS: late, slow, cut off, killed, and started again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measure.cluster_machines import why_not
from benchmarks.paths import ROOT

pytestmark = pytest.mark.cluster


def interfaces() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def test_what_happens_to_machines_loses_nothing(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(f"no network namespaces here: {reason}")
    before, seen = interfaces(), set[str]()
    command = [sys.executable, "-m", "tests.engine.separate_machines", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as ran:
        try:
            while True:
                seen |= interfaces()
                try:
                    said, _ = ran.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            ran.kill()
    assert ran.returncode == 0, said[-3000:]
    assert seen == before  # a browser that is tested meanwhile would drop what it loads
