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
    """min_θ −(2/β)·E_F[log σ(β·(CE_θ − CE_θ₀))]: raise each loss of F above the original's, with a pull that fades as it rises.

    Symbols: θ₀ is the original; β is ``beta``, σ the logistic function (``bounded_loss``). For a classifier CE_θ − CE_θ₀ is
    the log-ratio of the likelihoods that the language model's loss compares. The rest is gradient ascent's:
    ``learning_rate``, ``passes``, ``threshold``.
    Given: F with its given labels. The retain set tells only which pass is returned (``keep_best``), and what batch norm
    normalises by.
    Fails: Nothing holds the rest of the model, so an F that looks like clean data takes those along; with β near 0 it is
    plain ascent.
    Source: Zhang et al. 2024, arXiv:2404.05868, eq. 3; the flush of REM in arXiv:2505.17730.
    Values: The values are those of arXiv:2505.17730, which runs the flush of REM alone. Batch norm is measured on the
    retain set after every pass, where the program leaves it statistics of F.
    """

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
