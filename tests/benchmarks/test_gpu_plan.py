"""The GPU command's plan at full size, the door to all benchmarks, and what a GPU does differently."""

from __future__ import annotations

import time

import pytest
import torch

from benchmarks.__main__ import main as door
from benchmarks.measure.gpu import agree, command, speed
from benchmarks.measure.gpu.bench import Bench, difference
from benchmarks.measure.gpu.cells import fresh
from benchmarks.measure.gpu.plan import CHOOSE, SPEED, plan
from benchmarks.measure.gpu.sizes import FIRST_RATES, REGULARITIES, Sizes
from unlearn_core.datasets import Split
from unlearn_core.evaluation import build_scenario_data

SCALE = 0.004


def test_the_plan_at_full_size_is_the_paper_s() -> None:
    items = plan(Sizes())
    assert [item.key for item in items[: 1 + len(SPEED)]] == ["agree", *SPEED]
    assert items[1 + len(SPEED)].key == CHOOSE
    runs = [item for item in items if item.kind == "run"]
    first = [item for item in runs if item.like == "rem/paper"]
    assert {item.like for item in runs[:2]} == {"rem/paper", "rem/tuned"}
    assert max(runs.index(item) for item in first[:9]) < min(k for k, item in enumerate(runs) if item.like == "retrain/paper")
    cells_of_rem = [
        (item.scenario.discovery, item.scenario.corruption.regularity) for item in first[:9] if item.scenario is not None
    ]
    assert cells_of_rem == [(d, r) for d in FIRST_RATES for r in REGULARITIES]
    scenario = first[0].scenario
    assert scenario is not None
    assert (scenario.corruption.amount, scenario.training.batch_size) == (1000, 512)
    assert 4000 <= scenario.training.epochs * 98 <= 4020
    assert scenario.model.params == {"width": 0.5, "whole_blocks": True}
    assert first[0].method is not None
    assert first[0].method.params["steps"] == 980
    rates = {item.scenario.discovery for item in runs if item.scenario is not None}
    assert rates == {k / 10 for k in range(1, 11)}
    assert {item.scenario.seed for item in runs if item.scenario is not None} == {0, 1, 2}


def test_the_plan_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("agree: about ")


def test_one_door_to_all_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert door(["list"]) == 0
    listed = capsys.readouterr().out.split()
    assert {"gpu", "fuzz", "mutants", "performance", "headline"} <= set(listed)
    assert door(["run", "gpo"]) == 2
    assert "no benchmark called 'gpo'" in capsys.readouterr().err
    assert door(["run", "gpu", "--scale", "2"]) == 2
    assert "--scale must be" in capsys.readouterr().err


def test_agreement_holds_where_one_side_leaves_out_biases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU does, and this machine has none."""
    cpu, data = torch.device("cpu"), speed.noise(300)
    split = Split(data, data)
    bench = Bench(Sizes(SCALE), cpu, time.monotonic() + 600, lambda: pytest.fail("no photographs are needed"), lambda key: None)
    scenario, part = agree.small_cell(bench.sizes, split)
    arena = build_scenario_data(scenario, cpu, part)
    gradients, played = [], []
    for skips in (False, True):
        monkeypatch.setattr("unlearn_core.models.resnet9.skips_bias", lambda x, skips=skips: skips)
        gradients.append(agree._gradient(fresh(scenario, arena, 0).train(), arena))
        played.append(agree.play(bench, scenario, part, cpu, graphs=False))
    assert difference(gradients[1], gradients[0]) <= agree.TOLERANCES["gradient"]
    found = agree._differences("", played[1], played[0])
    assert 0 < found["rem"] <= agree.TOLERANCES["rem"]
    assert found["training"] <= agree.TOLERANCES["training"]
