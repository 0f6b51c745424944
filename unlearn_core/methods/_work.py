"""Counted arithmetic: what a run of REM takes beside training from scratch, in passes of one example through the base."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from unlearn_core.methods._base import UnlearningTask
from unlearn_core.models import RedirectNet

STEP = 3.0
"""Passes that an example of a gradient step counts for: one forward, and about two backward."""


def widened_cost(model: RedirectNet, example: torch.Tensor) -> float:
    """Operations of a pass with redirect on, relative to one with it off, for a network that is widened; 1 without channels."""
    if not model.redirect_channels:
        return 1.0
    mask = torch.ones(1, model.redirect_channels, dtype=torch.bool, device=example.device)
    counts = []
    was_training = model.training
    model.eval()
    for given in (None, mask):
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(example[:1], given)
        counts.append(counter.get_total_flops())
    model.train(was_training)
    return counts[1] / max(1, counts[0])


class Budget:
    """How many steps of redirection each round may take, where the whole run may take ``most_work`` times the arithmetic of
    training from scratch: what earlier rounds and flushes left unspent or overspent is the next one's."""

    def __init__(self, params: Any, task: UnlearningTask, masked: float, examples: int, looked_at: int) -> None:
        """``masked``: cost of a pass with the masks; ``examples``: in a run's epoch; ``looked_at``: after every round."""
        self.rounds, self.constant = params.epochs, task.data.augmentation is None
        self.total = params.most_work * STEP * task.recipe.epochs * examples
        self.step = (params.batch_size + params.forget_per_batch) * (1 + masked) * (STEP + (0 if self.constant else 1))
        self.look = float(looked_at)
        self.used = examples * (1 + masked) if self.constant else 0.0

    def spend(self, passes: float) -> None:
        """Count work done outside the steps of redirection."""
        self.used += passes

    def steps(self, number: int, most: int) -> int:
        """Steps of round ``number`` (from 1), at most ``most`` and at least one; they are counted as taken."""
        if not self.total:
            return most
        due = self.total * number / self.rounds - self.look * number
        taken = min(most, max(1, int((due - self.used) / self.step)))
        self.used += taken * self.step
        return taken
