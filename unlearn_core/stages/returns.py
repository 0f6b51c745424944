"""The stages that train stored models further, as their users would, and that measure the way back to the original."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.corruption import discovered_count, summarize_corruption, truth_known
from unlearn_core.errors import UserError
from unlearn_core.evaluation import Evidence, ScenarioData, load_scenario_data, measure, observe
from unlearn_core.evaluation.base import share
from unlearn_core.evaluation.returning import Course, barrier_height, examples_of, too_many_shown, train_on
from unlearn_core.methods import registry as methods
from unlearn_core.methods.shared.sgd import measure_statistics
from unlearn_core.models import RedirectNet
from unlearn_core.results.reader import model_of
from unlearn_core.results.returns import MEASURED, as_followed, barrier_key, course_key, finds, found_by
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.components import method_payload
from unlearn_core.stages.execution import environment, report_step, scenario_stage
from unlearn_core.stages.original import TRAINING_WEIGHT, is_toy
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Lane, Stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import batches, predict

STEPS = 20
"""Equal steps of the way to the original."""
STATISTICS = 10
"""Batches of what is left that batch norm's statistics are measured on at each place of that way."""
WORDS = {"left": "on what is left", "retain": "with its finds left in", "clean": "without the undiscovered"}
_LONGEST_QUICK = 100_000
"""Visits to an example up to which points and digits are trained further in seconds."""


def plan_returns(
    scenario: Scenario, specs: Sequence[MethodSpec], courses: Sequence[Course], barrier: bool = False
) -> list[Stage]:
    """The runs of these methods, each then trained further on every course and, with ``barrier``, the way back measured.

    Where a method finds nothing, what is left is the retain set, and planned once. Raises :class:`UserError` for what cannot
    be: the course without the undiscovered where nobody knows them, more examples shown than the forget set has.
    """
    stages = plan_runs(scenario, specs)
    check_courses(scenario, courses)
    for spec in specs:
        label = methods.get(spec.name).label
        data = method_payload(scenario, spec)
        needs = (scenario.original_key, scenario.run_key(spec))
        for course in dict.fromkeys(as_followed(spec, one) for one in courses):
            words = WORDS[course.data] + (f" and {course.shown} of the forget set" if course.shown else "")
            weight = TRAINING_WEIGHT * course.epochs / scenario.training.epochs
            key, title = course_key(scenario, spec, course), f"{label}, trained further {words}"
            told = data | {"course": asdict(course)}
            stages.append(Stage("returns", key, title, told, needs, weight, _lane(scenario, course)))
        if barrier:
            title = f"{label}, the way back to the original"
            stages.append(Stage("barrier", barrier_key(scenario, spec), title, data, needs, 0.5, "look"))
    return stages


def check_courses(scenario: Scenario, courses: Sequence[Course]) -> None:
    """Raise :class:`UserError` for a course that cannot be followed on this scenario."""
    if any(course.knows_truth for course in courses) and not truth_known(scenario):
        raise UserError("Nobody knows here which labels are wrong, so the undiscovered ones cannot be left out.")
    shown = max((course.shown for course in courses), default=0)
    if shown and shown >= (known := forget_size(scenario)):
        raise UserError(too_many_shown(known))


def forget_size(scenario: Scenario) -> int:
    """How many examples the forget set has."""
    if scenario.forget is not None:
        return len(scenario.forget)
    return discovered_count(summarize_corruption(scenario).corrupted, scenario.discovery) if scenario.discovery else 0


def usual_courses(scenario: Scenario, specs: Sequence[MethodSpec]) -> list[Course]:
    """What is followed where nothing else is asked for: what is left, with the undiscovered and, where they are known, without;
    and for methods that find some, with their finds left in."""
    return [
        Course("left"),
        *([Course("clean")] if truth_known(scenario) else []),
        *([Course("retain")] if any(finds(spec) for spec in specs) else []),
    ]


def _lane(scenario: Scenario, course: Course) -> Lane:
    if not is_toy(scenario):
        return "long"
    return "quick" if summarize_corruption(scenario).train_size * course.epochs <= _LONGEST_QUICK else "long"


@scenario_stage("returns")
def train_further(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Train a stored model on one course and store what is measured after every epoch."""
    spec, course = MethodSpec.parse(stage.payload["method"]), Course(**stage.payload["course"])
    data, model = load_scenario_data(scenario, device), _base_of(store, scenario, spec).to(device)
    record = store.get(scenario.run_key(spec))
    found = found_by(record.payload) if record is not None else []
    ids, remaining = examples_of(course, scenario, data, torch.tensor(found, dtype=torch.int64))
    points = list[dict[str, Any]]()

    def look(epochs: int, model: nn.Module) -> None:
        forget = data.corrupted.truth.forget_of(scenario)
        at = Evidence(scenario, data.corrupted, forget, observe(model, data))
        told = {"fit": None if at.labels_right else share(at.fits_on(remaining))} | measure(at, MEASURED)
        points.append({"epoch": epochs} | {name: value for name, value in told.items() if value is not None})

    train_on(model, data, scenario, course, ids, reporter, look)
    left_out = len(found) if course.data == "left" else 0
    payload = {"course": asdict(course), "points": points, "trained_on": len(ids), "left_out": left_out, "device": device.type}
    store.put(stage.key, "returns", dict(stage.payload), payload, environment(device), {})


@scenario_stage("barrier")
def measure_barrier(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Store the losses on the straight way from a stored model to the original."""
    spec, data = MethodSpec.parse(stage.payload["method"]), load_scenario_data(scenario, device)
    models = [model.to(device) for model in (_base_of(store, scenario, spec), model_of(store, scenario))]
    forget = data.corrupted.truth.forget_of(scenario).to(device)
    kept = torch.ones(len(data.train), dtype=torch.bool, device=device)
    kept[forget] = False
    generator = torch.Generator().manual_seed(scenario.seed)
    pieces = batches(kept.nonzero()[:, 0], scenario.training.batch_size, generator)[:STATISTICS]
    points = way_between(models[0], models[1], data, torch.cat(pieces), reporter)
    payload = {"barrier": barrier_height([point["loss"] for point in points]), "points": points, "to": "original"}
    store.put(stage.key, "barrier", dict(stage.payload), payload, environment(device), {})


def way_between(
    start: nn.Module, end: nn.Module, data: ScenarioData, measured_on: torch.Tensor, reporter: Recorder
) -> list[dict[str, float]]:
    """Loss and accuracy on clean test data of the models (1 − t)·``start`` + t·``end``, t = 0 … 1 in :data:`STEPS` steps.

    Both have the same architecture. At every place batch norm's statistics are measured anew on the training examples
    ``measured_on``, which would else belong to neither model and be all of the barrier.
    """
    here, there, walker, points = start.state_dict(), end.state_dict(), copy.deepcopy(start), []
    labels = data.test.labels
    for k in range(STEPS + 1):
        report_step(reporter, k, STEPS + 1)
        t = k / STEPS
        walker.load_state_dict({name: _between(value, there[name], t) for name, value in here.items()})
        measure_statistics(walker, data.train, reporter, measured_on)
        logits = predict(walker, data.test)
        accuracy = (logits.argmax(1) == labels).float().mean().item()
        points.append({"place": t, "loss": F.cross_entropy(logits, labels).item(), "accuracy": accuracy})
    return points


def _between(one: torch.Tensor, other: torch.Tensor, t: float) -> torch.Tensor:
    return (1 - t) * one + t * other if one.is_floating_point() else one


def _base_of(store: Store, scenario: Scenario, spec: MethodSpec) -> RedirectNet:
    """The stored model as its user gets it: without redirect channels."""
    model = model_of(store, scenario, spec)
    model.narrow()
    return model
