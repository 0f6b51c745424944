"""What every corruption that a plug-in adds must do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from unlearn_core.contracts.contract import Checks, require
from unlearn_core.corruption.base import Asked, Change, Corruption, check_change
from unlearn_core.datasets import LabelledData, load_dataset
from unlearn_core.presets import make_scenario
from unlearn_core.specs import CorruptionSpec


@dataclass
class CorruptionCase:
    """A corruption with the clean data that it is checked on."""

    corruption: type[Corruption[Any]]
    train: LabelledData
    count: int = 60

    def change(self, seed: int = 100) -> Change:
        corruption = self.corruption
        return corruption.make(corruption.params(corruption.full_params()), self.asked(seed))

    def asked(self, seed: int = 100) -> Asked:
        return Asked(self.train, self.count, seed, CorruptionSpec())


def make_case(corruption: type[Corruption[Any]], dataset: str) -> CorruptionCase:
    """The corruption on the training half of this dataset."""
    scenario = make_scenario(dataset, seed=100)
    return CorruptionCase(corruption, load_dataset(scenario.dataset, scenario.seed).train)


def describe_corruption(case: CorruptionCase) -> None:
    """Names, and parameters with limits."""
    require(not case.corruption.faults(), "; ".join(case.corruption.faults()))


def change_what_it_says(case: CorruptionCase) -> None:
    """As many examples as asked for, each once, with labels of the data; the clean data are left as they were."""
    inputs, labels = case.train.inputs.clone(), case.train.labels.clone()
    check_change(case.corruption, case.change(), case.asked())
    same = torch.equal(inputs, case.train.inputs) and torch.equal(labels, case.train.labels)
    require(same, "it changes the clean data that it is given")


def change_the_same_again(case: CorruptionCase) -> None:
    """The same seed gives the same change."""
    one = case.change()
    torch.rand(5)
    other = case.change()
    same = torch.equal(one.indices, other.indices) and torch.equal(one.labels, other.labels)
    require(same, "one seed gives different changes")


CORRUPTION_CHECKS: Checks[CorruptionCase] = {
    "describes itself": describe_corruption,
    "changes what it says and nothing else": change_what_it_says,
    "makes the same change for the same seed": change_the_same_again,
}
