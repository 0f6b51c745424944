"""Scores from the given label's loss and margin: in the healed model, in the original, and the change between them."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from unlearn_core.discovery import ModelOutputs, Score, register


def loss_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy (N,) of the given labels."""
    return F.cross_entropy(logits.float(), labels, reduction="none")


def margin_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Best other logit minus the given label's (N,): positive where the model would say something else."""
    given = logits.gather(1, labels[:, None])[:, 0]
    return logits.scatter(1, labels[:, None], -torch.inf).amax(1) - given


@register
class HealedLoss(Score):
    name, label = "healed_loss", "Loss, redirect off"
    summary = "Loss of the given label in the healed model with its redirect channels dropped."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return loss_of(view.logits, view.labels)


@register
class HealedMargin(Score):
    name, label = "healed_margin", "Margin, redirect off"
    summary = "By how much the healed model prefers another label to the given one."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return margin_of(view.logits, view.labels)


@register
class OriginalLoss(Score):
    name, label = "original_loss", "Loss, original"
    summary = "Loss of the given label in the original model, which was trained on it: what even it could not learn."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return loss_of(view.original_logits, view.labels)


@register
class OriginalMargin(Score):
    name, label = "original_margin", "Margin, original"
    summary = "By how much the original model hesitates over the given label."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return margin_of(view.original_logits, view.labels)


@register
class Change(Score):
    name, label = "change", "Loss gained by healing"
    summary = "How much the loss of the given label rose from the original to the healed model."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return loss_of(view.logits, view.labels) - loss_of(view.original_logits, view.labels)


@register
class LearnedLate(Score):
    name, label = "learned_late", "Learned late"
    summary = "Loss of the given label averaged over a short training run from scratch: what fits the rest is learned early."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        return view.learning
