"""docs/results.md by what methods know: groups, the best of each, and rows that come later."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.report import knowing
from unlearn_core.methods import registry


def test_every_method_has_one_group_and_oracles_are_among_the_upper_bounds() -> None:
    titles = [title for title, _ in knowing.GROUPS]
    ours = [name for name in registry.names() if registry.get(name).__module__.startswith("unlearn_core.")]
    for name in ours:
        assert knowing.group_of(name) in titles
        assert (knowing.group_of(name) == titles[-1]) == registry.get(name).oracle
    assert knowing.group_of("relabel_only") == "F · right labels"
    assert knowing.group_of("rem") == "F · given labels"
    assert knowing.group_of("clp") == titles[0]


def test_the_document_is_what_the_committed_rows_say() -> None:
    text = knowing.PAGE.read_text(encoding="utf-8")
    told = text.partition(knowing.START)[2].partition(knowing.END)[0].strip()
    assert told == "\n".join(knowing.section()).strip(), "run: python -m benchmarks report knowing"


def test_rows_that_come_later_are_taken_and_the_best_is_the_best_of_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowing, "FOLDER", tmp_path)
    before = knowing.metric_tables(knowing.rows_of("digits"), "healed_x_utility")
    assert "`cuts`" in next(line for line in before if line.startswith("Not measured") and "`tarf`" in line)
    columns = {"variant": "", "regularity": 0.5, "discovery": 0.5, "seed": [0, 1], "healed_undiscovered": 0.5, "utility": 1.0}
    for name, healed in (("cuts", 0.999), ("sap", 0.1), ("anp", 0.2)):
        pd.DataFrame({"method": name, **columns, "healed": healed}).to_csv(tmp_path / f"digits_{name}.csv", index=False)
    after = knowing.metric_tables(knowing.rows_of("digits"), "healed_x_utility")
    rows = {name: next(line for line in after if f"(`{name}`)" in line) for name in ("cuts", "sap", "anp", "rem")}
    assert "**1.00 ± 0.00**" in rows["cuts"]
    assert rows["cuts"].endswith("| 2 |")
    assert "**0.20 ± 0.00**" in rows["anp"]  # the best of those that know the same, though others are better
    assert "**" not in rows["sap"]
    assert not any("`cuts`" in line for line in after if line.startswith("Not measured"))
    pd.DataFrame({"method": "rem", **columns, "healed": 0.0}).to_csv(tmp_path / "digits_rem.csv", index=False)
    assert next(line for line in before if "(`rem`)" in line) == rows["rem"]
    assert knowing.rows_of("digits").query("method == 'rem'")["healed"].min() > 0  # the gallery's come first
