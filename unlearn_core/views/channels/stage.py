"""The stages that look into a stored run: the activations of its channels, and its numbers at other strengths."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import report_step, scenario_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store
from unlearn_core.views.channels.data import activations, open_run
from unlearn_core.views.channels.stored import channels_key, pack_layers, strengths_key
from unlearn_core.views.channels.strength import numbers


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


@scenario_stage("channels")
def channels(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Measure the activations of every channel on the training data."""
    opened = open_run(store, scenario, MethodSpec.parse(stage.payload["method"]))
    rows = opened.data.train.batch(torch.arange(len(opened.data.train)))
    found = activations(opened.model, rows, lambda done, total: report_step(reporter, done, total))
    payload, arrays = pack_layers(found)
    store.put(stage.key, "channels", dict(stage.payload), payload, {}, {"channels": arrays})


@scenario_stage("strengths")
def strengths(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Evaluate the run with its redirect channels turned to each strength."""
    opened, wanted, found = open_run(store, scenario, MethodSpec.parse(stage.payload["method"])), stage.payload["strengths"], []
    for done, strength in enumerate(wanted):
        report_step(reporter, done, len(wanted))
        found.append([round(strength, 6), numbers(opened, strength)])
    store.put(stage.key, "strengths", dict(stage.payload), {"numbers": found}, {})
