"""The stages of the boundary: the plane through three images, what a model says all over it, and that of every round."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch

from unlearn_core.methods import registry as methods
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import environment, report_step, scenario_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store
from unlearn_core.views.boundary.anchors import Asked
from unlearn_core.views.boundary.data import RESOLUTION, frames_key, frames_of, healed, map_decisions
from unlearn_core.views.boundary.plane import InputPlane, plane_of, points_of
from unlearn_core.views.boundary.stored import decision_map_key, pack_plane, plane_key


def plan_plane(scenario: Scenario, asked: Asked) -> Stage:
    """The stage that finds the plane through three images and the examples next to it."""
    payload = {"scenario": scenario.model_dump(mode="json"), "anchors": list(asked)}
    return Stage("plane", plane_key(scenario, asked), "The plane through three images", payload, weight=0.2, lane="look")


def plan_decision_maps(
    scenario: Scenario, specs: Sequence[MethodSpec | None], asked: Asked, plane: InputPlane, resolution: int = RESOLUTION
) -> list[Stage]:
    """One stage for each stored model (None: the original): what it says all over the plane."""
    data = {"scenario": scenario.model_dump(mode="json"), "anchors": list(asked), "resolution": resolution}
    stages = []
    for spec in specs:
        title = f"Boundary of {'the original' if spec is None else spec.name}"
        payload = data | {"method": None if spec is None else spec.model_dump(mode="json")}
        key = decision_map_key(scenario, spec, plane, resolution)
        stages.append(Stage("field", key, title, payload, weight=0.2, lane="look"))
    return stages


def plan_frames(
    scenario: Scenario, specs: Sequence[MethodSpec], asked: Asked = (None, None, None), plane: InputPlane | None = None
) -> list[Stage]:
    """One stage per run: its boundary after every round; ``plane``: where it is known, else it is found here.

    Raises :class:`UserError` where there is no such plane."""

    plane = plane or plane_of(scenario, asked)
    data = {"scenario": scenario.model_dump(mode="json"), "anchors": list(asked)}
    return [
        Stage(
            "boundary",
            frames_key(scenario, spec, plane),
            f"Boundary over the rounds of {methods.get(spec.name).label}",
            data | {"method": spec.model_dump(mode="json")},
            (scenario.original_key, scenario.run_key(spec)),
            weight=0.3,
            lane="look",
        )
        for spec in specs
    ]


@scenario_stage("boundary")
def boundary(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Compute the frames of one run and store them. Always on the CPU: the pages compare them with what they compute."""

    first, second, third = stage.payload["anchors"]
    plane = plane_of(scenario, (first, second, third))
    found = frames_of(
        store, scenario, MethodSpec.parse(stage.payload["method"]), plane, step=functools.partial(report_step, reporter)
    )
    store.put(
        stage.key,
        "boundary",
        dict(stage.payload),
        {"rounds": list(found.rounds)},
        environment(torch.device("cpu")),
        {"frames": {"rounds": np.array(found.rounds), "winners": found.winners, "confidence": found.confidence}},
    )


@scenario_stage("plane")
def plane(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Find the plane and store it with its examples."""
    first, second, third = stage.payload["anchors"]
    report_step(reporter, 0, 2)
    made = plane_of(scenario, (first, second, third))
    report_step(reporter, 1, 2)
    payload, arrays = pack_plane(made, points_of(scenario, made))
    report_step(reporter, 2, 2)
    store.put(stage.key, "plane", dict(stage.payload), payload, {}, {"plane": arrays})


@scenario_stage("field")
def decision_map(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Ask one model about every cell. On the CPU, as the frames of a timeline are."""
    first, second, third = stage.payload["anchors"]
    spec = None if stage.payload["method"] is None else MethodSpec.parse(stage.payload["method"])
    where = plane_of(scenario, (first, second, third))
    found = map_decisions(
        store, scenario, spec, where, stage.payload["resolution"], step=functools.partial(report_step, reporter)
    )
    payload = {"healed": healed(store, scenario, spec)}
    arrays = {"winners": found.winners, "confidence": found.confidence}
    store.put(stage.key, "field", dict(stage.payload), payload, {}, {"field": arrays})
