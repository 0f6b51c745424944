"""Benchmarks: pairs are taken in turns, fits are right, and the command says what was asked for and what came out."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest
import torch

from unlearn_core.bench import SECTIONS, Measurement, alternate, costs, exponent
from unlearn_core.cli import main

CPU = torch.device("cpu")


def test_the_two_sides_take_turns() -> None:
    calls: list[str] = []
    pairs = alternate(lambda: calls.append("a"), lambda: calls.append("b"), 3, CPU)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert len(pairs) == 3
    assert all(one >= 0 and two >= 0 for one, two in pairs)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_found(power: float) -> None:
    sizes = [1.0, 2.0, 4.0, 8.0]
    assert exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_a_target_is_a_least_or_a_most() -> None:
    def row(value: float, target: float | None, least: bool) -> Measurement:
        return Measurement("s", "n", value, "u", value, value, target=target, least=least)

    assert row(2.0, 1.0, True).met is True
    assert row(2.0, 1.0, False).met is False
    assert row(2.0, None, True).met is None


def test_methods_are_measured_beside_retraining(monkeypatch: pytest.MonkeyPatch) -> None:
    short = functools.partial(costs.make_scenario, overrides={"training.epochs": 10})
    monkeypatch.setattr(costs, "make_scenario", short)
    found = {row.name: row for row in costs.methods(1, CPU, names=["ssd"])}
    assert set(found) == {"ssd", "retrain"}
    assert found["retrain"].value == 1
    assert 0 < found["ssd"].value < 1
    assert found["ssd"].seconds == pytest.approx(found["ssd"].value * (found["retrain"].seconds or 0))


def test_the_command_prints_and_writes_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--sections", "masks", "--repeats", "1", "--json", "--out", str(tmp_path / "b.json")]) == 0
    output = capsys.readouterr()
    told = json.loads(output.out)
    assert json.loads((tmp_path / "b.json").read_text()) == told
    assert told["measurements"][0]["met"] is True
    assert "asked ≥ 500: ok" in output.err


def test_a_section_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--sections", "flor"]) == 2
    said = capsys.readouterr().err
    assert "no section 'flor'" in said
    assert all(name in said for name in SECTIONS)
