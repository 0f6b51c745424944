"""The numbers in the README are those of the gallery and of the picture that is shipped: neither is written from memory."""

from __future__ import annotations

import re

import pytest
from doc_blocks import ROOT

from benchmarks.report.site import gallery
from unlearn_core.views.start.pack import unpack
from unlearn_core.views.start.shipped import SCENES

README = (ROOT / "README.md").read_text(encoding="utf-8")
CELLS = [(regularity, discovery) for regularity in (0.0, 0.5, 1.0) for discovery in (0.1, 0.3, 0.5, 1.0)]
ROUNDED = 0.0051
"""Of a number with two digits behind the point; the gallery has six."""


@pytest.mark.parametrize("method", ["finetune", "retrain", "rem"])
def test_the_table_has_the_gallery_s_numbers(method: str) -> None:
    row = re.search(rf"^\| `{method}` \|(.*)\|$", README, re.MULTILINE)
    assert row is not None
    shown = [tuple(float(number) for number in cell.split("/")) for cell in row[1].split("|")]
    there = [[gallery.values(method, metric, *cell) for metric in ("healed", "utility")] for cell in CELLS]
    assert shown == [pytest.approx([mean for [mean] in cell], abs=ROUNDED) for cell in there]


def test_the_moving_picture_is_described_by_its_counters() -> None:
    words = re.search(r"of (\d+) wrong labels (\d+) stay wrong under retraining, (\d+) under REM", README)
    assert words is not None
    header, _ = unpack(SCENES.read_bytes())
    at = (header["first"]["regularity"], header["first"]["discovery"])
    (scene,) = [one for one in header["scenes"] if (one["regularity"], one["discovery"]) == at]
    count = scene["corrupted"]["shape"][0]
    left = [count - scene["films"][name]["healed"][-1] for name in ("retrain", "rem")]
    assert [int(word) for word in words.groups()] == [count, *left]
