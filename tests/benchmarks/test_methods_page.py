"""The page on the methods' values is that of today's code."""

from __future__ import annotations

from benchmarks.report.methods import PAGE, budgets, note, ours, page, searched


def test_the_page_has_today_s_values() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m benchmarks report methods"


def test_every_baseline_says_where_its_values_come_from() -> None:
    silent = [method.name for method in ours() if method.family not in ("retraining", "redirection") and not note(method)]
    assert silent == []


def test_the_budget_of_a_search_stands_beside_what_it_found() -> None:
    budget = {
        "configurations": 12,
        "finalists": 4,
        "regularity": [0, 1],
        "discovery": [0.1],
        "seeds": [1],
        "more_seeds": [2, 3],
        "runs": 40,
    }
    entry = {"budget": budget, "tried": 8, "seeds": [100, 101], "preset_score": 0.1, "score": 0.25}
    assert searched(entry) == "12 × 2 × 1 + 4 × 2 × 2 = 40 runs; 0.100 → 0.250"
    assert searched(entry | {"budget": None}) == "8 and the preset, 2 seeds (an earlier search); 0.100 → 0.250"
    table = [line for line in budgets() if line.startswith("| `")]
    assert {line.split("`")[1] for line in table} >= {"npo", "scrub", "rem"}


def test_the_digits_values_were_searched_with_one_budget_for_all() -> None:
    assert "- Digits: the same for all 42 methods." in budgets()
