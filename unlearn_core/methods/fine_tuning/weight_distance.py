"""Fine-tuning away from the original's weights, so that what was forgotten does not come back (arXiv:2505.22310)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.dampening.importance import trainable
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds, add_report
from unlearn_core.training import Loss, Reporter, Trainer, cross_entropy

Start = Literal["original", "distorted", "attenuated", "dropout"]

_ATTENUATION, _DROPPED = 0.5, 0.2
"""What weights are multiplied by, and the share of them that is set to 0, before fine-tuning begins."""


class WeightDistanceParams(MethodParams):
    epochs: int = Field(10, ge=1, le=200, description="Passes over the retain set")
    rate: float = Field(0.33, gt=0, le=10, description="Learning rate, as a share of that of training")
    weight: float = Field(1.0, ge=0, le=1000, description="Weight of the distance from the original's weights")
    start: Start = Field("original", description="Where fine-tuning begins: at the weights as they are, or at spoilt ones")
    noise: float = Field(1.0, ge=0, le=10, description="Noise of a distorted start, in standard deviations of each tensor")


@register
class WeightDistance(FittedMethod[WeightDistanceParams]):
    """min_θ CE_R(θ) − α·√(mean_j (θ_j − θ₀_j)² + 10⁻⁸), from θ₀, or from θ₀ + σ·s·N(0, 1), θ₀/2, or θ₀ with a fifth of it 0.

    Symbols: R is the retain set, θ₀ the original; α is ``weight``. ``start`` says where it begins; σ is ``noise`` and s the
    standard deviation of each tensor. ``epochs`` passes over R with the recipe of training, at ``rate`` times its rate.
    Given: R with its given labels; F is not used.
    Fails: Distance is no evidence: rescaling a layer and undoing it in the next moves the weights far and changes nothing. R
    holds the undiscovered corruption, which is rehearsed from wherever it begins.
    Source: Siddiqui et al. 2025, arXiv:2505.22310.
    Values: The weight 1 is published, and up to 100 passes with Adam at 1e-5 to 1e-4 on a network trained for 300; for small
    ones the training's own recipe at a third of its rate. The term's slope shrinks with the number of weights, which Adam makes
    up for and SGD does not: where images are trained with SGD its weight is ten times the published. Published noise is 0.02
    whatever the layer, too much for one and too little for another: here it is relative, one standard deviation being about
    0.02 in the large layers of that network.
    """

    name, label, paper = "weight_distance", "Weight distance", "arXiv:2505.22310"
    family = "fine-tuning"
    cost = 0.5
    rate_name = "rate"
    needs_labels = False
    summary = (
        "Continues training on everything but the discovered corruption, with a reward for moving away from the original's "
        "weights, if wanted from a spoilt copy of them. "
        "It relies on what was forgotten coming back more easily the nearer the weights still are. "
        "It is made to last and not to heal: the undiscovered corruption is rehearsed all the while."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    published = {"": {"epochs": 100}}
    presets = {"digits": {"weight": 10.0}, "photos": {"weight": 10.0}}
    search_space = {
        "start": ["original", "distorted", "attenuated", "dropout"],
        "weight": [1.0, 10.0, 100.0],
        "rate": [0.1, 0.33, 1.0],
    }

    @classmethod
    def expected_work(cls, params: WeightDistanceParams, setting: Setting) -> float:
        return params.epochs / setting.recipe.epochs

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model, rounds = self.p, task.original, Rounds(reporter, task)
        origin = [value.detach().clone() for value in trainable(model)]
        spoil(model, p.start, p.noise, torch.Generator().manual_seed(task.seed + 2))
        recipe = task.recipe.model_copy(update={"epochs": p.epochs, "learning_rate": p.rate * task.recipe.learning_rate})
        Trainer(model, task.data, recipe, task.seed + 1, rounds, away_from(origin, p.weight)).fit(task.retain)
        rounds.returned(model)
        add_report(model, distance=distance(trainable(model), origin).item())
        return model


def away_from(origin: list[torch.Tensor], weight: float) -> Loss:
    """The cross entropy less ``weight`` times the distance from ``origin``."""

    def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return cross_entropy(model, x, y, ids) - weight * distance(trainable(model), origin)

    return loss


def distance(here: list[nn.Parameter] | list[torch.Tensor], there: list[torch.Tensor]) -> torch.Tensor:
    """√(mean of squared differences over all entries of all tensors + 10⁻⁸); the last keeps its slope finite at 0."""
    squares = torch.stack([(a - b).square().sum() for a, b in zip(here, there, strict=True)]).sum()
    return (squares / sum(b.numel() for b in there) + 1e-8).sqrt()


@torch.no_grad()
def spoil(model: nn.Module, start: Start, noise: float, generator: torch.Generator) -> None:
    """Put the trainable parameters where fine-tuning begins. Random numbers are drawn on the CPU for every device alike."""
    for value in trainable(model):
        if start == "distorted":
            drawn = torch.randn(value.shape, generator=generator).to(value.device, value.dtype)
            value.add_(noise * value.std(correction=0) * drawn)
        elif start == "attenuated":
            value.mul_(_ATTENUATION)
        elif start == "dropout":
            value.mul_((torch.rand(value.shape, generator=generator) >= _DROPPED).to(value.device, value.dtype))
