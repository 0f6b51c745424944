"""``discover``: a ranked list that reads back as a forget set; the judgement on stderr; ``--forget`` on every command."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from unlearn_core.cli import main
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.specs import Scenario
from unlearn_core.store import Store

QUICK = [
    *("--dataset", "blobs", "--engine", "inline", "--amount", "60", "--set", "training.epochs=12"),
    *("--set", "rem_discover.rounds=1", "--set", "rem_discover.folds=3"),
]
KNOWN = [*QUICK, "--discovery", "0.5"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def _environment(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(place))


Capture = pytest.CaptureFixture[str]


def test_suspects_as_json_say_why_they_are_accepted(capsys: Capture) -> None:
    assert main(["discover", *KNOWN, "--json"]) == 0
    output = capsys.readouterr()
    answer = json.loads(output.out)
    assert answer["state"] == "judged"
    assert answer["accepted"] > 0
    assert answer["expected"]["precision"] >= 0.9
    assert not [name for name in answer["expected"] if name.startswith("true")]
    assert set(answer["suspects"][0]) == {"index", "given_label", "score", "probability", "says", "accepted"}
    assert sum(row["accepted"] for row in answer["suspects"]) == answer["accepted"]
    assert answer["sentence"] in output.err
    assert f"The first {answer['accepted']} pass an expected precision of 0.9" in output.err


def test_a_lower_precision_accepts_more_without_computing_again(capsys: Capture) -> None:
    counts = []
    for precision in ("0.99", "0.6"):
        assert main(["discover", *KNOWN, "--precision", precision, "--json"]) == 0
        output = capsys.readouterr()
        counts.append(json.loads(output.out)["accepted"])
        assert "✓" not in output.err
    assert counts[0] <= counts[1]


def test_the_csv_is_a_forget_set_for_another_run(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "suspects.csv"
    assert main(["discover", *KNOWN, "--format", "csv", "--top", "7", "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert list(rows[0]) == ["index", "given_label", "score", "probability", "says"]
    assert len(rows) == 7
    assert main(["discover", *QUICK, "--forget", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scenario"]["forget"] == sorted(int(row["index"]) for row in rows)
    assert not {row["index"] for row in told["suspects"]} & set(told["scenario"]["forget"])
    run = ["run", "--dataset", "blobs", "--engine", "inline", "--amount", "60", "--set", "training.epochs=12"]
    assert main([*run, "--methods", "finetune", "--forget", str(out)]) == 0
    assert "7 in the forget set" in capsys.readouterr().out


def test_named_sets_can_be_given_by_name_and_key(capsys: Capture, place: Path) -> None:
    assert main(["discover", *KNOWN, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    answer["scenario"].pop("key")
    sets = NamedSets(Store.open(place), Scenario.parse(answer["scenario"]).corruption_key)
    made = sets.create("found by hand", ForgetSet((3, 4, 5)))
    for asked in ("found by hand", made.key):
        assert main(["discover", *QUICK, "--forget", asked, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["scenario"]["forget"] == [3, 4, 5]
        assert told["state"] == "ranked"


def test_too_little_known_is_a_ranking(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("3\n4\n5\n")
    assert main(["discover", *QUICK, "--forget", str(tmp_path / "few.csv")]) == 0
    output = capsys.readouterr()
    assert "Fewer than 5 known examples" in output.err
    assert "No threshold can be set" in output.err
    lines = output.out.splitlines()
    assert len(lines) == 21
    assert "–" in lines[1]
    assert "accepted" not in output.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--forget", "missing.csv"], "cannot be read"),
        (["--forget", "nobody"], "no forget set called 'nobody'"),
        (["--precision", "1.5"], "--precision must be above 0"),
        (["--top", "0"], "--top must be at least 1"),
        (["--discovery", "0"], "needs a forget set"),
        (["--out", "/no/such/folder/x.csv"], "does not exist"),
        (["--set", "rem.epochs=3"], "overrides nothing here"),
    ],
)
def test_mistakes_get_one_sentence(capsys: Capture, arguments: list[str], sentence: str) -> None:
    assert main(["discover", *QUICK, *arguments]) == 2
    output = capsys.readouterr()
    assert sentence in output.err
    assert output.out == ""
    assert "Traceback" not in output.err


def test_a_set_that_does_not_fit_is_said(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    for text, sentence in (("index\n999999\n", "there are"), ("index\nx\n", "no whole number"), ("", "is empty")):
        path.write_text(text)
        assert main(["discover", *QUICK, "--forget", str(path)]) == 2
        assert sentence in capsys.readouterr().err
