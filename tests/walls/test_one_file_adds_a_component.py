"""A dataset, a model, a method and a metric, each added from here with no other file touched, run end to end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from pydantic import Field
from torch import nn

from unlearn_core import datasets, evaluation, methods, models
from unlearn_core.datasets import DatasetSource, LabelledData, Preset, Split, stratified_split
from unlearn_core.evaluation import Evidence, Metric, build_scenario_data, measure, observe
from unlearn_core.methods import Method, MethodParams, UnlearningTask
from unlearn_core.models import ModelSource, RedirectNet
from unlearn_core.models.mlp import MlpNet
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import Reporter, SilentReporter


class Corners(DatasetSource):
    name, label, family = "dummy_corners", "Corners", "points"
    summary = "A square of four classes. It is a dummy."
    displacement = (3.0, 0.0)
    preset = Preset("dummy_net", TrainingSpec(epochs=1, batch_size=8, learning_rate=0.1), {}, class_a=0, class_b=1)

    @classmethod
    def load(cls, params: Any, seed: int) -> Split:
        points = torch.rand(120, 2, generator=torch.Generator().manual_seed(seed))
        labels = (points[:, 0] > 0.5).long() + 2 * (points[:, 1] > 0.5).long()
        return stratified_split(LabelledData(points, labels, ("a", "b", "c", "d")), test=40, seed=seed)


class Net(ModelSource):
    name, label, summary = "dummy_net", "Dummy network", "A dummy."

    @classmethod
    def build(cls, params: Any, shape: tuple[int, ...], classes: int) -> RedirectNet:
        return MlpNet(shape[0], 4, 1, classes)


class NothingParams(MethodParams):
    strength: float = Field(0.5, ge=0, le=1, description="Of nothing")


class Nothing(Method[NothingParams]):
    name, label, paper, family = "dummy_nothing", "Nothing", "a dummy", "fine-tuning"
    summary = "Does nothing. It is a dummy."

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        return task.original.eval()


class Constant(Metric):
    name, label, formula, direction, split = "dummy_constant", "Constant", "one", "higher", "none"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return 1.0


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    tables: list[tuple[Any, Any]] = [
        (datasets.registry, Corners),
        (models.registry, Net),
        (methods.registry, Nothing),
        (evaluation.registry, Constant),
    ]
    for table, part in tables:
        table.register(part)
    yield
    for table, part in tables:
        table.remove(part.name)


def test_the_four_parts_work_together() -> None:
    scenario = make_scenario("dummy_corners", amount=10)
    spec = make_method("dummy_nothing", scenario, {"strength": 0.25})
    assert spec.params == {"strength": 0.25}
    arena = build_scenario_data(scenario, torch.device("cpu"))
    model = models.build_model(scenario.model, arena.corrupted.train.shape, arena.train.classes, 0)
    forget = arena.corrupted.truth.forget_indices(scenario.discovery)
    task = UnlearningTask(model, arena.train, forget, forget, lambda seed: model, scenario.training, 0)
    method = methods.registry.get(spec.name)
    healed = method(method.params(spec.params)).unlearn(task, SilentReporter())
    values = measure(Evidence(scenario, arena.corrupted, forget, observe(healed, arena)))
    assert values["dummy_constant"] == 1.0
    assert values["utility"] is not None
    assert "dummy_nothing" in methods.registry.names()
    assert methods.registry.get("dummy_nothing").describe()["parameters"]["strength"]["maximum"] == 1


def test_a_name_can_be_taken_only_once() -> None:
    class Other(Nothing):
        pass

    with pytest.raises(ValueError, match="is taken"):
        methods.registry.register(Other)
