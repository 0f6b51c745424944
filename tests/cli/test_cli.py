"""The command line: pure JSON, one sentence for every mistake, nothing computed twice, nothing lost."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from unlearn_core.cli import main
from unlearn_core.cli.options import parse_scalar
from unlearn_core.store import Store

QUICK = ["--dataset", "blobs", "--engine", "inline", "--set", "training.epochs=2", "--amount", "60"]
PLAN = """
dataset: blobs
regularity: [0, 1.0]
discovery: [0.5, 1.0]
methods: [retrain, finetune]
seeds: [0, 1]
amount: [60]
set: {training.epochs: 1, finetune.epochs: 1}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def ask(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """Run a command with --json; its parsed answer."""
    assert main([*arguments, "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_run_twice_is_computed_once_and_equal_to_the_bit(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", *QUICK, "--methods", "finetune,oracle_retrain", "--set", "finetune.epochs=2", "--seed", "3"]
    first = ask(capsys, *command)
    assert first["scenario"]["dataset"]["name"] == "blobs"
    assert len(first["scenario"]["key"]) == 16
    assert first["scenario"]["seed"] == 3
    assert 0 <= first["original"]["utility"] <= 1
    assert [r["method"] for r in first["results"]] == ["finetune", "oracle_retrain"]
    result = first["results"][0]
    assert set(result) == {"method", "label", "oracle", "params", "variant", "knows", "metrics", "seconds", "device", "cached"}
    assert result["params"]["epochs"] == 2
    assert not result["cached"]
    assert [r["oracle"] for r in first["results"]] == [False, True]
    assert {"healed", "utility", "healed_x_utility", "forget_accuracy", "retain_accuracy"} <= set(result["metrics"])
    assert first["failed"] == []
    second = ask(capsys, *command)
    assert all(r.pop("cached") for r in second["results"])
    for r in first["results"]:
        r.pop("cached")
    assert first == second


def test_the_table_marks_the_best_and_the_oracle_and_what_was_cached(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", *QUICK, "--methods", "finetune,retrain,oracle_retrain"]
    assert main(command) == 0
    output = capsys.readouterr()
    assert "Original" in output.out
    oracle = next(line for line in output.out.splitlines() if line.lower().startswith("oracle"))
    assert "★" not in oracle
    assert "★" in output.out
    assert "cached" not in output.out
    assert "✓" in output.err
    assert main(command) == 0
    assert "3 of 3 results were already stored (cached)" in capsys.readouterr().out


def test_run_says_what_a_run_settled_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", *QUICK, "--methods", "finetune,rem_tuned", "--set", "rem_tuned.epochs=1", "--set", "rem_tuned.tries=1"]
    (sentence,) = (one for one in ask(capsys, *command)["choices"] if one.startswith("REM, self-tuned "))
    assert main(command) == 0
    assert sentence.replace("`", "") in capsys.readouterr().out


def test_either_set_of_values_is_a_run_and_a_row_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    found = {}
    for values in ("tuned", "paper"):
        command = ["run", *QUICK, "--methods", "finetune", "--values", values, "--set", "finetune.epochs=1"]
        (found[values],) = ask(capsys, *command)["results"]
    rates = {values: result["params"]["learning_rate"] for values, result in found.items()}
    assert rates["paper"] == 0.025 != rates["tuned"]
    assert not found["paper"]["cached"]
    rows = ask(capsys, "results", "--metric", "utility", "--dataset", "blobs")
    assert {row["variant"] for row in rows if row["method"] == "finetune"} == {result["variant"] for result in found.values()}
    assert found["tuned"]["variant"] != found["paper"]["variant"]


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


@pytest.mark.parametrize(
    ("command", "name"), [("methods", "rem"), ("datasets", "digits"), ("models", "cnn"), ("kinds", "asymmetric")]
)
def test_what_is_registered(command: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = {part["name"]: part for part in ask(capsys, command)}
    assert found[name]["label"]
    assert "parameters" in found[name]
    assert main([command]) == 0
    assert name in capsys.readouterr().out


def test_sweep_fills_what_is_missing_and_results_show_it(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, "run", *QUICK[:4], "--set", "training.epochs=1", "--amount", "60", "--methods", "retrain", "--discovery", "0.5")
    first = ask(capsys, "sweep", str(plan), "--engine", "inline")
    assert (first["runs"], first["computed"], first["cached"], first["failed"]) == (16, 15, 1, [])
    second = ask(capsys, "sweep", str(plan), "--engine", "inline")
    assert (second["computed"], second["cached"]) == (0, 16)

    rows = ask(capsys, "results", "--metric", "utility")
    assert len(rows) == 8
    assert {row["n"] for row in rows} == {2}
    assert all(row["standard_error"] is not None and row["metric"] == "utility" for row in rows)
    assert main(["results", "--metric", "utility", "--format", "csv"]) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(line["mean"]) for line in lines] == [row["mean"] for row in rows]
    for style, sign in (("table", "±"), ("html", "<table"), ("latex", "\\begin{tabular}")):
        assert main(["results", "--format", style]) == 0
        shown = capsys.readouterr().out
        assert sign in shown
        assert "Retrain" in shown
    assert ask(capsys, "results", "--dataset", "digits") == []


def test_a_store_that_is_not_there_is_not_made_by_looking(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["results"]) == 2
    assert capsys.readouterr().err == f"Error: There is no store in {place}.\n"
    assert main(["results", "--store", str(place / "deep" / "down")]) == 2
    assert not place.exists()


def test_an_empty_store_says_what_to_do(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Store.open(place).close()
    assert main(["results"]) == 0
    assert "no results yet" in capsys.readouterr().err
    assert ask(capsys, "results") == []


def test_help_without_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "sweep" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("1e-3", 0.001), ("0.5", 0.5), ("true", True), ("False", False), ("none", None), ("top-left", "top-left")],
)
def test_scalars(text: str, value: object) -> None:
    assert parse_scalar(text) == value
    assert type(parse_scalar(text)) is type(value)


def test_ctrl_c_keeps_what_is_finished(plan: Path, place: Path) -> None:
    plan.write_text(PLAN.replace("seeds: [0, 1]", f"seeds: {list(range(60))}"))
    command = [sys.executable, "-m", "unlearn_core", "sweep", str(plan), "--engine", "inline", "--json"]
    # Whoever started the tests in the background may have had them ignore Ctrl-C, and children inherit that.
    listen = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    sweep = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ, preexec_fn=listen
    )
    deadline = time.monotonic() + 90
    while len(list(place.rglob("*.safetensors"))) < 12 and time.monotonic() < deadline:
        time.sleep(0.1)
    sweep.send_signal(signal.SIGINT)
    out, err = sweep.communicate(timeout=30)
    assert sweep.returncode == 130, err
    assert "Traceback" not in err
    assert "run the same command again" in err
    answer = json.loads(out)
    assert answer["computed"] >= 1
    assert answer["cancelled"] > 100
    assert len(Store.open(place).find("run")) >= answer["computed"]


@pytest.mark.cluster
def test_from_a_terminal_with_worker_processes() -> None:
    command = [sys.executable, "-m", "unlearn_core", "run", "--dataset", "blobs", "--methods", "retrain,finetune", "--json"]
    command += ["--workers", "2", "--amount", "60", "--set", "training.epochs=3", "--set", "finetune.epochs=2"]
    with tempfile.TemporaryDirectory() as folder:
        around = os.environ | {"TMPDIR": folder}
        first = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=around)
        assert first.returncode == 0, first.stderr
        assert os.listdir(folder) == []  # neither sockets nor caches nor the key of the workers' certificate stay behind
    answer = json.loads(first.stdout)
    assert [r["method"] for r in answer["results"]] == ["retrain", "finetune"]
    assert "✓ Retrain" in first.stderr
    code = "import sys; from unlearn_core.cli import main; main(sys.argv[1:]); assert 'distributed' not in sys.modules"
    again = subprocess.run([sys.executable, "-c", code, *command[3:]], capture_output=True, text=True, check=False, timeout=60)
    assert again.returncode == 0, again.stderr
    assert all(r["cached"] for r in json.loads(again.stdout)["results"])
