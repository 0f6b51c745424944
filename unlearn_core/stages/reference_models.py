"""The stage that trains the reference models of membership inference, once for all methods and discovery rates."""

from __future__ import annotations

import numpy as np
import torch

from unlearn_core.evaluation import load_scenario_data
from unlearn_core.evaluation.rmia import MODELS, reference_models_key, train_references
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.recorder import Recorder, now
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.validate import check_task
from unlearn_core.store import Store


def plan_reference_models(scenario: Scenario) -> list[Stage]:
    """The one stage after which RMIA can be measured for every run on this corrupted data."""
    check_task(scenario)
    title = f"{MODELS} reference models ({scenario.dataset.name}, seed {scenario.seed})"
    payload = {"scenario": scenario.model_dump(mode="json")}
    return [Stage("reference_models", reference_models_key(scenario), title, payload, weight=6.0)]


@scenario_stage("reference_models")
def train_reference_models(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Train them and keep what they say about examples they were not trained on; the models themselves are not kept."""
    start = now(device)
    outputs = train_references(scenario, load_scenario_data(scenario, device), reporter)
    spec = {"scenario": scenario.model_dump(mode="json", exclude={"discovery", "forget"})}
    payload = {"seconds": now(device) - start, "models": MODELS}
    store.put(
        stage.key,
        "reference_models",
        spec,
        payload,
        environment(device),
        {
            "outside": _arrays(train=outputs.train, test=outputs.test),
            "odds": _arrays(seen=outputs.seen, unseen=outputs.unseen, inside=outputs.inside),
        },
    )


def _arrays(**values: torch.Tensor | None) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in values.items() if value is not None}
