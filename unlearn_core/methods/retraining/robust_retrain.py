"""Retrain from scratch with a loss that holds on to what was learned early (ELR, Liu et al. 2020, arXiv:2007.00151)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.rounds import training_anew
from unlearn_core.training import FreshTrainer, Loss, Reporter, real

_LEAST = 1e-4
"""Probabilities are held this far from 0 and 1, as in the published program, so that the logarithm stays finite."""


class RobustRetrainParams(MethodParams):
    weight: float = Field(3.0, ge=0, le=100, description="Weight of agreeing with what was said of an example before")
    memory: float = Field(0.7, ge=0, lt=1, description="Share of an example's mean prediction that stays at each visit")


@register
class RobustRetrain(Method[RobustRetrainParams]):
    """min_θ CE_D(θ) + λ·E_D log(1 − ⟨p_θ(x), t_x⟩), from a new random θ; at each visit of x first t_x ← β·t_x + (1 − β)·p_θ(x).

    Symbols: D are all training data; p are softmax outputs, t_x the mean of those that x was given so far (0 at the start, and
    no gradient passes through it); λ is ``weight``, β is ``memory``. Epochs, rate and batches are the recipe with which the
    original was trained.
    Given: D with its given labels. It is not told which are in F, and of the original not even the weights.
    Fails: What shares a rule is learned early too: of a confused pair or a trigger the wrong labels are held on to as well as
    the right ones. It costs a whole training.
    Source: Liu et al. 2020, arXiv:2007.00151 (early-learning regularisation).
    Values: Both are published for CIFAR-10 with random labels (for CIFAR-100: 7 and 0.9).
    """

    name, label, paper = "robust_retrain", "Robust retraining (ELR)", "arXiv:2007.00151"
    family = "retraining"
    cost = 1.0
    statistics = "of training"
    needs_forget = False
    summary = (
        "Trains a new model on everything, with a term in the loss that rewards an answer for agreeing with those that the "
        "same example got before. "
        "It relies on right labels being learned first, so that a wrong one no longer pulls when its turn comes. "
        "It needs to know of no corruption, and helps where wrong labels have no rule; it costs as much as the original "
        "training."
    )
    designed_for = Region(regularity=(0.0, 0.25), discovery=(0.0, 0.25))
    search_space = {"weight": [1.0, 3.0, 5.0, 7.0], "memory": [0.3, 0.5, 0.7, 0.9]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        ids = task.everything
        model = task.fresh_model(task.seed + 1)
        said = torch.zeros(len(ids), task.data.classes, device=task.device)
        work = training_anew(reporter, model, task, ids)
        return FreshTrainer(model, task.data, task.recipe, task.seed + 1, work, self.loss(said)).fit(ids)

    def loss(self, said: torch.Tensor) -> Loss:
        """The cross entropy and the term, with the mean predictions in ``said`` (N, classes), which every batch brings on."""

        def robust(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            logits = real(model(x))
            p = logits.softmax(1).clamp(_LEAST, 1 - _LEAST)
            said[ids] = remember(said[ids], p.detach(), self.p.memory)
            return F.cross_entropy(logits, y) + self.p.weight * disagreement(p, said[ids])

        return robust


def remember(before: torch.Tensor, p: torch.Tensor, memory: float) -> torch.Tensor:
    """Mean predictions (B, C) after the visit that gave ``p`` (B, C), which is made to sum to 1 first."""
    return memory * before + (1 - memory) * p / p.sum(1, keepdim=True)


def disagreement(p: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Batch mean of log(1 − ⟨p, t⟩): 0 where nothing is remembered, the lower the more an answer agrees with earlier ones."""
    return (1 - (p * target).sum(1)).log().mean()
