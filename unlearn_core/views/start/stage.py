"""The stage that films a model: its method runs as in any run, and is looked at on the way."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping

import torch

from unlearn_core.evaluation import ScenarioData, load_scenario_data
from unlearn_core.methods import UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.inputs import load_original, make_task
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.start.data import Film, film_arrays, film_key, part_key
from unlearn_core.views.start.watch import Camera, Filming


def plan_films(scenario: Scenario, specs: Mapping[str, MethodSpec | None]) -> list[Stage]:
    """The original's training and one film for each model (None: the original); raises :class:`UserError` for what cannot
    run."""
    original, *_ = plan_runs(scenario, [spec for spec in specs.values() if spec is not None])
    stages = [original]
    for spec in specs.values():
        label = "the original" if spec is None else methods.get(spec.name).label
        payload = {
            "scenario": scenario.model_dump(mode="json"), "method": None if spec is None else spec.model_dump(mode="json"),
        }  # fmt: skip
        weight = 0.1 if spec is None else original.weight
        stages.append(
            Stage("film", film_key(scenario, spec), f"Film of {label}", payload, (original.key,), weight, original.lane)
        )
    return stages


@scenario_stage("film")
def film(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Run the method on the stored original and store every look at it; parts of the film on the way."""
    data = load_scenario_data(scenario, device)
    numbers = itertools.count()

    def show(new: Film, share: float) -> None:
        part = part_key(stage.key, next(numbers))
        store.put(part, "film part", {}, {"share": share}, {}, {"film": film_arrays(new)})

    try:
        made = _made(stage, scenario, data, store, reporter, show)
        memorised = _memorised(store, scenario, data)
        store.put(
            stage.key, "film", dict(stage.payload), {"memorised": memorised}, environment(device), {"film": film_arrays(made)}
        )
    finally:
        _delete_parts(store, stage.key)


def _delete_parts(store: Store, key: str) -> None:
    """Delete the parts of a film, those that an attempt left which was killed too."""
    for number in itertools.count():
        if not store.has([part := part_key(key, number)]):
            return
        store.delete(part)


def _made(
    stage: Stage, scenario: Scenario, data: ScenarioData, store: Store, reporter: Recorder, show: Callable[[Film, float], None]
) -> Film:
    camera = Camera(scenario, data)
    if stage.payload["method"] is None:
        return camera.look(load_original(store, scenario, data))
    return _filmed(MethodSpec.parse(stage.payload["method"]), store, scenario, data, Filming(reporter, camera, show))


def _filmed(spec: MethodSpec, store: Store, scenario: Scenario, data: ScenarioData, filming: Filming) -> Film:
    """The film of one method: of the network that it makes anew, or else of the original that it changes."""
    method = methods.get(spec.name)
    task = make_task(store, scenario, data, method.oracle)
    filming.model = task.original
    model = method(method.params(spec.params)).unlearn(_watched(task, filming), filming)
    return filming.film(model).spread()


def _watched(task: UnlearningTask, filming: Filming) -> UnlearningTask:
    def fresh_model(seed: int) -> RedirectNet:
        filming.model = model = task.fresh_model(seed)
        return model

    return dataclasses.replace(task, fresh_model=fresh_model)


def _memorised(store: Store, scenario: Scenario, data: ScenarioData) -> float:
    """The share of the corrupted examples whose given label the original predicts."""
    rows = data.corrupted.truth.corrupted.numpy()
    predicted = store.arrays(scenario.original_key, "logits")["train"][rows].argmax(1)
    return float((predicted == data.corrupted.train.labels.numpy()[rows]).mean()) if len(rows) else 0.0
