"""The page on the methods' values is that of today's code."""

from __future__ import annotations

from benchmarks.report.methods import PAGE, note, ours, page


def test_the_page_has_today_s_values() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m benchmarks report methods"


def test_every_baseline_says_where_its_values_come_from() -> None:
    silent = [method.name for method in ours() if method.family not in ("retraining", "redirection") and not note(method)]
    assert silent == []
