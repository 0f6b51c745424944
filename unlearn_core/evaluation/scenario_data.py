"""The data of one scenario on a device, and one pass over all of it that every accuracy is computed from."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import nn

from unlearn_core.corruption import Corrupted, corrupt, still_parts
from unlearn_core.datasets import Split, load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.person import PersonSpec
from unlearn_core.specs import Scenario
from unlearn_core.training import Augmentation, DeviceData, predict


@dataclass(frozen=True)
class Logits:
    """Outputs of one model, float32: on the training set as given (N, K), the test set (M, K) and the
    triggered test set, whose blocks :class:`Corrupted` tells apart."""

    train: torch.Tensor
    test: torch.Tensor
    triggered: torch.Tensor


@dataclass(frozen=True)
class ScenarioData:
    """A scenario's corrupted data on a device. ``corrupted`` holds the ground truth and never reaches a method."""

    corrupted: Corrupted
    train: DeviceData
    test: DeviceData
    triggered: DeviceData


def build_scenario_data(scenario: Scenario, device: torch.device, split: Split | None = None) -> ScenarioData:
    """Load, corrupt and place the data of ``scenario``. Independent of discovery, model and method.

    ``split``: its data, where they are in memory already and nothing is to be loaded."""
    source = datasets.get(scenario.dataset.name)
    if split is None:
        split = load_dataset(scenario.dataset, scenario.seed)
    corrupted = corrupt(split, scenario.dataset, scenario.corruption, scenario.seed)
    augmentation = None
    if scenario.training.augment:
        if not corrupted.train.is_image:
            raise UserError("training.augment is for images; points in the plane are not augmented.")
        flip = bool(scenario.dataset.params.get("flip", source.flip))
        still = still_parts(scenario.corruption, corrupted.train.shape, corrupted.train.classes)
        augmentation = Augmentation(scenario.training.crop, flip, still[0] if still else None, still[1:])
    train = DeviceData.place(corrupted.train, device, augmentation)
    test, triggered = (DeviceData.place(d, device, like=train) for d in (corrupted.test, corrupted.triggered_test))
    return ScenarioData(corrupted, train, test, triggered)


def load_scenario_data(scenario: Scenario, device: torch.device | str = "cpu") -> ScenarioData:
    """The scenario's data on this device; the last few are kept, and one serves every discovery rate."""
    return cached_scenario_data(
        scenario.at_rate(1.0).model_copy(update={"person": PersonSpec()}).model_dump_json(), str(device)
    )


@functools.lru_cache(maxsize=4)
def cached_scenario_data(scenario_json: str, device: str) -> ScenarioData:
    """The same from canonical JSON, which can be a key."""
    return build_scenario_data(Scenario.model_validate_json(scenario_json), torch.device(device))


def observe(model: nn.Module, scenario_data: ScenarioData) -> Logits:
    """One evaluation pass; raises :class:`UserError` where the outputs are no logits or not finite."""
    parts = [predict(model, data).cpu() for data in (scenario_data.train, scenario_data.test, scenario_data.triggered)]
    for logits, data in zip(parts, (scenario_data.train, scenario_data.test, scenario_data.triggered), strict=True):
        if logits.shape != (len(data), data.classes):
            raise UserError(
                f"The model returned outputs of shape {tuple(logits.shape)} instead of {(len(data), data.classes)}."
            )
        if not torch.isfinite(logits).all():
            raise UserError("The model diverged: its outputs are not finite numbers.")
    return Logits(*parts)
