"""Held-out memorisation: what a label's probability owes to its example's having been trained on, by reference models.

Feldman and Zhang 2020, arXiv:2008.03703, average over thousands of models; those of RMIA here are two on either side of each
example. A wrong label that nothing else speaks for is memorised, one that others teach as well is not. Of the forget set it
says how hard it is to unlearn (Zhao et al. 2024, arXiv:2406.01257). Beside a model under test, which is trained on all of the
data, reference models are the weaker ones: test examples, which neither was trained on, say by how much (differences in
differences, after Lesci et al. 2024, arXiv:2406.04327).
"""

from __future__ import annotations

import torch

from unlearn_core.evaluation import Evidence, Metric, register


def difference_in_differences(
    after: torch.Tensor, before: torch.Tensor, control_after: torch.Tensor, control_before: torch.Tensor
) -> float:
    """Mean of ``after`` − ``before`` over the treated (n,), less the same over untreated controls (m,)."""
    return float((after - before).mean() - (control_after - control_before).mean())


@register
class MemorisationOfForget(Metric):
    name, label = "memorisation_forget", "Held-out memorisation of F"
    formula = (
        "mean over F of the probability of the given label by reference models that were trained on the example, less that by "
        "those that were not: the same for every method on the same data, and the higher the harder F is to unlearn. 1 where "
        "each label is known by heart alone, 0 where others teach it as well; no value with reference models that were stored "
        "before it was measured"
    )
    direction, split, unit = "none", "F, outputs of reference models", "difference of probabilities"
    compares_with = ("reference_models",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        view, forget = evidence.outside, evidence.forget.cpu()
        if view is None or view.inside is None or not len(forget):
            return None
        return float((view.inside - view.train)[forget].mean())


@register
class MemorisationLeft(Metric):
    name, label = "memorisation_left", "Memorisation left in F"
    formula = (
        "mean over F of p − p_out, the probability of the given label by the model and by reference models that were not "
        "trained on the example, less the same over test data with their labels, which neither was trained on: 0 as if never "
        "seen"
    )
    direction, split, unit = "none", "F, and test data as untreated controls", "difference of probabilities"
    compares_with = ("reference_models",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        view, forget = evidence.outside, evidence.forget.cpu()
        if view is None or not len(forget):
            return None
        here = _chance(evidence.logits.train, evidence.corrupted.train.labels)[forget]
        control = _chance(evidence.logits.test, evidence.corrupted.test.labels)
        return difference_in_differences(here, view.train[forget], control, view.test)


def _chance(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return logits.float().softmax(1).gather(1, labels[:, None])[:, 0].cpu()
