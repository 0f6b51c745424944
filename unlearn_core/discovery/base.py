"""What a score of suspicion is, and what it sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from unlearn_core.component import Component, ComponentRegistry

registry = ComponentRegistry("score", "unlearn_core.discovery")


@dataclass(frozen=True)
class ModelOutputs:
    """All training examples as one healed model sees them, beside the original model.

    ``labels`` (N,): as given. ``known`` bool (N,): the healed model's forget set; everything else it was
    trained on as if it were clean. Logits are (N, classes), features (N, D), all in eval mode with redirect off, except
    ``masked_logits``: with the forget set's redirect channels forced on (None for a network without such channels).
    ``learning`` (N,): the loss of the given label averaged over the epochs of a short training run (None if none was made).

    Where nothing is known there is no healed model: ``known`` is all False, and the original stands in for it. Then these may
    be there: ``history`` (epochs, N, classes), the logits of a watched training run after each epoch; ``held_out`` and
    ``apart`` (N, classes), probabilities by networks that were not trained on the example, or on none of the group that it
    belongs to; ``inputs`` (N, …), the examples as they are stored.
    """

    labels: torch.Tensor
    known: torch.Tensor
    original_logits: torch.Tensor
    original_features: torch.Tensor
    logits: torch.Tensor
    features: torch.Tensor
    masked_logits: torch.Tensor | None = None
    learning: torch.Tensor | None = None
    history: torch.Tensor | None = None
    held_out: torch.Tensor | None = None
    apart: torch.Tensor | None = None
    inputs: torch.Tensor | None = None
    gradients: torch.Tensor | None = None


class Score(Component):
    """One way to rank examples. Subclasses set ``name``, ``label``, ``summary`` and implement ``compute``."""

    weighed: ClassVar[bool] = True
    """Whether discovery from known corruption weighs it among its evidence. One that is not weighed ranks by itself, where
    nothing is known."""

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        """Suspicion of every example, float (N,), the higher the more suspect; None where the view lacks what it needs."""
        raise NotImplementedError
