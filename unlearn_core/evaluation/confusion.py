"""Interclass confusion: how often two classes are taken for one another, on new images and on F itself (arXiv:2201.06640)."""

from __future__ import annotations

import torch

from unlearn_core.corruption import CONFUSION
from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import share


def swapped(said: torch.Tensor, labels: torch.Tensor, pair: tuple[int, int]) -> torch.Tensor:
    """Which examples of two classes are predicted as the other one: bool, one for each example of ``pair``.

    ``said`` and ``labels``: int64 (M,), predicted and right classes."""
    a, b = pair
    ours = (labels == a) | (labels == b)
    return said[ours] == torch.where(labels[ours] == a, b, a)


@register
class InterclassConfusion(Metric):
    name, label = "interclass_confusion", "Interclass confusion"
    formula = (
        "share of clean test examples of the two confused classes that are predicted as the other of the two: what the network "
        "carried over to new images. What it knows by heart is the forget accuracy"
    )
    direction, split = "lower", "test data of the two confused classes"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        if not (evidence.corrupted.truth.kinds == CONFUSION).any():
            return None
        spec = evidence.scenario.corruption
        said = evidence.logits.test.argmax(1)
        return share(swapped(said, evidence.corrupted.test.labels, (spec.class_a, spec.class_b)))
