"""What stages start from: the scenario's data on a device, its networks, the task that a method receives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from unlearn_core.corruption import check_examples, type_labels
from unlearn_core.errors import UserError
from unlearn_core.evaluation import ScenarioData
from unlearn_core.methods import OracleTask, UnlearningTask
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import given_to
from unlearn_core.specs import MethodSpec, Scalar, Scenario
from unlearn_core.store import Store


def fresh_model(scenario: Scenario, data: ScenarioData) -> Callable[[int], RedirectNet]:
    """A factory, seed → newly initialised network on the data's device. It holds the spec and the shape, no data."""
    spec, shape, classes, device = scenario.model, data.corrupted.train.shape, data.train.classes, data.train.device
    mean_std = data.train.mean_std
    return lambda seed: build_model(spec, shape, classes, seed, mean_std).to(device)


def make_task(
    store: Store, scenario: Scenario, data: ScenarioData, oracle: bool = False, spec: MethodSpec | None = None
) -> UnlearningTask:
    """What a method receives: the stored original, the data as given, F and the rest — ground truth only for oracles, and what
    a person gave only where the method's ``spec`` says that it takes it."""
    truth, device = data.corrupted.truth, data.train.device
    known = truth.forget_of(scenario)
    forget = known.to(device)
    retained = torch.ones(len(data.train), dtype=torch.bool, device=device)
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
    if spec is not None and spec.given:
        given |= {name: ids.to(device) for name, ids in _from_person(scenario, data, known, spec).items()}
    return OracleTask(**given, truth=truth) if oracle else UnlearningTask(**given)


def _from_person(scenario: Scenario, data: ScenarioData, forget: torch.Tensor, spec: MethodSpec) -> dict[str, torch.Tensor]:
    """The fields ``right`` and ``trusted`` of a task, as far as ``spec`` says that they are given."""
    told, truth, train, found = spec.given, data.corrupted.truth, data.corrupted.train, dict[str, torch.Tensor]()
    if "labels" in told or "trusted" in told:
        _check_same(told, given_to(spec.name, scenario))
    if "labels" in told:
        place = {name: k for k, name in enumerate(train.class_names)}
        written = {index: place[name] for index, name in scenario.relabelled if name in place}
        found["right"] = torch.tensor([written.get(index, -1) for index in forget.tolist()])
    elif "typed" in told:
        typed, slips = (float(told[name] or 0) for name in ("typed", "slips"))
        found["right"] = type_labels(truth, forget, typed, slips, scenario.seed, train.classes)
    if "trusted" in told:
        found["trusted"] = torch.tensor(scenario.person.trusted)
    elif "checked" in told:
        found["trusted"] = check_examples(truth, train.labels, forget, int(told["checked"] or 0), scenario.seed)
    return found


def _check_same(told: Mapping[str, Scalar], here: Mapping[str, Scalar]) -> None:
    if any(told[name] != here.get(name) for name in ("labels", "trusted") if name in told):
        raise UserError("The right labels or checked examples of this run are others than those that it was planned with.")


def load_original(store: Store, scenario: Scenario, data: ScenarioData) -> RedirectNet:
    """The stored original model of ``scenario``, in eval mode."""
    model = fresh_model(scenario, data)(scenario.seed)
    arrays = store.arrays(scenario.original_key, "weights")
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    return model.eval()


def shared_spec(scenario: Scenario) -> dict[str, Any]:
    """A scenario without its forget set, which neither the original nor the measured regularity depends on."""
    return {"scenario": scenario.model_dump(mode="json", exclude={"discovery", "forget", "relabelled", "person"})}


def as_arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Tensors as the store takes them."""
    return {name: value.detach().cpu().contiguous().numpy() for name, value in tensors.items()}
