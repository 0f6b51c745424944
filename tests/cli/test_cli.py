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

import pytest
from clitools import PLAN, QUICK, ask

from unlearn_core.cli import main
from unlearn_core.cli.options import parse_scalar
from unlearn_core.store import Store


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
        assert "…" not in shown  # eighty columns have no room for eight of the table's
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
