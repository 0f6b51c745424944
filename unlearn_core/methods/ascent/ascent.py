"""Gradient ascent on the forget set (Thudi et al. 2022), stopped at the same threshold as NPO."""

from __future__ import annotations

from collections.abc import Callable

import torch

from unlearn_core.methods import UnlearningTask, register
from unlearn_core.methods.ascent.base import Push, PushParams


@register
class Ascent(Push[PushParams]):
    """The values are those of arXiv:2505.17730, which runs it as NPO with the plain loss; the first publication gives none that
    a threshold on F's accuracy would stop."""

    name, label, paper = "ascent", "Gradient ascent", "arXiv:2109.13398"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Raises the loss on the discovered corruption without a bound, until the wrong labels are no longer predicted. "
        "The simplest way to unlearn, and the quickest way to ruin a model."
    )

    def objective(self, task: UnlearningTask) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        return lambda ce, ids: -ce.mean()
