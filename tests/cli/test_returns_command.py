"""``returns``: every course as pure JSON, a table in words, and one sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unlearn_core.cli import main
from unlearn_core.cli.returns import parse_counts
from unlearn_core.errors import UserError

QUICK = ["returns", "--dataset", "blobs", "--engine", "inline", "--set", "training.epochs=2", "--amount", "60"]
METHODS = ["--methods", "finetune,oracle_retrain", "--set", "finetune.epochs=1"]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))


def test_every_course_is_told_and_a_second_call_computes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    command = [*QUICK, *METHODS, "--epochs", "3", "--examples", "5,1", "--barrier", "--margins", "2"]
    assert main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    courses = {(one["method"], one["data"], one["shown"]): one for one in answer["courses"]}
    assert set(courses) == {
        (method, data, shown)
        for method in ("finetune", "oracle_retrain")
        for data, shown in (("left", 0), ("clean", 0), ("left", 1), ("left", 5))
    }
    for (_, data, shown), one in courses.items():
        assert [point["epoch"] for point in one["points"]] == [0, 1, 2, 3]
        assert one["rate"] == 0.1
        assert one["knows_truth"] == (data == "clean")
        fit = [point["fit"] for point in one["points"]]
        assert one["returned"] == pytest.approx(fit[-1] - fit[0])
        assert min(fit) <= one["area"] <= max(fit)
        assert one["trained_on"] - courses["finetune", data, 0]["trained_on"] == shown
    assert courses["finetune", "left", 0]["trained_on"] > courses["finetune", "clean", 0]["trained_on"]
    assert [one["method"] for one in answer["after"]] == ["finetune", "oracle_retrain"]
    assert all(len(one["points"]) == 21 and one["barrier"] >= 0 for one in answer["barriers"])
    assert answer["failed"] == []
    assert {(one["method"], one["group"]) for one in answer["margins"]} == {
        (method, group) for method in ("original", "finetune", "oracle_retrain") for group in ("forget", "retain", "test")
    }
    assert main(command) == 0
    shown = capsys.readouterr()
    assert "✓" not in shown.err  # all of it was stored
    assert "H×U 3" in shown.out
    assert "what is left and 5 of F" in " ".join(shown.out.split())
    assert "straight line to the original" in shown.out
    assert "Fine-tune, forget: mean margins lie" in shown.out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--epochs", "0"], "1 to 100 epochs"),
        (["--rate", "2"], "at most that of training"),
        (["--examples", "5,x"], "numbers from 1 on"),
        (["--examples", "18"], "at most 17 can be shown again"),
        (["--margins", "0"], "1 to 100 models"),
        (["--methods", "nonsense"], "nonsense"),
    ],
)
def test_mistakes_are_refused_with_one_sentence(arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, *(METHODS if "--methods" not in arguments else []), *arguments]) == 2
    said = capsys.readouterr()
    assert word in said.err
    assert said.err.strip().count("\n") == 0
    assert said.out == ""


def test_counts_as_typed() -> None:
    assert parse_counts(None) == parse_counts("") == []
    assert parse_counts("10, 1,10") == [1, 10]
    for wrong in ("0", "-1", "1.5", "a"):
        with pytest.raises(UserError, match="--examples"):
            parse_counts(wrong)
