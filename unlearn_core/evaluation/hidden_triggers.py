"""Attack success where C holds several triggers: of those that F knows, and of those that it does not."""

from __future__ import annotations

import torch

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.accuracy import attacked


class _OfSeveral(Metric):
    """Attack success of some of several triggers; without several there is nothing to tell apart."""

    direction, off_dial = "lower", True
    known: bool

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        corrupted = evidence.corrupted
        if len(corrupted.marks) < 2:
            return None
        carried = corrupted.truth.kinds[torch.isin(corrupted.truth.corrupted, evidence.forget)]
        return attacked(
            evidence, (k for k, one in enumerate(corrupted.marks) if bool((carried == one.kind).any()) == cls.known)
        )


@register
class AttackSuccessKnown(_OfSeveral):
    name, label, known = "attack_success_known", "Attack success, known triggers", True
    formula = "attack success of those triggers of which F holds an example; only where C holds several triggers"
    split = "test data with each of these triggers on, without its target class"


@register
class AttackSuccessHidden(_OfSeveral):
    name, label, known = "attack_success_hidden", "Attack success, hidden triggers", False
    formula = "attack success of those triggers of which F holds no example; only where C holds several triggers"
    split = "test data with each of these triggers on, without its target class"
