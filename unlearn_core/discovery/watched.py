"""Scores from a training run that is only watched: margins, learning time, forgetting, confidence."""

from __future__ import annotations

import torch

from unlearn_core.discovery import ModelOutputs, Score, register
from unlearn_core.discovery.losses import margin_of


def count_right(view: ModelOutputs) -> torch.Tensor | None:
    """bool (epochs, N): where the watched run predicts the given label; None where none was made."""
    return None if view.history is None else view.history.argmax(2) == view.labels


def learning_times(right: torch.Tensor, streak: int = 2) -> torch.Tensor:
    """int64 (N,): the first epoch, from 1, from which the given label is predicted ``streak`` times in a row, one more than
    there are for never; ``right`` bool (epochs, N)."""
    epochs = len(right)
    streak = max(1, min(streak, epochs))
    runs = torch.stack([right[start : start + streak].all(0) for start in range(epochs - streak + 1)])
    return torch.where(runs.any(0), runs.int().argmax(0) + 1, epochs + 1)


@register
class AreaUnderMargin(Score):
    """−(1/T) Σ_t (z_y − max_{k≠y} z_k). Pleiss et al. 2020, arXiv:2001.10528; without its learned threshold."""

    name, label, weighed = "area_under_margin", "Area under the margin", False
    summary = "By how much a watched training run prefers another label to the given one, averaged over its epochs."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        if view.history is None:
            return None
        return torch.stack([margin_of(logits.float(), view.labels) for logits in view.history]).mean(0)


@register
class LearningTime(Score):
    """The first epoch (from 1) after which the given label is predicted twice in a row; one more than there are for never."""

    name, label, weighed = "learning_time", "Learning time", False
    summary = "The first epoch of a watched training run from which the given label is predicted twice in a row."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        right = count_right(view)
        return None if right is None else learning_times(right).float()


@register
class Forgetting(Score):
    """Number of epochs after which the given label is no longer predicted; what was never predicted counts as forgotten
    after each. Toneva et al. 2019, arXiv:1812.05159."""

    name, label, weighed = "forgetting", "Forgetting events", False
    summary = "How often a watched training run forgets the given label again; what it never learns ranks first."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        right = count_right(view)
        if right is None:
            return None
        events = (right[:-1] & ~right[1:]).sum(0)
        return torch.where(right.any(0), events, len(right)).float()


def moments_of(history: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation (N,) over the epochs of the given label's probability; ``history`` (epochs, N, classes)."""
    given = labels[None, :, None].expand(len(history), -1, 1)
    chances = history.float().softmax(2).gather(2, given)[..., 0]
    return chances.mean(0), chances.std(0, correction=0)


@register
class LowConfidence(Score):
    """−(1/T) Σ_t p_t(y). Swayamdipta et al. 2020, arXiv:2009.10795, the height of a data map."""

    name, label, weighed = "low_confidence", "Low confidence", False
    summary = "How little probability a watched training run gives the given label, averaged over its epochs."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        if view.history is None:
            return None
        return -moments_of(view.history, view.labels)[0]


@register
class LowCorrectness(Score):
    """−(1/T) Σ_t [the given label is predicted]. Swayamdipta et al. 2020, arXiv:2009.10795, the colour of a data map."""

    name, label, weighed = "low_correctness", "Low correctness", False
    summary = "In how few of its epochs a watched training run predicts the given label."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        right = count_right(view)
        return None if right is None else -right.float().mean(0)


@register
class Variability(Score):
    """σ_t p_t(y). Swayamdipta et al. 2020, arXiv:2009.10795, the breadth of a data map: high where an example is ambiguous."""

    name, label, weighed = "variability", "Variability", False
    summary = "How much the probability of the given label changes over the epochs of a watched training run."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        return None if view.history is None else moments_of(view.history, view.labels)[1]


@register
class HardToLearn(Score):
    """−√(μ² + σ²), μ the mean and σ the standard deviation of p_t(y) over the epochs: how near an example lies to the corner of
    a data map where both are 0. Swayamdipta et al. 2020, arXiv:2009.10795, call that region hard to learn and find wrong labels
    in it; that the distance to its corner ranks is this project's."""

    name, label, weighed = "hard_to_learn", "Hard to learn", False
    summary = "How near an example lies to the corner of a data map where the given label is never believed, in no epoch."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        return None if view.history is None else -torch.hypot(*moments_of(view.history, view.labels))
