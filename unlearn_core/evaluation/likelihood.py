"""A likelihood attack on each example with few reference models (after Hayes et al. 2024, arXiv:2403.01218).

The attack of the paper compares an example's log-odds with those of many models that unlearned it, and of many that never saw
it. Here the reference models of RMIA say where its log-odds lie if it was trained on and if it was not, and the model under
test is placed between them. Attacks on averages understate what single examples give away: the upper end stands beside the
middle.
"""

from __future__ import annotations

import torch

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.membership import MIN_TARGETS, log_odds

APART = 1.0
"""Log-odds by which the two kinds of reference models must differ in an example: else nothing is to be told by it."""


def likelihood_score(own: torch.Tensor, seen: torch.Tensor, unseen: torch.Tensor) -> torch.Tensor:
    """(g − μ_out) / (μ_in − μ_out) of each example (n,): 0 as if never seen, 1 as if trained on."""
    return (own - unseen) / (seen - unseen)


def _scores(evidence: Evidence) -> torch.Tensor | None:
    """The scores of those members of F that reference models tell apart; None with too few of them."""
    view, forget = evidence.outside, evidence.forget
    if view is None or view.seen is None or view.unseen is None:
        return None
    told = forget[(view.seen - view.unseen)[forget] >= APART]
    if len(told) < MIN_TARGETS:
        return None
    own = torch.from_numpy(log_odds(evidence.logits.train[told], evidence.corrupted.train.labels[told])).float()
    return likelihood_score(own, view.seen[told], view.unseen[told])


class _Likelihood(Metric):
    split, unit = "F as far as reference models tell whether they were trained on it", "score"
    compares_with = ("reference_models",)
    quantile: float

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        scores = _scores(evidence)
        return None if scores is None else float(scores.quantile(cls.quantile))


@register
class LikelihoodMedian(_Likelihood):
    name, label, quantile = "likelihood_median", "Seen or unseen, median", 0.5
    direction = "none"
    formula = (
        "median over F of (g − μ_out) / (μ_in − μ_out), log-odds g of the given label by the model, μ_in and μ_out by "
        f"reference models that were and were not trained on the example, where these differ by at least {APART:g}: 0 as if "
        "never seen, 1 as if trained on; no value with reference models that were stored before log-odds were"
    )


@register
class LikelihoodHigh(_Likelihood):
    name, label, quantile = "likelihood_p95", "Seen or unseen, 95th percentile", 0.95
    direction = "lower"
    formula = (
        "the same at the 95th percentile over F: what the examples give away that give away most; no value with reference "
        "models that were stored before log-odds were"
    )
