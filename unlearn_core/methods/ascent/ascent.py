"""Gradient ascent on the forget set (Thudi et al. 2022), stopped at the same threshold as NPO."""

from __future__ import annotations

from collections.abc import Callable

import torch

from unlearn_core.methods import UnlearningTask, register
from unlearn_core.methods.ascent.base import Push, PushParams


@register
class Ascent(Push[PushParams]):
    """θ ← θ − η·∇_θ [−CE_F(θ)]: the loss of the forget set is raised, by gradient steps against its usual direction.

    Symbols: θ starts at the original's parameters; CE_F is the mean cross entropy of a batch of F on given labels; η is
    ``learning_rate``, a step takes ``batch_size`` examples of F, and at most ``passes`` go over it. A pass ends the run
    once F's accuracy on given labels is at most ``threshold``.
    Given: F with its given labels. The retain set tells only which pass is returned (``keep_best``), and what batch norm
    normalises by.
    Fails: −CE has no lower end: past the threshold every further step ruins the network, and nothing repairs it.
    Source: Thudi et al. 2022, arXiv:2109.13398, which unrolls SGD; stopped as arXiv:2505.17730 stops NPO.
    Values: The values are those of arXiv:2505.17730, which runs it as NPO with the plain loss; the first publication gives
    none that a threshold on F's accuracy would stop.
    """

    name, label, paper = "ascent", "Gradient ascent", "arXiv:2109.13398"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Raises the loss on the discovered corruption without a bound, until the wrong labels are no longer predicted. "
        "The simplest way to unlearn, and the quickest way to ruin a model."
    )

    def objective(self, task: UnlearningTask) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        return lambda ce, ids: -ce.mean()
