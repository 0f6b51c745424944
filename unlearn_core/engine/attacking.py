"""The stage that trains the reference models of membership inference, once for all methods and discovery rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unlearn_core.engine.recorder import Recorder, now
from unlearn_core.evaluation.rmia import MODELS, reference_models_key, train_references
from unlearn_core.specs import Scenario
from unlearn_core.store import Store

if TYPE_CHECKING:
    from unlearn_core.engine.stages import Stage


def plan_reference_models(scenario: Scenario) -> list[Stage]:
    """The one stage after which RMIA can be measured for every run on this corrupted data."""
    from unlearn_core.engine.stages import Stage, check_task

    check_task(scenario)
    title = f"{MODELS} reference models ({scenario.dataset.name}, seed {scenario.seed})"
    return [
        Stage(
            "reference_models",
            reference_models_key(scenario),
            title,
            {"scenario": scenario.model_dump(mode="json")},
            weight=6.0,
        )
    ]


def reference_models(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Train them and keep what they say about examples they were not trained on; the models themselves are not kept."""
    from unlearn_core.engine.stages import arena_of, environment

    start = now(device)
    view = train_references(scenario, arena_of(scenario, device), reporter)
    spec = {"scenario": scenario.model_dump(mode="json", exclude={"discovery", "forget"})}
    payload = {"seconds": now(device) - start, "models": MODELS}
    store.put(
        stage.key,
        "reference_models",
        spec,
        payload,
        environment(device),
        {"outside": {"train": view.train.numpy(), "test": view.test.numpy()}},
    )
