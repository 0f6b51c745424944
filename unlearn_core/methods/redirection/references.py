"""CE₀: what the network at the start of unlearning, frozen, says of every example."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.redirection.params import RemParams
from unlearn_core.models import RedirectNet
from unlearn_core.training import DeviceData, autocast, real

Masks = Callable[[torch.Tensor], torch.Tensor | None]
"""Example ids (B,) → bool (B, redirect): the channels that each may use; None where there are none."""


def masked_losses(
    model: RedirectNet, data: DeviceData, x: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """CE(x; m) (B,) of the given labels; with None redirect is off: CE(drop)."""
    with autocast(data.device):
        logits = real(model(x, mask))
    return F.cross_entropy(logits, data.labels[ids], reduction="none")


class ReferenceLosses:
    """CE₀ of a batch: (what a removal starts from, what a repair starts from), each (B,).

    Masks are fixed, so without augmentation both are constants: computed once, and what does not depend on them once for all
    runs of a search (``UnlearningTask.answers``). ``flushed_from`` (N,): what a flush starts from, the images as they are.
    """

    def __init__(
        self, model: RedirectNet, params: RemParams, task: UnlearningTask, everyone: torch.Tensor, masks: Masks
    ) -> None:
        self.p, self.data = params, task.data
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.constant = task.data.augmentation is None
        _, weight = next(iter(model.base_parameters()))
        self.dropped, self.masked = torch.zeros(2, len(task.data), device=task.device, dtype=weight.dtype)
        self.flushed_from = self.dropped
        known = task.answers.losses if task.answers and self.constant and len(everyone) == len(task.data) else None
        for ids in task.data.eval_batches(everyone if self.constant else task.forget):
            self.dropped[ids], self.masked[ids] = self._compute(task.data.batch(ids), ids, masks(ids), known)

    def __call__(self, x: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        return (self.dropped[ids], self.masked[ids]) if self.constant else self._compute(x, ids, mask)

    def _compute(
        self, x: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor | None, known: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``known`` (N,): the losses with redirect off, where they are."""
        with torch.no_grad():
            masked = masked_losses(self.model, self.data, x, ids, mask)
            if self.p.removal_reference == "masked" or mask is None:
                dropped = masked
            else:
                dropped = masked_losses(self.model, self.data, x, ids, None) if known is None else known[ids]
        return dropped.clamp_max(self.p.removal_cap), masked
