"""One ranking from many scores, each trusted as far as it ranks held-out known corruption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from unlearn_core.discovery.evidence import DOUBTS
from unlearn_core.discovery.refine import refine_ranking
from unlearn_core.discovery.roc_areas import p_value, per_example_auc

MIN_KNOWN = 5
"""Fewer known examples than this are too few to say which score to trust, or where to draw a line."""

POWER = 4
"""Weight of a score: (2·AUC − 1) to this power, so that scores no better than chance have no say."""


@dataclass(frozen=True)
class Fusion:
    """``fused`` float64 (N,): the weighted mean of the scores, or its refinement. ``weights`` sum to 1, ``auc`` is each
    score's area under the ROC curve of held-out known corruption against the rest; ``held_out_auc`` the fused score's, and
    ``chance`` the probability of so high an area if the known examples were picked at random (1 where nothing can be said).
    """

    fused: np.ndarray
    weights: dict[str, float]
    auc: dict[str, float]
    held_out_auc: float
    chance: float


def _normalise_weights(area: np.ndarray) -> np.ndarray:
    weights = np.maximum(0.0, 2 * area - 1) ** POWER
    total = weights.sum(-1, keepdims=True)
    return np.asarray(np.where(total > 0, weights / np.maximum(total, 1e-12), 1 / weights.shape[-1]))


def fuse(table: Mapping[str, np.ndarray], forget: np.ndarray) -> Fusion:
    """Fuse the out-of-fold scores (each (N,)); ``forget`` bool (N,) marks the known corruption.

    A known example is scored with weights that were chosen without it, so that its rank is that of an unknown one.
    """
    names = list(table)
    values = np.stack([table[name] for name in names], axis=1)
    seen = np.isfinite(values).all(1)
    known, pool = forget & seen, ~forget & seen
    count = int(known.sum())
    if count < MIN_KNOWN:  # too little to tell which score works: rank by how much the labels are doubted
        chosen = [k for k, name in enumerate(names) if name in DOUBTS] or list(range(len(names)))
        fixed = np.zeros(len(names))
        fixed[chosen] = 1 / len(chosen)
        return Fusion(values @ fixed, dict(zip(names, fixed.tolist(), strict=True)), {}, float("nan"), 1.0)
    per_example = per_example_auc(values[known], values[pool])
    mean = per_example.mean(0)
    weights = _normalise_weights(mean)
    fused = values @ weights
    without = _normalise_weights((mean * count - per_example) / (count - 1))
    fused[known] = (values[known] * without).sum(1)
    area = float(per_example_auc(fused[known][:, None], fused[pool][:, None]).mean())
    return Fusion(
        fused,
        dict(zip(names, weights.tolist(), strict=True)),
        dict(zip(names, mean.tolist(), strict=True)),
        area,
        p_value(area, count, int(pool.sum())),
    )


def refine(fusion: Fusion, table: Mapping[str, np.ndarray], forget: np.ndarray) -> Fusion:
    """The fusion with its ranking refined by regression on all scores; weights stay: they say what each score is worth."""
    values = np.stack(list(table.values()), axis=1)
    seen = np.isfinite(values).all(1)
    known, pool = forget & seen, ~forget & seen
    fused = refine_ranking(values, fusion.fused, known, pool)
    return replace(fusion, fused=fused, held_out_auc=float(per_example_auc(fused[known][:, None], fused[pool][:, None]).mean()))


def ranking_quality(values: np.ndarray, positive: np.ndarray) -> dict[str, float]:
    """Area under the ROC curve, average precision, and precision among the first k of the k positives.

    ``values``: (n,), the higher the more suspect; ``positive``: bool (n,). For benchmarks and analysis.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score  # a second of every start, and needed nowhere else

    first = np.argsort(-values, kind="stable")[: int(positive.sum())]
    return {
        "auc": float(roc_auc_score(positive, values)),
        "average_precision": float(average_precision_score(positive, values)),
        "precision_at_k": float(positive[first].mean()),
    }
