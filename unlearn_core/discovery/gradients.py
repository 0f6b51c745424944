"""Scores from how hard an example pulls the network: length of its error and of its gradient, its influence, what only seeing
it taught."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from unlearn_core.discovery import ModelOutputs, Score, register

_ROWS = 4096


def error_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """p − e_y (N, classes): the gradient of the loss with respect to the logits."""
    return logits.float().softmax(1) - F.one_hot(labels, logits.shape[1])


def memorisation(inside: torch.Tensor, outside: torch.Tensor) -> torch.Tensor:
    """Mean over models that were trained on an example of its label's probability, less that over models that were not: (N,)
    from (models, N) each. Feldman and Zhang 2020, arXiv:2008.03703."""
    return inside.mean(0) - outside.mean(0)


@register
class ErrorLength(Score):
    """(1/T) Σ_t ‖p_t − e_y‖₂ over the epochs of a watched run, which is as long as half a training. Paul et al. 2021,
    arXiv:2107.07075, take it early in training, over several initialisations."""

    name, label, weighed = "el2n", "EL2N", False
    summary = "How far a watched training run's answer is from the given label, averaged over its epochs."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        if view.history is None:
            return None
        return torch.stack([error_of(logits, view.labels).norm(dim=1) for logits in view.history]).mean(0)


@register
class GradientLength(Score):
    """‖p − e_y‖₂·√(‖h‖² + 1) in the original: the length of the loss's gradient for a last layer with bias, h its input. Paul
    et al. 2021, arXiv:2107.07075 (GraNd), take that of all weights."""

    name, label, weighed = "grand", "GraNd, last layer", False
    summary = "How hard the given label pulls the original model's last layer."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        size = (view.original_features.float().square().sum(1) + 1).sqrt()
        length: torch.Tensor = error_of(view.original_logits, view.labels).norm(dim=1)
        return length * size


@register
class Influence(Score):
    """mean_{j ∈ F} ⟨p_i − e_yi, p_j − e_yj⟩·(⟨h_i, h_j⟩ + 1) in the original: the inner product of the last layer's gradients
    with those of known corruption. Pruthi et al. 2020, arXiv:2002.08484 (TracIn), of one checkpoint, without its rate."""

    name, label, weighed = "influence", "Influence of the known", False
    summary = "Whether the original's last layer is pulled the same way by this example and by what is known to be wrong."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        known = view.known.nonzero()[:, 0]
        if not len(known):
            return None
        error, features = error_of(view.original_logits, view.labels), view.original_features.float()
        parts = [
            ((error[ids] @ error[known].T) * (features[ids] @ features[known].T + 1)).mean(1)
            for ids in torch.arange(len(error), device=error.device).split(_ROWS)
        ]
        return torch.cat(parts)


@register
class HeldOutMemorisation(Score):
    """p_θ(y|x) − p_{∖x}(y|x), θ the original and ∖x a network that was not trained on the example. Feldman and Zhang 2020,
    arXiv:2008.03703, average both over thousands of models."""

    name, label, weighed = "memorisation", "Held-out memorisation", False
    summary = "By how much the original believes the given label more than a network that was not trained on the example."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        if view.held_out is None:
            return None
        given = view.labels[:, None]
        seen = view.original_logits.float().softmax(1).gather(1, given)[:, 0]
        return memorisation(seen[None], view.held_out.gather(1, given)[:, 0][None])
