"""Negative preference optimisation on the forget set (Zhang et al. 2024, arXiv:2404.05868): REM's flush alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field

from unlearn_core.methods import UnlearningTask, bounded_loss, register
from unlearn_core.methods.ascent.base import Push, PushParams
from unlearn_core.methods.shared.preference import example_losses


class NpoParams(PushParams):
    beta: float = Field(1.0, gt=0, le=20, description="Sharpness of the bounded loss")


@register
class Npo(Push[NpoParams]):
    """The values are those of arXiv:2505.17730, which runs the flush of REM alone. Batch norm is measured on the retain set
    after every pass, where the program leaves it statistics of F."""

    name, label, paper = "npo", "NPO", "arXiv:2404.05868"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Raises the loss on the discovered corruption with a pull that fades as it rises, until the wrong labels are no longer "
        "predicted. Strong where the corruption shares one pattern; with no repair, the rest of the model pays for it."
    )

    def objective(self, task: UnlearningTask) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        before = torch.zeros(len(task.data), device=task.device)
        before[task.forget] = example_losses(task.original, task, task.forget)
        return lambda ce, ids: -bounded_loss(ce, before[ids], self.p.beta).mean()
