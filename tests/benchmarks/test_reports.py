"""The documents say what the committed results say, and the runner finds every command."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.__main__ import PAGES, commands, describe, main
from benchmarks.measure.discovery_photos import costs
from benchmarks.paths import ROOT
from benchmarks.report import cluster, discovery, kinds, looks, metrics, models, performance
from benchmarks.report.sections import write_section
from benchmarks.target import Target


@pytest.mark.parametrize("report", [cluster, discovery, looks, models, performance], ids=lambda report: report.__name__)
def test_a_document_is_what_its_report_writes(report: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / report.PAGE.name
    shutil.copyfile(report.PAGE, page)
    monkeypatch.setattr(report, "PAGE", page)
    committed = page.read_text(encoding="utf-8")
    page.write_text(committed.replace("0", "1"), encoding="utf-8")  # what is written by hand keeps the change
    report.main()
    written = page.read_text(encoding="utf-8").splitlines()
    tables = [line for line in committed.splitlines() if line.startswith("| ") and "0." in line and line in written]
    assert len(tables) >= 4
    page.write_text(committed, encoding="utf-8")
    report.main()
    assert page.read_text(encoding="utf-8") == committed, "run: python -m benchmarks report"


def test_the_table_of_kinds_is_that_of_the_registries() -> None:
    assert "\n".join(kinds.kind_tables()) in kinds.PAGE.read_text(encoding="utf-8"), "run: python -m benchmarks report kinds"


def test_a_kind_is_measured_by_what_has_a_meaning_for_it() -> None:
    """Attack success of a trigger beside the utility lost; healed of label noise; the worst group of an attribute."""
    values = {"patch": {"attack_success": 0.9, "healed": 0.1}, "asymmetric": {"healed": 0.25}, "spurious": {"worst_group": 0.4}}
    rows = [
        {"task": task, "seed": 0, "method": method, "utility": utility, "measured_regularity": 0.5} | measured
        for task, measured in values.items()
        for method, utility in (("original", 0.98), ("rem", 0.95))
    ]
    lines = kinds.measured_tables(rows)
    shown = [line for line in lines if line.startswith(("| patch", "| asymmetric", "| spurious"))]
    assert shown == [
        "| patch | 0.50 | 0.90 (0.00) | 0.90 (0.03) |",
        "| asymmetric | 0.50 | 0.25 (0.98) | 0.25 (0.95) |",
        "| spurious | 0.50 | 0.40 (0.98) | 0.40 (0.95) |",
    ]


def test_a_section_without_its_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- mark -->\nold\n")
    with pytest.raises(ValueError, match="has no '<!-- end -->'"):
        write_section(page, "<!-- mark -->", ["new"])
    page.write_text("before\n<!-- mark -->\nold\n<!-- end -->\nafter\n")
    write_section(page, "<!-- mark -->", ["new"])
    assert page.read_text() == "before\n<!-- mark -->\nnew\n<!-- end -->\nafter\n"


def test_every_command_has_a_sentence_and_every_page_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(PAGES) <= set(commands("report"))
    assert {"gpu", "fuzz", "mutants", "soak"} <= set(commands("run"))
    assert "serving" not in commands("run")  # a helper, no command
    for word in ("run", "report"):
        assert all(describe(path).endswith((".", "?")) for path in commands(word).values())
    assert main(["report", "resluts"]) == 2
    assert "no report called 'resluts'" in capsys.readouterr().err
    assert main(["measure", "gpu"]) == 2


def test_a_target_says_whether_it_is_met() -> None:
    assert Target("healed", "≥ 0.9", 0.95, True, 0.01).line().split("  ")[-1] == "ok"
    missed = Target("healed", "≥ 0.9", 0.85, False)
    assert missed.line().endswith("measured 0.850  MISSED")
    assert missed.plain() == {"what": "healed", "asked": "≥ 0.9", "mean": 0.85, "standard_error": None, "met": False}
    assert Target("share", "—", math.nan, None).plain()["mean"] is None


def test_every_target_is_judged_in_one_place() -> None:
    least, most = Target.at_least(0.9, 0.9, "healed", error=0.01), Target.at_most(2.5, 2.0, unit=" s")
    assert (least.asked, least.met, least.verdict, least.error) == ("≥ 0.9", True, "reached", 0.01)
    assert (most.asked, most.met, most.verdict) == ("≤ 2 s", False, "**missed**")
    assert Target.at_least(math.nan, 0.5).verdict == "**missed**"
    assert Target("share", "—", 0.3, None).verdict == ""
    by_hand = [path for path in (ROOT / "benchmarks").rglob("*.py") if re.search(r'"(\*\*)?missed', path.read_text("utf-8"))]
    assert by_hand == [ROOT / "benchmarks" / "target.py"]


def test_what_unlearning_photographs_costs_is_judged_against_retraining() -> None:
    seconds = {"retrain": (10.0, 14.0), "rem": (9.0, 12.0), "rem_discover": (80.0, 88.0)}
    rows = [{"method": name, "seconds": value} for name, values in seconds.items() for value in values]
    assert costs(rows) == [
        "`rem` takes 0.88 times as long as retraining, asked ≤ 1: reached.",
        "`rem_discover` takes 7.00 times as long as retraining, asked ≤ 6: **missed**.",
    ]
    assert costs(rows[2:]) == []


def test_every_metric_is_in_the_list_of_the_docs_as_the_code_has_it() -> None:
    text = metrics.PAGE.read_text(encoding="utf-8")
    listed = text.partition(metrics.START)[2].partition(metrics.END)[0]
    assert listed.strip() == "\n".join(metrics.lines()).strip(), "run: python -m benchmarks report metrics"
    assert "(`tow_mia`)" in listed
