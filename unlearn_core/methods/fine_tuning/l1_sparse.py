"""ℓ1-sparse: fine-tune on the retain set with a sparsity penalty (Jia et al. 2023, arXiv:2304.04934)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import SgdParams, count_batches, sgd_recipe
from unlearn_core.training import Reporter, Trainer, cross_entropy


class L1SparseParams(SgdParams):
    penalty: float = Field(1e-4, ge=0, le=1, description="Weight of the sum of absolute parameters in the first epoch")
    free_epochs: int = Field(0, ge=0, le=199, description="Epochs at the end that have no penalty")


@register
class L1Sparse(FittedMethod[L1SparseParams]):
    """min_θ CE_R(θ) + α_e·‖θ‖₁,  α_e = α·(1 − e/(E − E₀)) for e < E − E₀, else 0.

    Symbols: R is the retain set; α is ``penalty``, E is ``epochs``, E₀ is ``free_epochs``, e the epoch from 0. The norm is
    of all parameters, norms and biases included.
    Given: R with its given labels; F is not used.
    Fails: A trigger is cheap to keep: it takes few weights. R rehearses the undiscovered corruption.
    Source: Jia et al. 2023, arXiv:2304.04934.
    Values: The frame (10 passes, SGD at 0.01, batches of 256) is the published program's. Its weight of the penalty is not
    known for certain: the program's default is another method's, and those who compare with it take from 7e-5
    (arXiv:2412.02432) to 5e-4 (arXiv:2503.00917). The default is the 1e-4 between.
    """

    name, label, paper = "l1_sparse", "ℓ1-sparse", "arXiv:2304.04934"
    family = "fine-tuning"
    revision = 3  # giving up what was known by heart is not a fall
    needs_labels = False
    summary = (
        "Continues training on everything but the discovered corruption, with a price on the size of every weight that fades "
        "over the epochs. "
        "It relies on memorised examples being the first thing a network gives up when weights cost something. "
        "The undiscovered corruption is rehearsed all the while, and a trigger is cheap to keep."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    presets = {
        "digits": {"learning_rate": 0.02, "batch_size": 64, "penalty": 5e-4},
        "points": {"learning_rate": 0.01, "batch_size": 64, "penalty": 5e-4},
    }
    search_space = {
        "penalty": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
        "learning_rate": [0.01, 0.02, 0.05],
        "epochs": [5, 10, 20],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p = self.p
        recipe = sgd_recipe(task, p)
        per_epoch = max(1, count_batches(len(task.retain), recipe.batch_size))
        steps = 0

        def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            nonlocal steps
            weight = penalty_at(steps // per_epoch, p.epochs, p.penalty, p.free_epochs)
            steps += 1
            return cross_entropy(model, x, y, ids) + weight * l1_norm(model)

        rounds = Rounds(reporter, task)
        return rounds.returned(Trainer(task.original, task.data, recipe, task.seed + 1, rounds, loss).fit(task.retain))


def penalty_at(epoch: int, epochs: int, penalty: float, free_epochs: int) -> float:
    """α·(1 − e/(E − E₀)) in epoch e, 0 in the last E₀ epochs: a linear fall from α."""
    paid = epochs - free_epochs
    return penalty * (1 - epoch / paid) if epoch < paid else 0.0


def l1_norm(model: nn.Module) -> torch.Tensor:
    """‖θ‖₁ over all parameters, norms and biases included."""
    return torch.stack([parameter.abs().sum() for parameter in model.parameters()]).sum()
