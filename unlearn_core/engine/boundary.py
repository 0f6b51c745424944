"""The stage that draws the boundary of every recorded round of a run, so that no page waits for a timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from unlearn_core.engine.recorder import Recorder
from unlearn_core.errors import Cancelled
from unlearn_core.insight.anchors import Asked
from unlearn_core.insight.boundary import Plane, frames_key, frames_of, plane_of
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.store import Store

if TYPE_CHECKING:
    from unlearn_core.engine.stages import Stage


def plan_frames(
    scenario: Scenario, specs: Sequence[MethodSpec], asked: Asked = (None, None, None), plane: Plane | None = None
) -> list[Stage]:
    """One stage per run: its boundary after every round; ``plane``: where it is known, else it is found here.

    Raises :class:`UserError` where there is no such plane."""
    from unlearn_core.engine.stages import Stage
    from unlearn_core.methods import registry as methods

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


def boundary(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Compute the frames of one run and store them. Always on the CPU: the pages compare them with what they compute."""
    from unlearn_core.engine.stages import environment

    def step(done: int, total: int) -> None:
        if reporter.cancelled():
            raise Cancelled
        reporter.step(done, total)

    first, second, third = stage.payload["anchors"]
    plane = plane_of(scenario, (first, second, third))
    found = frames_of(store, scenario, MethodSpec.parse(stage.payload["method"]), plane, step=step)
    store.put(
        stage.key,
        "boundary",
        dict(stage.payload),
        {"rounds": list(found.rounds)},
        environment(torch.device("cpu")),
        {"frames": {"rounds": np.array(found.rounds), "winners": found.winners, "confidence": found.confidence}},
    )
