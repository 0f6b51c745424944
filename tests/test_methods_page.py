"""The page on the methods' values is that of today's code."""

from __future__ import annotations

from benchmarks.methods_doc import PAGE, note, page
from unlearn_core.methods import registry


def test_the_page_has_today_s_values() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m benchmarks.methods_doc"


def test_every_published_baseline_says_where_its_values_come_from() -> None:
    told = {method.name for method in registry if method.family not in ("retraining", "redirection") and note(method)}
    assert told == {method.name for method in registry if method.family not in ("retraining", "redirection")}
    assert note(registry.get("eu_k")).startswith("Published for k of 2 and 4")
