"""More like this: the nearest by hand, each way from a network, and on every page with images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import unlearn_core as eunoe
from unlearn_core.discovery.likeness import most_alike
from unlearn_core.engine import Engine
from unlearn_core.presets import make_method
from unlearn_core.results.reader import scenario_data
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.likeness.data import KEPT, read_alike
from unlearn_core.views.likeness.stage import plan_likeness


def test_the_most_alike_by_hand() -> None:
    features = torch.tensor([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0], [-1.0, 0.0]])
    steps: list[tuple[int, int]] = []
    indices, values = most_alike(features, None, 9, lambda done, total: steps.append((done, total)))
    assert indices.shape == (4, 3)  # never an example itself
    assert indices[0].tolist() == [1, 2, 3]
    assert values[0].tolist() == pytest.approx([0.99875, 0.0, -1.0], abs=1e-4)
    assert steps[-1] == (4, 4)
    pull = torch.tensor([[-1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])
    indices, values = most_alike(features, pull, 3, lambda done, total: None)
    assert indices[0, 0] == 3  # opposite features that are pulled the opposite way: the same gradient
    assert values[0, 0] == pytest.approx(1.0)


def test_each_way_is_computed_by_a_stage_and_read_for_one_example(tmp_path: Path) -> None:
    scenario = eunoe.Scenario.make("digits", regularity=1.0, overrides={"training.epochs": 3})
    spec = make_method("finetune", scenario, {"epochs": 1})
    stages = [
        *plan_runs(scenario, [spec]),
        plan_likeness(scenario, "original", None),
        plan_likeness(scenario, "gradient", spec),
        plan_likeness(scenario, "healed", spec),
    ]
    engine = Engine(Store.open(tmp_path), address="inline")
    job = engine.wait(engine.submit(stages, "likeness"))
    engine.close()
    assert job.state == "done", [stage.message for stage in job.stages]
    store = Store.open(tmp_path)
    labels = scenario_data(scenario).corrupted.train.labels
    found = {stage.payload["way"]: read_alike(store, stage.key, 5) for stage in stages[-3:]}
    for way, alike in found.items():
        assert len(alike.indices) == KEPT, way
        assert 5 not in alike.indices
        assert (alike.likeness[:-1] >= alike.likeness[1:]).all()
    closest = torch.from_numpy(store.arrays(stages[-3].key, "likeness")["nearest"][:, 0]).long()
    assert (labels[closest] == labels).float().mean() > 0.7
    assert {*found["original"].indices.tolist()} != {*found["gradient"].indices.tolist()}
    with pytest.raises(LookupError):
        read_alike(store, stages[-1].key, 10**6)
