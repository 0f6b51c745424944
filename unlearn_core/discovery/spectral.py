"""Scores from the spread of features within a given class: spectral signature, and SPECTRE's whitened one."""

from __future__ import annotations

from collections.abc import Callable

import torch

from unlearn_core.discovery import ModelOutputs, Score, register

DIRECTIONS, TRIMMED, STRENGTH = 10, 0.1, 4.0
"""Principal directions that are kept, the share trimmed away twice, and SPECTRE's exponent."""


def project_on_first(features: torch.Tensor) -> torch.Tensor:
    """Squared projection (n,) of centred features (n, D) on their first right singular vector."""
    centred = features - features.mean(0)
    first: torch.Tensor = torch.linalg.svd(centred, full_matrices=False).Vh[0]
    return (centred @ first).square()


def quantum_entropy(features: torch.Tensor) -> torch.Tensor:
    """SPECTRE's score (n,) of features (n, D): x̃ᵀQx̃ / tr Q, Q = exp(α(M − I) / (‖M‖₂ − 1)), with x̃ whitened by robust moments
    and M their covariance. Hayase et al. 2021, arXiv:2104.11315; its robust moments are those of what is left after twice
    trimming the farthest tenth."""
    centred = features - features.median(0).values
    flat = torch.linalg.svd(centred, full_matrices=False)
    points = centred @ flat.Vh[:DIRECTIONS].T
    kept = points
    white = points
    for _ in range(3):
        white, distance = _whiten(points, kept)
        kept = points[distance <= distance.quantile(1 - TRIMMED)]
    covariance = white.T @ white / len(white)
    excess = torch.linalg.eigvalsh(covariance)[-1] - 1
    identity = torch.eye(len(covariance), dtype=points.dtype, device=points.device)
    # Where no direction sticks out the exponent would be 0 / 0: then all of them count alike.
    weights = torch.linalg.matrix_exp(STRENGTH * (covariance - identity) / excess) if excess > 1e-6 else identity
    return torch.einsum("nd,de,ne->n", white, weights, white) / weights.trace()


def _whiten(points: torch.Tensor, kept: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``points`` whitened by the moments of ``kept``, and their squared lengths."""
    middle = kept.mean(0)
    spread = (kept - middle).T @ (kept - middle) / max(1, len(kept) - 1)
    values, vectors = torch.linalg.eigh(spread)
    white = (points - middle) @ vectors / values.clamp_min(1e-6 * float(values[-1].clamp_min(1e-12))).sqrt()
    return white, (white**2).sum(1)


def within_classes(view: ModelOutputs, features: torch.Tensor, least: int = 4) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """(indices, their features in double precision) of every given class with at least ``least`` examples."""
    found = []
    for label in view.labels.unique():
        ids = (view.labels == label).nonzero()[:, 0]
        if len(ids) >= least:
            found.append((ids, features[ids].double()))
    return found


def score_classes(view: ModelOutputs, measure: Callable[[torch.Tensor], torch.Tensor], least: int = 4) -> torch.Tensor:
    """``measure`` (n, features) → (n,) within every given class of at least ``least`` examples; 0 elsewhere. (N,)."""
    values = torch.zeros(len(view.labels), dtype=torch.float64, device=view.labels.device)
    for ids, features in within_classes(view, view.original_features, least):
        values[ids] = measure(features)
    return values


@register
class SpectralSignature(Score):
    """⟨h − μ_c, v⟩², v the first right singular vector of the class's centred features. Tran et al. 2018, arXiv:1811.00636."""

    name, label, weighed = "spectral_signature", "Spectral signature", False
    summary = "How far the original's features lie along the direction in which those of the given class vary most."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return score_classes(view, project_on_first)


@register
class Spectre(Score):
    """:func:`quantum_entropy` within every given class. arXiv:2104.11315."""

    name, label, weighed = "spectre", "SPECTRE", False
    summary = "How far the features stick out of the given class once its usual spread is made equal in every direction."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return score_classes(view, quantum_entropy, least=2 * DIRECTIONS)
