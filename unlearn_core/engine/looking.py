"""Stages for what a page shows of large data: the plane through three images, what a model says all over it, what training
will cost, what redirect channels do. They are short, and never wait behind training."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch

from unlearn_core.engine._backend import Stage
from unlearn_core.engine.recorder import Recorder
from unlearn_core.errors import Cancelled
from unlearn_core.insight import own
from unlearn_core.insight.anchors import Asked
from unlearn_core.insight.boundary import RESOLUTION, Plane, field_of, healed, plane_of, points_of
from unlearn_core.insight.opened import channels_key, pack_layers, strengths_key
from unlearn_core.insight.planes import field_key, pack_plane, plane_key
from unlearn_core.insight.redirect import activations, open_run
from unlearn_core.insight.strength import numbers
from unlearn_core.specs import MethodSpec, Scenario, content_key

if TYPE_CHECKING:
    from unlearn_core.store import Store


def plan_plane(scenario: Scenario, asked: Asked) -> Stage:
    """The stage that finds the plane through three images and the examples next to it."""
    payload = {"scenario": scenario.model_dump(mode="json"), "anchors": list(asked)}
    return Stage("plane", plane_key(scenario, asked), "The plane through three images", payload, weight=0.2, lane="look")


def plan_fields(
    scenario: Scenario, specs: Sequence[MethodSpec | None], asked: Asked, plane: Plane, resolution: int = RESOLUTION
) -> list[Stage]:
    """One stage for each stored model (None: the original): what it says all over the plane."""
    data = {"scenario": scenario.model_dump(mode="json"), "anchors": list(asked), "resolution": resolution}
    stages = []
    for spec in specs:
        title = f"Boundary of {'the original' if spec is None else spec.name}"
        payload = data | {"method": None if spec is None else spec.model_dump(mode="json")}
        stages.append(Stage("field", field_key(scenario, spec, plane, resolution), title, payload, weight=0.2, lane="look"))
    return stages


def plan_cost(scenario: Scenario) -> Stage:
    """The stage that times a few training steps, on this machine."""
    key = content_key("cost", scenario.original_key, platform.node())
    return Stage("cost", key, "A few training steps", {"scenario": scenario.model_dump(mode="json")}, weight=0.2, lane="look")


def plan_channels(scenario: Scenario, spec: MethodSpec, strengths: Sequence[Sequence[float]]) -> list[Stage]:
    """The stages that look into a stored run: its activations, and its numbers at each group of strengths."""
    data = {"scenario": scenario.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    needs = (scenario.original_key, scenario.run_key(spec))
    first = Stage("channels", channels_key(scenario, spec), "Activations of all channels", data, needs, 0.2, "look")
    return [
        first,
        *(
            Stage(
                "strengths", strengths_key(scenario, spec, wanted), f"Redirect channels at {len(wanted)} strengths",
                data | {"strengths": [float(value) for value in wanted]}, needs, 0.1 * len(wanted), "look",
            )
            for wanted in strengths
        ),
    ]  # fmt: skip


def plane(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Find the plane and store it with its examples."""
    first, second, third = stage.payload["anchors"]
    _step(reporter, 0, 2)
    made = plane_of(scenario, (first, second, third))
    _step(reporter, 1, 2)
    payload, arrays = pack_plane(made, points_of(scenario, made))
    _step(reporter, 2, 2)
    store.put(stage.key, "plane", dict(stage.payload), payload, {}, {"plane": arrays})


def field(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Ask one model about every cell. On the CPU, as the frames of a timeline are."""
    first, second, third = stage.payload["anchors"]
    spec = None if stage.payload["method"] is None else MethodSpec.parse(stage.payload["method"])
    where = plane_of(scenario, (first, second, third))
    found = field_of(
        store, scenario, spec, where, stage.payload["resolution"], step=lambda done, total: _step(reporter, done, total)
    )
    payload = {"healed": healed(store, scenario, spec)}
    arrays = {"winners": found.winners, "confidence": found.confidence}
    store.put(stage.key, "field", dict(stage.payload), payload, {}, {"field": arrays})


def channels(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Measure the activations of every channel on the training data."""
    opened = open_run(store, scenario, MethodSpec.parse(stage.payload["method"]))
    rows = opened.arena.train.batch(torch.arange(len(opened.arena.train)))
    found = activations(opened.model, rows, lambda done, total: _step(reporter, done, total))
    payload, arrays = pack_layers(found)
    store.put(stage.key, "channels", dict(stage.payload), payload, {}, {"channels": arrays})


def strengths(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Evaluate the run with its redirect channels turned to each strength."""
    opened, wanted, found = open_run(store, scenario, MethodSpec.parse(stage.payload["method"])), stage.payload["strengths"], []
    for done, strength in enumerate(wanted):
        _step(reporter, done, len(wanted))
        found.append([round(strength, 6), numbers(opened, strength)])
    store.put(stage.key, "strengths", dict(stage.payload), {"numbers": found}, {})


def cost(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Time a few training steps."""
    _step(reporter, 0, 1)
    store.put(stage.key, "cost", dict(stage.payload), asdict(own.cost(scenario)), {})


def _step(reporter: Recorder, done: int, total: int) -> None:
    if reporter.cancelled():
        raise Cancelled
    reporter.step(done, total)
