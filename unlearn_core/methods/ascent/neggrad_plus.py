"""NegGrad+: descend on the retain set and ascend a little on the forget set (Kurmanji et al. 2023, arXiv:2302.09880)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import Cycle, SgdParams, sgd_recipe, statistics_kept
from unlearn_core.training import Reporter, Trainer, cross_entropy


class NegGradPlusParams(SgdParams):
    batch_size: int = Field(128, ge=1, le=8192, description="Examples of the retain set, and of the forget set, in a step")
    weight_decay: float = Field(0.0, ge=0, le=0.1, description="Weight decay in every step")
    forget_weight: float = Field(0.01, gt=0, lt=1, description="Weight of the raised loss; the lowered one has the rest")


@register
class NegGradPlus(FittedMethod[NegGradPlusParams]):
    """min_θ (1 − ω)·CE_R(θ) − ω·CE_F(θ), a batch of R and one of F in every step.

    Symbols: R is the retain set, ω is ``forget_weight``; both batches have ``batch_size`` examples, and ``epochs`` are
    passes over R.
    Given: R and F with their given labels.
    Fails: −CE_F has no lower end: ω is a guess between no effect and a broken network. R holds the undiscovered corruption,
    which is rehearsed all the while.
    Source: Kurmanji et al. 2023, arXiv:2302.09880, where it is the baseline of SCRUB.
    Values: Weights (0.99 and 0.01), batches of 128 and no weight decay are those of DEL's program (arXiv:2412.02432); rate
    and passes, which it does not give for this method, are the field's usual frame. The first publication's own were not at
    hand.
    """

    name, label, paper = "neggrad_plus", "NegGrad+", "arXiv:2302.09880"
    family = "ascent"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Lowers the loss of everything but the discovered corruption and, in the same step, raises the loss of the forget set. "
        "It relies on a weight between the two that is enough to unlearn and not enough to break the network. "
        "The raised loss has no upper end, so a little too much wrecks the model, while undiscovered corruption is rehearsed."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    presets = {
        "digits": {"epochs": 6, "learning_rate": 0.01, "batch_size": 64, "forget_weight": 0.02},
        "points": {"epochs": 6, "learning_rate": 0.01, "batch_size": 64, "forget_weight": 0.02},
    }
    search_space = {
        "forget_weight": [0.01, 0.03, 0.1, 0.2],
        "learning_rate": [0.005, 0.01, 0.02, 0.05],
        "epochs": [2, 4, 6],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p = self.p
        recipe = sgd_recipe(task, p)
        generator = torch.Generator().manual_seed(task.seed + 2)
        forget = Cycle(task.forget, recipe.batch_size, generator)

        def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            # Two passes in train mode: each set is normalised by its own batch; the statistics are the retain set's.
            other = next(forget)
            with statistics_kept(model):
                raised = cross_entropy(model, task.data.batch(other, generator), task.data.labels[other], other)
            return (1 - p.forget_weight) * cross_entropy(model, x, y, ids) - p.forget_weight * raised

        rounds = Rounds(reporter, task)
        return rounds.returned(Trainer(task.original, task.data, recipe, task.seed + 1, rounds, loss).fit(task.retain))
