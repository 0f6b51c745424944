"""The stage that trains the original model, or takes its weights from the user's checkpoint."""

from __future__ import annotations

import torch

from unlearn_core.datasets import load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.evaluation import load_scenario_data, observe
from unlearn_core.evaluation.canaries import as_group, canary_traces
from unlearn_core.models import registry as models
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.inputs import as_arrays, fresh_model, shared_spec
from unlearn_core.stages.recorder import Recorder, now
from unlearn_core.stages.stage import Lane, Stage
from unlearn_core.store import Store
from unlearn_core.training import FreshTrainer

_TOY_VISITS = 150_000
"""Points and digits are trained on in seconds with up to so many visits to an example (training examples × epochs)."""
TRAINING_WEIGHT = 3.0
"""Weight of training a model from scratch among the stages."""


def plan_original(scenario: Scenario) -> Stage:
    """The stage of the original model; the scenario must have been checked."""
    title = f"Original model ({scenario.dataset.name}, seed {scenario.seed})"
    payload = {"scenario": scenario.model_dump(mode="json")}
    lane: Lane = "quick" if is_toy(scenario) else "long"
    return Stage("original", scenario.original_key, title, payload, weight=TRAINING_WEIGHT, lane=lane)


def is_toy(scenario: Scenario) -> bool:
    """Whether the original is trained in seconds, which the user waits for."""
    if datasets.get(scenario.dataset.name).family == "photos":
        return False
    return len(load_dataset(scenario.dataset, scenario.seed).train) * scenario.training.epochs <= _TOY_VISITS


@scenario_stage("original")
def train_original(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Train it on everything as given, and store its weights and what it says about all data."""
    data = load_scenario_data(scenario, device)
    model = fresh_model(scenario, data)(scenario.seed)
    start = now(device)
    source = models.get(scenario.model.name)
    if source.give_weights(source.params(scenario.model.params), model):
        model.eval()
    else:
        FreshTrainer(model, data.train, scenario.training, scenario.seed, reporter, snapshots=False).fit(
            torch.arange(len(data.train), device=device)
        )
    seconds = now(device) - start
    logits = observe(model, data)
    store.put(
        stage.key,
        "original",
        shared_spec(scenario),
        {"seconds": seconds, "device": device.type},
        environment(device),
        {"weights": as_arrays(model.state_dict()), "logits": as_arrays(vars(logits))}
        | as_group(canary_traces(model, data, scenario)),
    )
