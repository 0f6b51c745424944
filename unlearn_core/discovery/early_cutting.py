"""Early cutting: what is learned early and contradicted by a later network (Yuan et al. 2025, arXiv:2502.08227)."""

from __future__ import annotations

from typing import NamedTuple

import torch

from unlearn_core.discovery import ModelOutputs, Score, register
from unlearn_core.discovery.losses import loss_of
from unlearn_core.discovery.watched import count_right, learning_times

EARLY, STREAK = 0.667, 3
"""Of what is learned, the part that is learned first and is looked at again; epochs in a row with the given label that count as
learned. Both are those of the published program, which divides by 1.5."""
LOSS, CONFIDENCE, GRADIENT = 0.1, 0.2, 0.2
"""Published shares: the highest losses, and of these the most confident ones whose input matters least."""


class Examined(NamedTuple):
    """What n examples are to the network at the end of a training run. ``early`` int64 (m,): those that were learned first,
    in that order; ``contradicted`` bool (n,): those of them that it gives another label; ``cut`` bool (n,): those of these of
    which it is sure, as :func:`is_cut` says."""

    early: torch.Tensor
    contradicted: torch.Tensor
    cut: torch.Tensor


def highest(values: torch.Tensor, share: float, among: torch.Tensor | None = None) -> torch.Tensor:
    """bool (n,): the ``share`` of ``values`` (n,) that is highest, at least one; of those in ``among`` (bool) alone."""
    ids = torch.arange(len(values), device=values.device) if among is None else among.nonzero()[:, 0]
    flags = torch.zeros(len(values), dtype=torch.bool, device=values.device)
    if len(ids):
        order = values[ids].argsort(descending=True, stable=True)
        flags[ids[order[: max(1, int(len(ids) * share + 1e-9))]]] = True
    return flags


def is_cut(
    loss: torch.Tensor, confidence: torch.Tensor, gradient: torch.Tensor, other: torch.Tensor | None = None
) -> torch.Tensor:
    """bool (n,): which of n examples that were learned early have a high loss later, by a network that is sure of its answer
    and whose loss hardly depends on the input.

    ``loss`` of the given label, ``confidence``: the largest probability, ``gradient``: length of the loss's gradient with
    respect to the input, (n,) each. ``other`` bool (n,): where the network gives another label. With it only those count, and
    the shares of confidence and gradient are of those among them that have a high loss, as in the published program; without
    it all three are shares of the n. That would hardly ever cut anything: a label that is predicted has next to no gradient,
    so that none which is not has one of the shortest.
    """
    lossy = highest(loss, LOSS)
    if other is None:
        return lossy & highest(confidence, CONFIDENCE) & highest(-gradient, GRADIENT)
    lossy &= other
    return lossy & highest(confidence, CONFIDENCE, lossy) & highest(-gradient, GRADIENT, lossy)


def learned_first(right: torch.Tensor, share: float = EARLY, streak: int = STREAK) -> torch.Tensor:
    """int64 (m,): of the examples that are learned at all the ``share`` that is learned first, in that order; ``right`` bool
    (epochs, n): where the given label is predicted."""
    times = learning_times(right, streak)
    learned = (times <= len(right)).nonzero()[:, 0]
    order = times[learned].argsort(stable=True)
    return learned[order[: int(len(learned) * share + 1e-9)]]


def given_up(right: torch.Tensor) -> torch.Tensor:
    """bool (n,): what is learned early and contradicted later: not predicted any more at the end; ``right`` bool (epochs, n):
    where the given label is predicted."""
    early = learned_first(right)
    flags = torch.zeros(right.shape[1], dtype=torch.bool, device=right.device)
    flags[early] = ~right[-1, early]
    return flags


def examine(early: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, gradient: torch.Tensor) -> Examined:
    """What was learned ``early`` (ids), looked at by the network that gives ``logits`` (n, classes) and the lengths of input
    gradients ``gradient`` (n,)."""
    said, given = logits[early].float(), labels[early]
    other = said.argmax(1) != given
    flags = torch.zeros(2, len(labels), dtype=torch.bool, device=labels.device)
    flags[0, early] = other
    flags[1, early] = is_cut(loss_of(said, given), said.softmax(1).amax(1), gradient[early], other)
    return Examined(early, flags[0], flags[1])


@register
class EarlyCutting(Score):
    """Among what a watched run learns first: the share of it whose loss at the end of the run is no higher, 1 more where
    another label is predicted then, and another 1 where it would be cut; 0 for what is learned later or never. Yuan et al.
    2025, arXiv:2502.08227, whose later network is the best on held-out data; here the run is half as long as training, and is
    taken at its end."""

    name, label, weighed = "early_cutting", "Learned early, contradicted later", False
    summary = "A watched training run predicts the given label soon, and another one at its end."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        right = count_right(view)
        if right is None or view.history is None or view.gradients is None:
            return None
        found = examine(learned_first(right), view.history[-1], view.labels, view.gradients)
        values = found.contradicted.float() + found.cut.float()
        losses = loss_of(view.history[-1][found.early], view.labels[found.early])
        ranks = losses.argsort(stable=True).argsort(stable=True)
        values[found.early] += (ranks + 1).float() / max(1, len(ranks))
        return values
