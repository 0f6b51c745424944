"""One sentence for every mistake at the command line, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from clitools import QUICK, ask

from unlearn_core.cli import main
from unlearn_core.store import Store

BAD_RUNS = [
    (["--dataset", "digit"], "Did you mean 'digits'"),
    (["--methods", "rems"], "Did you mean 'rem'"),
    (["--methods", ""], "at least one method"),
    (["--methods", " , "], "at least one method"),
    (["--methods", "rem,retrain,rem"], "named twice"),
    (["--model", "resnet"], "Did you mean"),
    (["--values", "best"], "'--values': 'best' is not one of 'tuned', 'paper', 'rem'."),
    (["--methods", "rem", "--set", "rem.statistics=loose"], "must be one of 'mixed' or 'retain' (got 'loose')"),
    (["--methods", "rem", "--set", "rem.removal_reference=1"], "must be one of 'masked' or 'dropped' (got 1)"),
    (["--methods", "rem", "--set", "rem.repeat=maybe"], "rem.repeat must be true or false (got 'maybe')"),
    (["--regularity", "1.5"], "at most 1"),
    (["--regularity", "nan"], "finite"),
    (["--regularity", "inf"], "finite"),
    (["--regularity", "much"], "--regularity"),
    (["--discovery", "-0.1"], "at least 0"),
    (["--discovery", "nan"], "finite"),
    (["--discovery", "0"], "nothing is discovered"),
    (["--discovery", "0.001"], "finds none"),
    (["--seed", "-1"], "at least 0"),
    (["--seed", "1.5"], "--seed"),
    (["--seed", "99999999999999999999"], "at most"),
    (["--amount", "0"], "at least 1"),
    (["--amount", "0.9"], "at most 0.5"),
    (["--amount", "nan"], "fraction"),
    (["--amount", "many"], "count"),
    (["--amount", "100000"], "too many"),
    (["--set", "nonsense"], "rem.epochs=5"),
    (["--set", "rem.epochs"], "rem.epochs=5"),
    (["--set", "=5"], "rem.epochs=5"),
    (["--set", "rem.epochs=0"], "at least 1"),
    (["--set", "rem.epochs=nan"], "rem.epochs"),
    (["--set", "rem.nothing=1"], "not a known option"),
    (["--set", "trigger.size=99"], "at most 16"),
    (["--set", "model.nothing=1"], "not a known option"),
    (["--set", "nobody.x=1"], "none of"),
    (["--set", "rem.epochs=1", "--set", "rem.epochs=2"], "given twice"),
    (["--engine", "cloud"], "local, inline"),
    (["--workers", "0"], "at least one worker"),
    (["--workers", "x"], "--workers"),
    (["--device", "tpu"], "--device"),
    (["--store", "nonsense://x"], "not a database address"),
    (["--store", "/proc/nowhere"], "cannot be kept"),
    (["--unknown"], "unknown"),
    (["stray"], "stray"),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), BAD_RUNS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_bad_run_is_refused_with_one_sentence(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    engine = [] if "--engine" in arguments else ["--engine", "inline"]
    assert main(["run", "--methods", "rem", *engine, *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert said.err.count("\n") == 1
    assert expected in said.err
    assert "Traceback" not in said.err
    assert not place.exists() or Store.open(place).find() == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "must be a mapping"),
        (b"- rem\n- retrain", "must be a mapping"),
        (b"just text", "must be a mapping"),
        (b"methods: [rem", "not valid YAML"),
        (b"a: b: c", "not valid YAML"),
        (b"\xff\xfe\x00methods", "not UTF-8"),
        (b"methods: !!python/object:os.system x", "not valid YAML"),
        (b"1: 2", "not text"),
        (b"regularty: [1]", "not a known option"),
        (b"regularity: 0.5", "regularity"),
        (b"regularity: []", "regularity"),
        (b"regularity: [.nan]", "finite"),
        (b"regularity: [2]", "at most 1"),
        (b"seeds: [one]", "whole number"),
        (b"methods: []", "methods"),
        (b"methods: [rem, rem]", "named twice"),
        (b"methods: [nothing]", "no method called"),
        (b"discovery: [0]", "nothing is discovered"),
        (b"amount: [9000]", "too many"),
        (b"set: {rem.epochs: 0}", "at least 1"),
        (b"set: {epochs: 3}", "section"),
        (b"set: {rem: {epochs: 3}}", "set"),
        (b"seeds: [" + b",".join(b"%d" % n for n in range(40_000)) + b"]", "at most 100,000"),
        (b"#" * (2**20 + 1), "larger than 1 MB"),
    ],
    ids=lambda value: value[:20].decode("ascii", "replace") if isinstance(value, bytes) else "",
)
def test_a_bad_plan_is_refused_with_one_sentence(
    content: bytes, expected: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, place: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    assert main(["sweep", str(path), "--engine", "inline"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert said.err.count("\n") == 1
    assert expected in said.err
    assert not place.exists()


@pytest.mark.parametrize("arguments", [["sweep"], ["sweep", "missing.yaml"], ["sweep", "."], ["results", "--metric", "x"],
                                       ["results", "--format", "x"], ["results", "--dataset", "x"], ["nonsense"]])  # fmt: skip
def test_other_mistakes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Error: ")
    assert said.err.count("\n") == 1


def test_what_cannot_be_computed_fails_alone(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearn_core.methods.fine_tuning.finetune import Finetune

    def broken(*_: object) -> None:
        raise RuntimeError("the weights are\ngone")

    monkeypatch.setattr(Finetune, "unlearn", broken)
    answer = ask(capsys, "run", *QUICK, "--methods", "finetune,retrain", code=1)
    assert answer["failed"] == [{"method": "finetune", "cause": "RuntimeError: the weights are gone"}]
    assert [r["method"] for r in answer["results"]] == ["retrain"]
    monkeypatch.undo()


def test_an_inner_fault_is_one_sentence_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr("unlearn_core.store.Store.open", broken)
    assert main(["results"]) == 1
    assert capsys.readouterr().err == "Error: Something went wrong inside Eunoe (ZeroDivisionError: deep inside).\n"
