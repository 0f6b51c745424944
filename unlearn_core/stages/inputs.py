"""What stages start from: the scenario's data on a device, its networks, the task that a method receives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from unlearn_core.evaluation import ScenarioData
from unlearn_core.methods import OracleTask, UnlearningTask
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.specs import Scenario
from unlearn_core.store import Store


def fresh_model(scenario: Scenario, data: ScenarioData) -> Callable[[int], RedirectNet]:
    """A factory, seed → newly initialised network on the data's device. It holds the spec and the shape, no data."""
    spec, shape, classes, device = scenario.model, data.corrupted.train.shape, data.train.classes, data.train.device
    mean_std = data.train.mean_std
    return lambda seed: build_model(spec, shape, classes, seed, mean_std).to(device)


def make_task(store: Store, scenario: Scenario, data: ScenarioData, oracle: bool = False) -> UnlearningTask:
    """What a method receives: the stored original, the data as given, F and the rest — ground truth only for oracles."""
    truth = data.corrupted.truth
    forget = truth.forget_of(scenario).to(data.train.device)
    retained = torch.ones(len(data.train), dtype=torch.bool, device=data.train.device)
    retained[forget] = False
    given: dict[str, Any] = {
        "original": load_original(store, scenario, data),
        "data": data.train,
        "forget": forget,
        "retain": retained.nonzero()[:, 0],
        "fresh_model": fresh_model(scenario, data),
        "recipe": scenario.training,
        "seed": scenario.seed,
    }
    return OracleTask(**given, truth=truth) if oracle else UnlearningTask(**given)


def load_original(store: Store, scenario: Scenario, data: ScenarioData) -> RedirectNet:
    """The stored original model of ``scenario``, in eval mode."""
    model = fresh_model(scenario, data)(scenario.seed)
    arrays = store.arrays(scenario.original_key, "weights")
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    return model.eval()


def shared_spec(scenario: Scenario) -> dict[str, Any]:
    """A scenario without its forget set, which neither the original nor the measured regularity depends on."""
    return {"scenario": scenario.model_dump(mode="json", exclude={"discovery", "forget", "relabelled"})}


def as_arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Tensors as the store takes them."""
    return {name: value.detach().cpu().contiguous().numpy() for name, value in tensors.items()}
