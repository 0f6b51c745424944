"""Counted arithmetic: what a run of REM takes beside training from scratch, in passes of one example through the base."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.redirection.params import RemParams, count_rounds, steps_per_round, total_steps
from unlearn_core.methods.redirection.references import Masks
from unlearn_core.methods.shared.rounds import LOOK
from unlearn_core.models import RedirectNet
from unlearn_core.specs import TrainingSpec

STEP = 3.0
"""Passes that an example of a gradient step counts for: one forward, and about two backward."""


@dataclass(frozen=True)
class Setting:
    """What a run's arithmetic depends on: the recipe of training from scratch, the training ``examples``, and what a pass with
    redirect channels costs beside one without (``masked``)."""

    recipe: TrainingSpec
    examples: int
    masked: float


def widened_cost(model: RedirectNet, example: torch.Tensor) -> float:
    """Operations of a pass with redirect on, relative to one with it off, for a network that is widened; 1 without channels."""
    if not model.redirect_channels:
        return 1.0
    mask = torch.ones(1, model.redirect_channels, dtype=torch.bool, device=example.device)
    counts: list[int] = []
    was_training = model.training
    model.eval()
    for given in (None, mask):
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(example[:1], given)
        counts.append(counter.get_total_flops())
    model.train(was_training)
    return counts[1] / max(1, counts[0])


def rem_work(params: RemParams, setting: Setting) -> float:
    """Counted arithmetic of one REM run with these parameters, relative to training from scratch. Flushes are not in it: how
    many passes they take is not known before, and F is small."""
    examples, again = setting.examples, 0.0 if not setting.recipe.augment else 1.0
    steps = total_steps(params, examples)
    rounds = count_rounds(params, examples)
    batch = min(params.batch_size, examples) + params.forget_per_batch
    references, look = (0.0 if again else examples * (1 + setting.masked)), min(LOOK, examples)
    redirecting = (1 + setting.masked) * (STEP + again)
    whole = STEP * setting.recipe.epochs * examples
    found = (references + rounds * look + min(steps * batch, rounds * examples) * redirecting) / whole
    if params.most_work:
        found = min(found, max(params.most_work, (references + look + batch * redirecting) / whole))
    return found


def make_budget(params: RemParams, task: UnlearningTask, model: RedirectNet, everyone: torch.Tensor, masks: Masks) -> Budget:
    """The budget of a run over ``everyone`` (ids), whose masked pass costs what the widened ``model`` and its masks say."""
    masked = _widened_cost(task, model) if params.most_work and masks(everyone[:1]) is not None else 1.0
    return Budget(params, task, masked, len(everyone), min(LOOK, len(task.retain)))


def masked_cost(task: UnlearningTask, ratio: float) -> float:
    """What a pass with redirect channels costs beside one without, once the original has ``ratio`` times as many."""
    model = copy.deepcopy(task.original)
    model.widen(ratio, task.seed)
    return _widened_cost(task, model)


def _widened_cost(task: UnlearningTask, model: RedirectNet) -> float:
    """:func:`widened_cost`, counted once for all runs of a search."""
    known, widths = task.answers.masked_cost if task.answers else {}, model.redirect_layers
    if widths not in known:
        known[widths] = widened_cost(model, task.data.batch(task.everything[:1]))
    return known[widths]


def whole_rounds(params: RemParams, task: UnlearningTask) -> int:
    """How many of a run's rounds over all data ``most_work`` leaves whole; at least one, which may be cut short."""
    rounds = count_rounds(params, len(task.data))
    if not params.most_work or rounds == 1:
        return rounds
    masked = masked_cost(task, params.redirect_ratio)
    budget = Budget(params, task, masked, len(task.data), min(LOOK, len(task.retain)))
    whole = budget.look + budget.step * steps_per_round(len(task.data), params.batch_size, params.round_steps)
    return max(1, min(rounds, int((budget.total - budget.used) / whole)))


class Budget:
    """How many rounds, and steps of redirection in each, fit into ``most_work`` times the arithmetic of training from scratch.

    What earlier rounds and flushes left unspent or overspent is the next one's.
    """

    def __init__(self, params: RemParams, task: UnlearningTask, masked: float, examples: int, looked_at: int) -> None:
        """``masked``: cost of a pass with the masks; ``examples``: in a run's epoch; ``looked_at``: after every round."""
        self.rounds, self.constant = count_rounds(params, examples), task.data.augmentation is None
        self.total = params.most_work * STEP * task.recipe.epochs * examples
        self.step = (params.batch_size + params.forget_per_batch) * (1 + masked) * (STEP + (0 if self.constant else 1))
        self.look, self.number = float(looked_at), 0
        self.used = examples * (1 + masked) if self.constant else 0.0

    def spend(self, passes: float) -> None:
        """Count work done outside the steps of redirection."""
        self.used += passes

    def spent(self) -> bool:
        """Whether no further round fits, of a single step; the first one always does."""
        return bool(self.total) and self.number > 0 and self.used + self.look + self.step > self.total

    def steps(self, number: int, most: int) -> int:
        """Steps of round ``number`` (from 1), at most ``most`` and at least one; they are counted as taken."""
        if not self.total:
            return most
        self.number, self.used = number, self.used + self.look
        due = self.total * number / self.rounds
        taken = min(most, max(1, int((due - self.used) / self.step)))
        self.used += taken * self.step
        return taken
