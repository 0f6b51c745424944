"""Just in time: flatten the network around every forget example (Foster et al. 2024, arXiv:2402.01401)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.sgd import sgd_recipe
from unlearn_core.training import Loss, Reporter, Trainer


def noisy_copy(x: torch.Tensor, sigma: float, generator: torch.Generator) -> torch.Tensor:
    """x plus Gaussian noise of scale ``sigma``, clamped to the batch's own range; drawn on the CPU for every device alike."""
    noise = torch.randn(x.shape, generator=generator).to(x.device, x.dtype)
    return torch.minimum(torch.maximum(x + sigma * noise, x.min()), x.max())


def lipschitz_ratio(z: torch.Tensor, z_noisy: torch.Tensor, x: torch.Tensor, x_noisy: torch.Tensor) -> torch.Tensor:
    """Batch mean of ‖z − z̃‖₂ / ‖x − x̃‖₂: how fast the logits change along this noise."""
    moved = torch.linalg.vector_norm((x - x_noisy).flatten(1), dim=1).clamp_min(1e-8)
    ratio: torch.Tensor = torch.linalg.vector_norm(z - z_noisy, dim=1) / moved
    return ratio.mean()


class JitParams(MethodParams):
    epochs: int = Field(1, ge=1, le=100, description="Passes over the forget set; the paper makes one")
    learning_rate: float = Field(0.04, gt=0, le=10, description="Constant rate of plain SGD, for the batch's mean")
    batch_size: int = Field(128, ge=1, le=8192, description="Forget examples in a step")
    sigma: float = Field(0.01, gt=0, le=10, description="Scale of the noise on normalised inputs")
    draws: int = Field(25, ge=1, le=200, description="Noisy copies of every example in a step")


@register
class Jit(FittedMethod[JitParams]):
    """min_θ (1/N)·Σ_n E_F ‖f_θ(x) − f_θ(x̃_n)‖₂ / ‖x − x̃_n‖₂,  x̃_n = x + σ·N(0, I), clamped to the batch's range.

    Symbols: f are the logits, without a gradient for x̃; N is ``draws``, σ is ``sigma``, on normalised inputs; ``epochs``
    passes over F, plain SGD at ``learning_rate`` in batches of ``batch_size``.
    Given: The inputs of F alone: no labels, no retain set, and so no other choice than the last pass.
    Fails: Flat is not right: a wrong label may stay, and nothing repairs what the flattening damages. A network that is
    smooth around F has nothing to flatten.
    Source: Foster et al. 2024, arXiv:2402.01401.
    Values: The values are the published ones for random samples of CIFAR-10, which are for a VGG without batch norm: there
    are none for residual networks. Its rate of 3e-4 is for the sum over a batch of 128, which is 0.0384 for the mean.
    """

    name, label, paper = "jit", "JiT", "arXiv:2402.01401"
    family = "fine-tuning"
    needs_labels = False
    needs_retain = False
    statistics = "kept"
    summary = (
        "Makes the outputs change less when noise is added to a forget example, using neither labels nor any other data. "
        "It relies on memorised examples sitting on steep spots of the network that can be flattened alone. Without data "
        "to repair from it soon damages the rest, and flat is not the same as right: wrong labels often stay."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    presets = {
        "digits": {"epochs": 10, "batch_size": 64, "sigma": 0.5, "learning_rate": 0.003},
        "points": {"epochs": 10, "batch_size": 64, "sigma": 0.1, "learning_rate": 0.001},
    }
    published: ClassVar[dict[str, dict[str, Any]] | None] = {"": {"learning_rate": 0.0384}}
    search_space = {
        "learning_rate": [0.0003, 0.001, 0.003, 0.01, 0.03],
        "sigma": [0.01, 0.1, 0.5],
        "epochs": [1, 3, 10, 20],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        # The plain view, and neither momentum nor weight decay, as in the paper.
        plain = dataclasses.replace(task.data, augmentation=None)
        recipe = sgd_recipe(task, self.p, momentum=0.0, weight_decay=0.0, clip=0.0)
        trainer = Trainer(task.original, plain, recipe, task.seed + 1, reporter)
        trainer.loss = self.loss(trainer.generator)
        return trainer.fit(task.forget)

    def loss(self, generator: torch.Generator) -> Loss:
        """The mean over draws and batch of the change of the logits relative to that of the inputs.

        Eval mode in every forward: clean and noisy pass then are the same function, and batch norm's running statistics stay.
        They carry the edit: measured anew they undo it. And it is given no other
        data to measure them on, or to tell a better pass from a worse one by: the last one is returned.
        (The public code leaves train mode on, sums over the batch, and never resets gradients between batches.) The paper's
        rate of 3·10⁻⁴ on the sum over 128 examples is 0.04 on the mean.
        """

        def flatten(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            model.eval()
            z = model(x).float()
            total = torch.zeros((), device=x.device)
            for _ in range(self.p.draws):
                x_noisy = noisy_copy(x, self.p.sigma, generator)
                with torch.no_grad():
                    z_noisy = model(x_noisy).float()
                total = total + lipschitz_ratio(z, z_noisy, x, x_noisy)
            return total / self.p.draws

        return flatten
