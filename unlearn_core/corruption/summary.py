"""What can be said of a corruption before anything runs: its size, and whether it is known."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from unlearn_core.corruption.apply import corrupt
from unlearn_core.datasets import load_dataset
from unlearn_core.specs import CorruptionSpec, DatasetSpec, Scenario


@dataclass(frozen=True)
class CorruptionSummary:
    """``train_size``: N. ``corrupted``: |C|, 0 where C is unknown. ``known``: whether C is known."""

    train_size: int
    corrupted: int
    known: bool


def summarize_corruption(scenario: Scenario) -> CorruptionSummary:
    """The corrupted training set of ``scenario`` in numbers; raises :class:`UserError` where it cannot be made."""
    return _summarize(scenario.dataset.model_dump_json(), scenario.corruption.model_dump_json(), scenario.seed)


def truth_known(scenario: Scenario) -> bool:
    """Whether it is known which training examples are corrupted: always, but for observed labels without clean ones."""
    return not scenario.corruption.found or summarize_corruption(scenario).known


@functools.lru_cache(maxsize=256)
def _summarize(dataset_json: str, corruption_json: str, seed: int) -> CorruptionSummary:
    dataset = DatasetSpec.model_validate_json(dataset_json)
    split = load_dataset(dataset, seed)
    truth = corrupt(split, dataset, CorruptionSpec.model_validate_json(corruption_json), seed).truth
    return CorruptionSummary(len(split.train), len(truth.corrupted), truth.known)
