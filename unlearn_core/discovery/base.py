"""What a score of suspicion is, and what it sees."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    labels: torch.Tensor
    known: torch.Tensor
    original_logits: torch.Tensor
    original_features: torch.Tensor
    logits: torch.Tensor
    features: torch.Tensor
    masked_logits: torch.Tensor | None = None
    learning: torch.Tensor | None = None


class Score(Component):
    """One way to rank examples. Subclasses set ``name``, ``label``, ``summary`` and implement ``compute``."""

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        """Suspicion of every example, float (N,), the higher the more suspect; None where the view lacks what it needs."""
        raise NotImplementedError
