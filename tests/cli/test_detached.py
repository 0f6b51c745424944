"""A sweep that goes on without its terminal, and another command that looks in on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.clitools import PLAN, ask
from tests.engine.dummy import Stage, until
from unlearn_core.cli import detached, main
from unlearn_core.store import Store

ROOT = Path(__file__).parents[2]


def test_a_sweep_goes_on_without_the_command_that_started_it_and_another_looks_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, store = tmp_path / "small.yaml", tmp_path / "store"
    plan.write_text(PLAN.replace("seeds: [0, 1]", "seeds: [0]"))
    options = ["sweep", str(plan), "--engine", "inline", "--store", str(store)]
    command = [sys.executable, "-m", "unlearn_core", *options, "--detach", "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=100)
    started = json.loads(done.stdout)
    log = tmp_path / "small.sweep.log"
    assert Path(started["log"]) == log
    watched = ask(capsys, *options, "--attach")
    assert (watched["runs"], watched["stored"], watched["missing"], watched["failed"]) == (8, 8, 0, [])
    until(lambda: '"computed": 8' in log.read_text())  # it was the process that was started that computed them


def test_watching_ends_where_nobody_computes_and_where_the_rest_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(detached, "LOOK_SECONDS", 0.02)
    store = Store.open(tmp_path / "store")
    stages = [Stage("one", kind="original"), Stage("two", needs=("one",)), Stage("three")]
    store.put("three", "run", {}, {}, {})
    found = detached.watch(store, stages, "plan", quiet=0.2)
    assert (found["stored"], found["missing"], found["failed"]) == (1, 1, [])
    store.leases.take("one", "killed", "elsewhere 1 1.00")  # of another machine, and it stands still
    assert detached.watch(store, stages, "plan", quiet=0.2)["missing"] == 1
    store.leases.drop("one", "killed")
    store.fail("one", "original", "It broke.")
    found = detached.watch(store, stages, "plan", quiet=0.2)
    assert [entry["cause"] for entry in found["failed"]] == ["It broke."]
    assert "It broke." in capsys.readouterr().err


def test_what_ended_since_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path / "store")
    stages = [Stage("one", kind="original"), Stage("two", needs=("one",))]
    monkeypatch.setattr(detached, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(detached, "say", lambda _: store.fail("one", "original", "It broke."))
    found = detached.watch(store, stages, "plan", quiet=1e9)  # what needs it is not waited for
    assert found["failed"][0]["cause"] == "It broke."


def test_one_of_the_two_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "small.yaml"
    plan.write_text(PLAN)
    assert main(["sweep", str(plan), "--detach", "--attach"]) == 2
    assert "--attach to look in" in capsys.readouterr().err
