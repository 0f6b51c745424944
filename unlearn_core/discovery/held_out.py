"""Scores from networks that were not trained on the example: cross-validated doubt, and doubt of a whole group."""

from __future__ import annotations

import torch

from unlearn_core.discovery import ModelOutputs, Score, register


def off_diagonal(probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """bool (N,): whether confident learning counts an example as of another class than the given one.

    Of the classes whose probability reaches the mean that it has among examples given that class, the likeliest counts.
    ``probabilities`` (N, classes), out of sample. Northcutt et al. 2021, arXiv:1911.00068.
    """
    classes = probabilities.shape[1]
    given = probabilities.gather(1, labels[:, None])[:, 0]
    counts = torch.bincount(labels, minlength=classes).clamp_min(1)
    limits = torch.zeros(classes, dtype=probabilities.dtype, device=labels.device).index_add(0, labels, given) / counts
    reached = torch.where(probabilities >= limits, probabilities, -torch.inf)
    return torch.isfinite(reached.amax(1)) & (reached.argmax(1) != labels)


def prefer_other(probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Highest probability of another label minus the given one's (N,)."""
    others = probabilities.scatter(1, labels[:, None], -torch.inf).amax(1)
    return others - probabilities.gather(1, labels[:, None])[:, 0]


@register
class ConfidentLearning(Score):
    """max_{k≠y} p_k − p_y out of sample, and 2 more for what :func:`off_diagonal` counts. arXiv:1911.00068."""

    name, label, weighed = "confident_learning", "Confident learning", False
    summary = "How far networks that were trained on the other folds prefer another label; those counted as wrong come first."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        if view.held_out is None:
            return None
        return prefer_other(view.held_out, view.labels) + 2 * off_diagonal(view.held_out, view.labels)


@register
class GroupDoubt(Score):
    """max_{k≠y} p_k − p_y by a network that saw nothing of the example's group.

    Corruption that repeats itself is believed across random folds, since its like are in every fold. Where all that lies
    together in feature space is left out at once, it has no witness left.
    """

    name, label, weighed = "group_doubt", "Doubt without its group", False
    summary = "How far a network that was trained without the example's whole group prefers another label."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        return None if view.apart is None else prefer_other(view.apart, view.labels)
