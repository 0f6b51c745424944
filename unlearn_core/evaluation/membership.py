"""Membership inference: can one tell from the outputs that the forget set, wrong labels and all, was trained on?

The score of an example is the log-odds of its label, the score that likelihood-ratio attacks rest on (Carlini et al. 2022,
arXiv:2112.03570), and nothing is fitted to it: it rises with the model's confidence in the label, whatever the model. An
attack fitted on retained examples and test data has to extrapolate to wrong labels, whose log-odds lie far below both, and its
sign there is chance.

F carries wrong labels, unseen test data right ones. A model that never saw F finds its labels unlikely, so that the AUC of
retraining is far below 0.5, not at 0.5; and where wrong labels were learnt with less confidence than right ones are given,
the AUC of the original is below 0.5 too. Compare with the original and with retraining, never with 0.5 alone.
:mod:`unlearn_core.evaluation.rmia` compares each example with models that never saw it, and needs no such care.
"""

from __future__ import annotations

import functools

import numpy as np
import torch

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import ONLY_WRONG
from unlearn_core.evaluation.ranking import auc, best_threshold, share_recognised

MIN_TARGETS = 5
"""With fewer discovered examples an attack's score says nothing; the metrics are then None."""


def log_odds(logits: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    """log(p_y / (1 − p_y)) = z_y − log Σ_{c≠y} exp z_c of ``logits`` (N, K) and ``labels`` (N,): float64 (N,).

    Taken from the logits: probabilities round to 1, where the most confident examples would all be alike.
    """
    z = logits.double()
    own = z.gather(1, labels[:, None])[:, 0]
    others = z.scatter(1, labels[:, None], -torch.inf).logsumexp(1)
    return (own - others).numpy()


@functools.lru_cache(maxsize=16)
def _scores(evidence: Evidence) -> tuple[np.ndarray, np.ndarray] | None:
    """Log-odds of the given labels of F and of the labels of all test data; None with too few examples in F, and where F
    differs from test data in its marks alone: they, not membership, would be recognised."""
    forget, corrupted = evidence.forget, evidence.corrupted
    if corrupted.labels_right or len(forget) < MIN_TARGETS or not len(corrupted.test):
        return None
    known = log_odds(evidence.logits.train[forget], corrupted.train.labels[forget])
    return known, log_odds(evidence.logits.test, corrupted.test.labels)


def _threshold_accuracy(evidence: Evidence, known: np.ndarray, unknown: np.ndarray) -> float:
    """Balanced accuracy, F against one half of the test data, of the threshold that tells retained examples from the other."""
    keep = torch.ones(len(evidence.corrupted.train), dtype=torch.bool)
    keep[evidence.forget] = False
    order = torch.Generator().manual_seed(evidence.scenario.seed)
    retain = keep.nonzero()[:, 0]
    test = torch.randperm(len(unknown), generator=order).numpy()
    outside, targets = unknown[test[: len(test) // 2]], unknown[test[len(test) // 2 :]]
    inside = retain[torch.randperm(len(retain), generator=order)[: len(outside)]]
    members = log_odds(evidence.logits.train[inside], evidence.corrupted.train.labels[inside])
    threshold = best_threshold(members, outside)
    return 0.5 * float((known >= threshold).mean() + (targets < threshold).mean())


@register
class MembershipAuc(Metric):
    name, label = "mia_auc", "Membership AUC"
    formula = (
        "area under the ROC curve of the log-odds of the label: F with its given labels against unseen test data. Retraining "
        "without F finds wrong labels unlikely and stays below 0.5: the nearer to its value, the less of F is left" + ONLY_WRONG
    )
    direction, split = "none", "F against all test data"
    revision = 2

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found = _scores(evidence)
        return None if found is None else auc(*found)


@register
class MembershipTpr(Metric):
    name, label = "mia_tpr_at_1_fpr", "Membership TPR at 1 % FPR"
    formula = (
        "share of F whose given label has higher log-odds than the labels of 99 % of unseen test data: what an attack "
        "recognises that accuses 1 % of strangers (Carlini et al. 2022). Wrong labels are seldom that certain, even if learnt"
        + ONLY_WRONG
    )
    direction, split = "lower", "F against all test data"
    revision = 2

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found = _scores(evidence)
        return None if found is None else share_recognised(*found)


@register
class MembershipThreshold(Metric):
    name, label = "mia_confidence", "Membership, confidence threshold"
    formula = (
        "balanced accuracy of one threshold on the label's log-odds (Song & Mittal 2021): F against unseen test data. 0.5: F "
        "is taken for trained on as often as unseen data is. Below 0.5: less often, because its wrong labels are less likely "
        "than right ones, as after retraining without F; how far below depends on where the threshold fell and says nothing"
        + ONLY_WRONG
    )
    direction, split = (
        "none",
        "F against half of the test data; the threshold is chosen on retained examples and the other half",
    )
    revision = 2

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found = _scores(evidence)
        return None if found is None else _threshold_accuracy(evidence, *found)
