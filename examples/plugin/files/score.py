"""A score in a single file: how far the healed model and the original disagree about an example."""

from __future__ import annotations

import torch

from unlearn_core.discovery import ModelOutputs, Score, register


@register
class Disagreement(Score):
    name, label = "disagreement", "Disagreement"
    summary = "Total variation distance between what the original and the healed model say of the example."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        before, after = view.original_logits.softmax(1), view.logits.softmax(1)
        return (before - after).abs().sum(1) / 2
