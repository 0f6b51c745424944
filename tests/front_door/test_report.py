"""A comparison as one file: whole, offline, and with what repeats it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import unlearn_core as eunoe
from unlearn_core.errors import UserError


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> eunoe.Results:
    scenario = eunoe.Scenario.make("blobs", overrides={"training.epochs": 5})
    return eunoe.run(scenario, ["finetune", "retrain"], store=tmp_path_factory.mktemp("store"))


def test_a_report_has_the_numbers_and_asks_the_network_for_nothing(results: eunoe.Results, tmp_path: Path) -> None:
    text = results.report(tmp_path / "report.html").read_text()
    for _, row in results.frame.iterrows():
        assert f"<td>{100 * row['utility']:.1f}</td>" in text
    assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="?http', text)
    assert text.count("Plotly.newPlot") == text.count("<figure")
    assert text.count("<figure") >= 3


def test_its_python_says_the_same(results: eunoe.Results, tmp_path: Path) -> None:
    import html

    text = results.report(tmp_path / "report.html").read_text()
    code = html.unescape(re.search(r"<pre>(import unlearn_core.+?)</pre>", text, re.DOTALL)[1])  # type: ignore[index]
    scope: dict[str, object] = {}
    exec(code.rpartition("\n")[0], scope)  # all but the run
    assert scope["scenario"] == results.scenario


def test_what_is_text_stays_text(tmp_path: Path) -> None:
    from unlearn_core.views.report import Section, page

    text = page("<b>", [Section("<i>", ["<script>"], code={"x": "a < b"})], "<u>")
    assert "&lt;script&gt;" in text
    assert "a &lt; b" in text
    assert "<script>" not in text


def test_a_report_that_cannot_be_written_says_why(results: eunoe.Results, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        results.report(tmp_path / "nowhere" / "report.html")
