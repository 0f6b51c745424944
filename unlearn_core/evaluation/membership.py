"""Membership inference: can one tell from the outputs that the forget set, wrong labels and all, was trained on?

Attacks are fitted on retained training examples (members) against one half of the test data (non-members), then asked to
tell the forget set from the other half. A model that never saw F gives an AUC near that of retraining, which below 0.5 for
wrong labels: their probability is low. Compare with the retrained model, not with zero.
"""

from __future__ import annotations

import functools

import numpy as np
import torch

from unlearn_core.evaluation import Evidence, Metric, register

MIN_TARGETS = 5
"""With fewer discovered examples an attack's score says nothing; the metrics are then None."""


def attack_features(logits: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    """Features (N, 4) of an attack: log-odds of the label, loss, entropy, modified entropy (Song & Mittal 2021, eq. 4).

    The modified entropy is −(1−p_y)·log p_y − Σ_{c≠y} p_c·log(1−p_c); a widely copied implementation of it takes log p_c
    where log(1−p_c) belongs.
    """
    p = logits.double().softmax(1).clamp(1e-12, 1 - 1e-12)
    own = p.gather(1, labels[:, None])[:, 0]
    entropy = -(p * p.log()).sum(1)
    others = -(p * (1 - p).log()).scatter(1, labels[:, None], 0.0).sum(1)
    modified = -(1 - own) * own.log() + others
    return torch.stack([own.log() - (1 - own).log(), -own.log(), entropy, modified], dim=1).numpy()


@functools.lru_cache(maxsize=16)
def _scores(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Logistic-attack scores of F and of held-back test examples, and the confidence-threshold attack's accuracy."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    forget = evidence.forget
    if len(forget) < MIN_TARGETS:
        return None
    keep = torch.ones(len(evidence.corrupted.train), dtype=torch.bool)
    keep[forget] = False
    order = torch.Generator().manual_seed(evidence.scenario.seed)
    retain = keep.nonzero()[:, 0]
    test = torch.randperm(len(evidence.corrupted.test), generator=order)
    outside, targets = test[: len(test) // 2], test[len(test) // 2 :]
    inside = retain[torch.randperm(len(retain), generator=order)[: len(outside)]]
    given, clean = evidence.corrupted.train.labels, evidence.corrupted.test.labels
    members = attack_features(evidence.logits.train[inside], given[inside])
    strangers = attack_features(evidence.logits.test[outside], clean[outside])
    known = attack_features(evidence.logits.train[forget], given[forget])
    unknown = attack_features(evidence.logits.test[targets], clean[targets])

    attack = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    attack.fit(np.concatenate([members, strangers]), np.r_[np.ones(len(members)), np.zeros(len(strangers))])
    scores = attack.decision_function(known), attack.decision_function(unknown)
    threshold = _best_threshold(members[:, 0], strangers[:, 0])
    accuracy = 0.5 * float((known[:, 0] >= threshold).mean() + (unknown[:, 0] < threshold).mean())
    return *scores, accuracy


def _best_threshold(members: np.ndarray, strangers: np.ndarray) -> float:
    """The value t that maximises ½(P[member ≥ t] + P[stranger < t])."""
    candidates = np.unique(np.concatenate([members, strangers]))
    above = 1 - np.searchsorted(np.sort(members), candidates, side="left") / len(members)
    below = np.searchsorted(np.sort(strangers), candidates, side="left") / len(strangers)
    return float(candidates[np.argmax(above + below)])


@register
class MembershipAuc(Metric):
    name, label = "mia_auc", "Membership AUC"
    formula = (
        "area under the ROC curve of a logistic attack (log-odds, loss, entropy, modified entropy): F against unseen test data"
    )
    direction, split = "none", "F against half of the test data; the attack is fitted on retained examples and the other half"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        from sklearn.metrics import roc_auc_score

        found = _scores(evidence)
        if found is None:
            return None
        known, unknown, _ = found
        return float(roc_auc_score(np.r_[np.ones(len(known)), np.zeros(len(unknown))], np.concatenate([known, unknown])))


@register
class MembershipTpr(Metric):
    name, label = "mia_tpr_at_1_fpr", "Membership TPR at 1 % FPR"
    formula = "share of F that the logistic attack recognises when it accuses 1 % of unseen test data (Carlini et al. 2022)"
    direction, split = "lower", "F against half of the test data; the attack is fitted on retained examples and the other half"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found = _scores(evidence)
        if found is None:
            return None
        known, unknown, _ = found
        return float((known > np.quantile(unknown, 0.99, method="higher")).mean())


@register
class MembershipThreshold(Metric):
    name, label = "mia_confidence", "Membership, confidence threshold"
    formula = (
        "balanced accuracy of one threshold on the given label's log-odds (Song & Mittal 2021): F against unseen test data"
    )
    direction, split = (
        "none",
        "F against half of the test data; the threshold is chosen on retained examples and the other half",
    )

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found = _scores(evidence)
        return None if found is None else found[2]
