"""FT-SAM: fine-tuning where the loss stays low around the weights too (Zhu et al. 2023, arXiv:2304.11823)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn
from torch.func import functional_call

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import SgdParams, sgd_recipe, statistics_kept
from unlearn_core.training import Loss, Reporter, Trainer, real


class FtSamParams(SgdParams):
    epochs: int = Field(5, ge=1, le=200, description="Passes over the retain set, each of two passes in every step")
    batch_size: int = Field(128, ge=1, le=8192, description="Examples in a step")
    radius: float = Field(2.0, gt=0, le=100, description="Length of the step to the worst weights nearby")
    adaptive: bool = Field(True, description="Measure that step relative to the size of each weight")
    smoothing: float = Field(0.1, ge=0, lt=1, description="Share of every label that is spread over all classes")


@register
class FtSam(FittedMethod[FtSamParams]):
    """min_θ CE_R(θ + e(θ)),  e = ρ·T²g/‖T·g‖₂,  g = ∇CE_R(θ),  T = diag(|θ|);  no gradient passes through e.

    Symbols: R is the retain set; ρ is ``radius``; without ``adaptive`` T = 1, which is plain sharpness-aware minimisation;
    labels are smoothed by ``smoothing``. ``epochs`` passes with SGD at ``learning_rate`` with ``momentum`` and
    ``weight_decay``, in batches of ``batch_size``. Batch norm's running statistics follow the first of the two passes of a step
    alone.
    Given: R with its given labels; F is not used.
    Fails: Published for checked examples. R holds the undiscovered corruption, which is rehearsed, and the flat place that is
    found is flat for it as well.
    Source: Zhu et al. 2023, arXiv:2304.11823.
    Values: ρ, smoothing and rate are published, for 100 passes over a checked twentieth of the data: the five passes here are
    over as many examples. Some programs take |θ| + 1 for biases and norms; here it is |θ| throughout, as in the paper.
    """

    name, label, paper = "ft_sam", "FT-SAM", "arXiv:2304.11823"
    family = "fine-tuning"
    cost = 0.6
    needs_labels = False
    summary = (
        "Continues training on everything but the discovered corruption, and in every step first goes to the worst weights "
        "nearby and then lowers the loss that was found there. "
        "It relies on a trigger sitting in a few large weights, which such a step disturbs most. "
        "It was made for a small checked set and runs on the retain set here, so that undiscovered corruption is rehearsed."
    )
    designed_for = Region(regularity=(0.75, 1.0), discovery=(0.9, 1.0))
    presets = {"digits": {"learning_rate": 0.02, "batch_size": 64}, "points": {"learning_rate": 0.01, "batch_size": 64}}
    search_space = {"radius": [0.5, 1.0, 2.0, 4.0], "learning_rate": [0.005, 0.01, 0.02, 0.05], "epochs": [5, 10]}

    @classmethod
    def expected_work(cls, params: FtSamParams, setting: Setting) -> float:
        return 2 * params.epochs / setting.recipe.epochs

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        rounds = Rounds(reporter, task)
        trainer = Trainer(task.original, task.data, sgd_recipe(task, self.p), task.seed + 1, rounds, self.loss())
        return rounds.returned(trainer.fit(task.retain))

    def loss(self) -> Loss:
        """The smoothed cross entropy at θ + e, whose gradient the optimiser applies at θ."""
        p = self.p

        def sharp(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            free = {name: value for name, value in model.named_parameters() if value.requires_grad}
            here = F.cross_entropy(real(model(x)), y, label_smoothing=p.smoothing)
            slopes = torch.autograd.grad(here, list(free.values()), materialize_grads=True)
            moves = worst_step([value.detach() for value in free.values()], list(slopes), p.radius, p.adaptive)
            there = {name: value + move for (name, value), move in zip(free.items(), moves, strict=True)}
            with statistics_kept(model):
                logits = functional_call(model, there, (x,))
            return F.cross_entropy(real(logits), y, label_smoothing=p.smoothing)

        return sharp


def worst_step(weights: list[torch.Tensor], slopes: list[torch.Tensor], radius: float, adaptive: bool) -> list[torch.Tensor]:
    """e for each tensor: ρ·T²g/‖T·g‖₂ with T = |θ|, or ρ·g/‖g‖₂; the norms are over all tensors together. 0 where g is 0."""
    scales = [weight.abs() if adaptive else torch.ones_like(weight) for weight in weights]
    scaled = [scale * slope for scale, slope in zip(scales, slopes, strict=True)]
    norm = torch.stack([part.square().sum() for part in scaled]).sum().sqrt().clamp_min(torch.finfo(torch.float32).tiny)
    return [radius * scale * part / norm for scale, part in zip(scales, scaled, strict=True)]
