"""DEL: reset the parameters that are critical for the forget set, fine-tune those (arXiv:2412.02432)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.localised.saliency import Criterion, Granularity, Restriction, Tensors, gradient_steps, localise
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import SgdParams, count_batches, phases, sgd_recipe
from unlearn_core.training import Reporter, Trainer


class DelParams(SgdParams):
    epochs: int = Field(30, ge=1, le=200, description="Passes over the retain set")
    learning_rate: float = Field(0.015, gt=0, le=1, description="Learning rate at the start; it falls to a hundredth")
    batch_size: int = Field(128, ge=1, le=8192, description="Examples in a step")
    weight_decay: float = Field(0.0, ge=0, le=0.1, description="Weight decay in every step")
    criterion: Criterion = Field("weighted_grad", description="What makes a parameter critical")
    granularity: Granularity = Field("channel", description="Select whole channels or single parameters")
    share: float = Field(0.3, gt=0, le=1, description="Share of the parameters that is reset")


@register
class Del(FittedMethod[DelParams]):
    """θ ← (1 − m)⊙θ₀ + m⊙θ_init, then min_θ CE_R(θ) on m and the classifier,  m = top τ·P of s = |θ₀⊙∇CE_F(θ₀)|.

    Symbols: θ_init is a new random start; P is the number of parameters, τ is ``share``; s is ``criterion``, averaged over
    the largest tenth of a channel's weights, so that whole channels are chosen (``granularity``); ``epochs`` passes over
    the retain set R at ``learning_rate``, in batches of ``batch_size``.
    Given: R and F with their given labels (F's for the mask).
    Fails: What was not discovered is in channels that stay, and the new channels learn it from R again.
    Source: arXiv:2412.02432. Channels are cut off whole here, where the published program splits the one at the threshold.
    Values: The values are the published ones for CIFAR-10; the rate falls to a hundredth linearly here, along a cosine
    there.
    """

    name, label, paper = "del", "DEL", "arXiv:2412.02432"
    family = "localised"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Finds the channels whose weights matter most for the forget set, sets them back to a new random start, "
        "and trains only them and the classifier on everything else. "
        "It relies on memorised examples sitting in few channels. "
        "What was not discovered is still in the other channels, and is learned again by the new ones."
    )
    designed_for = Region(regularity=(0.0, 0.5), discovery=(0.9, 1.0))

    presets = {
        "digits": {"epochs": 15, "batch_size": 64, "learning_rate": 0.03},
        "points": {"epochs": 15, "batch_size": 64, "learning_rate": 0.03},
    }
    search_space = {
        "share": [0.1, 0.2, 0.3, 0.5],
        "learning_rate": [0.01, 0.02, 0.05],
        "epochs": [5, 10, 20],
        "criterion": ["weighted_grad", "grad", "weight"],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        recipe = sgd_recipe(task, p, final=0.01)
        steps = recipe.epochs * count_batches(len(task.retain), recipe.batch_size)
        rounds = Rounds(reporter, task)
        masking, training = phases(rounds, gradient_steps(task, p.criterion), steps)
        masks = localise(model, task, masking, criterion=p.criterion, granularity=p.granularity, share=p.share)
        # A seed of its own: the original's would bring back where its training began.
        reset(model, task.fresh_model(task.seed + 1), masks)
        restriction = Restriction(model, with_head(masks))
        trainer = Trainer(model, task.data, recipe, task.seed + 1, training)
        trainer.after_step = lambda: restriction.restore(trainer.optimizer)
        return rounds.returned(trainer.fit(task.retain))


@torch.no_grad()
def reset(model: nn.Module, fresh: nn.Module, masks: Tensors) -> None:
    """Set the masked parameters to ``fresh``'s. Batch norm's running statistics stay, as in the paper."""
    new = dict(fresh.named_parameters())
    for name, parameter in model.named_parameters():
        parameter.copy_(torch.where(masks[name], new[name], parameter))


def with_head(masks: Tensors) -> Tensors:
    """The classifier may change as a whole; only the part of it that was masked has been reset."""
    return {name: torch.ones_like(mask) if name.startswith("head.") else mask for name, mask in masks.items()}
