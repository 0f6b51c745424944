"""``discover --questions``: cards as a page and a CSV file, answers taken back, a forget list at the end."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from unlearn_core.cli import main
from unlearn_core.errors import UserError
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.evaluation.person import SimulatedPerson
from unlearn_core.front_door.card_answers import read_answers, write_answers
from unlearn_core.specs import Scenario

QUICK = [
    *("discover", "--dataset", "blobs", "--regularity", "0", "--discovery", "0", "--engine", "inline", "--amount", "60"),
    *("--set", "training.epochs=12", "--set", "rem_discover.folds=3"),
]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path_factory.getbasetemp() / "questions-store"))


def test_cards_are_written_answered_and_taken_back(tmp_path: Path, capsys: Capture) -> None:
    folder, kept = tmp_path / "cards", tmp_path / "forget.csv"
    assert main([*QUICK, "--questions", "3", "--out", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    page, file = (folder / "cards.html").read_text(), folder / "answers.csv"
    assert page.count("<section ") == len(told["cards"]) == 3
    assert "<script src" not in page
    rows = read_answers(file.read_bytes(), "answers")
    data = load_scenario_data(Scenario.parse({k: v for k, v in told["scenario"].items() if k != "key"}))
    person = SimulatedPerson(data.corrupted.truth, data.train.labels)
    assert [list(row.shown) for row in rows] == [card["shown"] for card in told["cards"]]
    filled = list(csv.DictReader(io.StringIO(file.read_text())))
    for line, row in zip(filled, rows, strict=True):
        line["answer"] = person.look(list(row.shown))
    text = io.StringIO()
    writer = csv.DictWriter(text, filled[0], delimiter=";")  # as some spreadsheets save it
    writer.writeheader()
    writer.writerows(filled)
    file.write_text(text.getvalue())
    report = tmp_path / "report.html"
    assert main([*QUICK, "--answers", str(file), "--accept", str(kept), "--report", str(report), "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    assert after["looks"] == 3
    assert len(after["forget"]) >= 16
    wrong = [index for index in after["forget"] if person.wrong[index]]
    assert len(wrong) >= 0.9 * len(after["forget"])
    assert [int(line["index"]) for line in csv.DictReader(kept.open())] == after["forget"]
    page = report.read_text()
    assert f"<td>{len(after['forget'])}</td>" in page
    assert "Wrong labels of the list that are still predicted" in page
    assert "<th>REM</th>" in page
    # Cards of other data are not taken for these.
    other = [*QUICK, "--seed", "1", "--answers", str(file)]
    assert main(other) == 2
    assert "belongs to other data" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--questions", "3"], "--questions needs --out"),
        (["--questions", "0", "--out", "cards"], "--questions must be 1 to 200"),
        (["--answers", "nowhere.csv"], "cannot be read"),
        (["--report", "report.html"], "--report is about answers to cards"),
        (["--questions", "3", "--out", "cards", "--report", "report.html"], "--report is about answers to cards"),
        (["--answers", "a.csv", "--report", "no/where/report.html"], "--report"),
        (["--answers", "nowhere.csv", "--forget", "list.csv"], "--forget has no meaning"),
    ],
)
def test_what_cannot_be_asked_gets_one_sentence(options: list[str], said: str, capsys: Capture) -> None:
    assert main([*QUICK, *options]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,1,wrnog,,1 2", "line 2: an answer is wrong, right or mixed"),
        ("1,1,wrong,1,1 2", "on a card whose answer is mixed"),
        ("1,1,mixed,7,1 2", "example 7 is called wrong, but it is not on the card"),
        ("1,one,right,,1 2", "line 2, card: a whole number is needed"),
        ("1,1,right,,", "the column shown is empty"),
        ("1,1,right,,1 2\n1,1,right,,1 2", "answers card 1 twice in round 1"),
    ],
)
def test_a_bad_line_is_named(line: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_answers(f"round,card,answer,wrong,shown\n{line}\n".encode(), "The file")


def test_answers_come_back_as_they_were_written() -> None:
    text = "round,card,answer,wrong,shown\n1,2,mixed,5 7,5 6 7\n1,3,,,8 9\n"
    assert write_answers(read_answers(text.encode(), "The file")) == text


def test_a_huge_file_is_not_read() -> None:
    with pytest.raises(UserError, match="too large"):
        read_answers(b"x" * 5_000_000, "The file")
