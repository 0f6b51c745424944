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


def fresh_model(scenario: Scenario, arena: ScenarioData) -> Callable[[int], RedirectNet]:
    """A factory of newly initialised networks on the data's device. It holds the spec and the shape, no data."""
    spec, shape, classes, device = scenario.model, arena.corrupted.train.shape, arena.train.classes, arena.train.device
    moments = arena.train.mean_std
    return lambda seed: build_model(spec, shape, classes, seed, moments).to(device)


def make_task(store: Store, scenario: Scenario, arena: ScenarioData, oracle: bool = False) -> UnlearningTask:
    """What a method receives: the stored original, the data as given, F and the rest — ground truth only for oracles."""
    truth = arena.corrupted.truth
    forget = truth.forget_of(scenario).to(arena.train.device)
    keep = torch.ones(len(arena.train), dtype=torch.bool, device=arena.train.device)
    keep[forget] = False
    factory = fresh_model(scenario, arena)
    common: dict[str, Any] = {
        "original": load_original(store, scenario, arena),
        "data": arena.train,
        "forget": forget,
        "retain": keep.nonzero()[:, 0],
        "fresh_model": factory,
        "recipe": scenario.training,
        "seed": scenario.seed,
    }
    return OracleTask(**common, truth=truth) if oracle else UnlearningTask(**common)


def load_original(store: Store, scenario: Scenario, arena: ScenarioData) -> RedirectNet:
    """The stored original model of ``scenario``, in eval mode."""
    model = fresh_model(scenario, arena)(scenario.seed)
    arrays = store.arrays(scenario.original_key, "weights")
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    return model.eval()


def shared_spec(scenario: Scenario) -> dict[str, Any]:
    """A scenario without its forget set, which neither the original nor the measured regularity depends on."""
    return {"scenario": scenario.model_dump(mode="json", exclude={"discovery", "forget", "relabelled"})}


def as_arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Tensors as the store takes them."""
    return {name: value.detach().cpu().contiguous().numpy() for name, value in tensors.items()}
