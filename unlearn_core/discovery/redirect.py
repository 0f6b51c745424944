"""Scores from the redirect channels: what do the channels made for the known corruption explain?"""

from __future__ import annotations

import torch

from unlearn_core.discovery import ModelOutputs, Score, register
from unlearn_core.discovery.losses import loss_of


@register
class RedirectGain(Score):
    name, label = "redirect_gain", "Explained by redirect"
    summary = "How much the forget set's redirect channels, switched on, lower the loss of the given label."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        if view.masked_logits is None:
            return None
        return loss_of(view.logits, view.labels) - loss_of(view.masked_logits, view.labels)


@register
class RedirectFit(Score):
    name, label = "redirect_fit", "Fit with redirect on"
    summary = "How well the given label fits with the forget set's redirect channels forced on."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        return None if view.masked_logits is None else -loss_of(view.masked_logits, view.labels)
