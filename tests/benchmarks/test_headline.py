"""The headline tables: which runs belong to them, differences seed by seed, and sentences that follow from the rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.paths import PLANS
from benchmarks.report.headline.report import channels, differences, findings, interval, learned, means, page, shares
from benchmarks.report.headline.rows import COLUMNS, PLANS_OF, add, read
from unlearn_core.cli.sweep import read_plan
from unlearn_core.cli.tune import FIRST_SEED

FOLDER = PLANS / "headline"


def rows_of(products: dict[tuple[str, str], list[float]], discovery: float = 0.1) -> pd.DataFrame:
    """One cell; utility 1, so that healed is the product."""
    return pd.DataFrame(
        [
            {
                "method": name, "variant": variant, "regularity": 1.0, "discovery": discovery, "seed": 20 + k,
                "healed": value, "utility": 1.0, "healed_x_utility": value, "memorised": 1.0, "seconds": 2.0,
                "spec": "s", "key": f"{name}{variant}{discovery}{k}",
            }
            for (name, variant), values in products.items()
            for k, value in enumerate(values)
        ]
    )  # fmt: skip


def test_differences_are_taken_seed_by_seed() -> None:
    # Seeds differ by far more than the methods do; side by side the difference would drown.
    rows = rows_of({("rem", ""): [0.9, 0.5, 0.7], ("npo", ""): [0.8, 0.4, 0.6], ("scrub", ""): [0.5, 0.9, 0.71]})
    assert any(line.startswith("| NPO | -0.100 ± 0.000 |") for line in differences(rows))
    told = list(findings(rows))
    assert "- NPO: behind REM by more than two standard errors of the paired difference in 1 of 1 cells, ahead in 0." in told
    assert any(line.startswith("- SCRUB: behind") and "in 0 of 1 cells, ahead in 0." in line for line in told)
    turned = rows_of({("npo", ""): [0.9, 0.5, 0.7], ("rem", ""): [0.8, 0.4, 0.6]})
    assert any("ahead in 1 (r 1, 10%)" in line for line in findings(turned))


@pytest.mark.parametrize(
    ("rem", "ablation", "verdict"),
    [([0.9, 0.8, 0.85], [0.5, 0.4, 0.46], "more"), ([0.5, 0.4, 0.46], [0.9, 0.8, 0.85], "less"),
     ([0.9, 0.1, 0.5], [0.2, 0.8, 0.5], "no difference that these seeds show")],
)  # fmt: skip
def test_what_the_channels_are_worth_follows_from_the_rows(rem: list[float], ablation: list[float], verdict: str) -> None:
    (told,) = channels(rows_of({("rem", ""): rem, ("rem_no_redirect", "REM’s values"): ablation}))
    assert told.endswith(f": {verdict}.")
    assert "[REM’s values]" in told


def test_shares_of_what_the_oracle_reaches_are_taken_seed_by_seed() -> None:
    rows = rows_of({("rem", ""): [0.4, 0.2], ("oracle_retrain", ""): [0.8, 0.4], ("npo", ""): [0.6, 0.1]})
    lines = shares(rows)
    assert "| REM | 0.500 ± 0.000 |" in lines
    assert "| NPO | 0.500 ± 0.250 |" in lines
    assert not any("Oracle" in line for line in lines)
    assert shares(rows[rows["method"] != "oracle_retrain"]) == []


def test_what_the_originals_had_learned_is_said_by_regularity() -> None:
    rows = rows_of({("rem", ""): [0.4, 0.2]}).assign(memorised=[0.9, 1.0])
    assert learned(rows)[0].endswith("learned by heart: 0.950 at regularity 1.")


def test_an_interval_is_that_of_student() -> None:
    middle, half = interval(pd.Series([1.0, 2.0, 3.0, 4.0]))
    assert (middle, half) == pytest.approx((2.5, 3.182446 * (5 / 3) ** 0.5 / 2))


def test_the_page_has_means_errors_worst_cells_and_sets_of_values_apart() -> None:
    rows = pd.concat(
        [
            rows_of({("rem", ""): [0.9, 0.7], ("rem", "paper"): [0.1, 0.3], ("oracle_retrain", ""): [0.99, 0.97]}, discovery)
            for discovery in (0.1, 1.0)
        ]
    )
    rows.loc[(rows["method"] == "rem") & (rows["discovery"] == 1.0), "healed_x_utility"] += 0.05
    lines = means(rows)
    assert lines[2] == "| REM | 0.800 ± 0.100 | 0.850 ± 0.100 | 0.800 |"
    assert lines[3].startswith("| REM [paper] | 0.200 ± 0.100 |")
    assert lines[4].startswith("| Oracle")
    assert "## Digits" in page({"digits": rows.drop(columns="healed_x_utility")})


def test_rows_of_before_a_method_was_tuned_anew_are_not_joined_without_a_word() -> None:
    rows = rows_of({("rem", ""): [0.9, 0.7], ("npo", ""): [0.8, 0.6]})
    assert means(rows)[-1] == "Seeds of a cell: 2."
    rows.loc[0, "spec"] = "older"
    assert means(rows)[-1] == "**Rows of different values of a method stand together here: REM.**"


def test_new_rows_replace_older_ones_of_the_same_cell_and_seed(tmp_path: Path) -> None:
    old, new = rows_of({("rem", ""): [0.5, 0.6]})[COLUMNS], rows_of({("rem", ""): [0.9]})[COLUMNS]
    kept = add(old, new)
    assert kept["healed"].tolist() == [0.9, 0.6]
    path = tmp_path / "rows.csv"
    kept.to_csv(path, index=False)
    again = read(path)
    assert add(again, new)["healed"].tolist() == [0.9, 0.6]
    assert again["variant"].tolist() == ["", ""]


def test_reported_seeds_are_neither_developed_nor_tuned_on() -> None:
    for plans in PLANS_OF.values():
        for name in plans:
            plan = read_plan(FOLDER / f"{name}.yaml")
            assert min(plan.seeds) >= 20
            assert max(plan.seeds) < FIRST_SEED
