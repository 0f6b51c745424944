"""Fine-tuning on all data with the right labels that are known, as they come or with a share of every batch of their own."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.right_labels import loss_on, relabelled
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import count_batches
from unlearn_core.training import Reporter, Trainer, batches


class RelabelFinetuneParams(MethodParams):
    epochs: int = Field(10, ge=1, le=200, description="Passes over the training data")
    learning_rate: float = Field(0.02, gt=0, le=1, description="Highest learning rate")
    share: float = Field(
        0.5, ge=0, le=0.9, description="Share of every batch that is drawn from the corrected examples; 0: as many as there are"
    )


@register
class RelabelFinetune(FittedMethod[RelabelFinetuneParams]):
    """min_θ (1 − s)·CE_R(θ) + s·CE_F(θ; y*), from the original's θ₀; y* are the right labels.

    Symbols: s is ``share``, by so many examples of F beside the recipe's batch of R; with 0 the corrected examples are shuffled
    among all others. ``epochs`` passes over R with the recipe of training at ``learning_rate``. Members of F without a right
    label are left out.
    Given: R with its given labels; of F the inputs and the right labels.
    Fails: The undiscovered corruption is in R and is rehearsed: what was corrected heals, what was not hardly does.
    Source: The baseline of label correction, which the updates of arXiv:2108.11577 have to beat.
    Values: No publication names any: a fifth of the rate of training, and every second example a corrected one, so that one
    hundredth of the data is not drowned by the rest.
    """

    name, label, paper = "relabel_finetune", "Fine-tune with right labels", "baseline of arXiv:2108.11577"
    family = "fine-tuning"
    published = None
    needs_labels = False
    needs_right_labels = True
    summary = (
        "Continues training on all data, with the labels of the forget set put right. "
        "It relies on a person who knows the right labels, and on the rest being right. "
        "What was corrected heals; the undiscovered corruption is rehearsed all the while."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    presets = {"digits": {"learning_rate": 0.01}, "points": {"learning_rate": 0.002}}
    search_space = {"learning_rate": [0.002, 0.005, 0.01, 0.02, 0.05], "epochs": [5, 10, 20], "share": [0.0, 0.25, 0.5]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        corrected, labels = relabelled(task)
        recipe = task.recipe.model_copy(update={"epochs": self.p.epochs, "learning_rate": self.p.learning_rate})
        extra = round(recipe.batch_size * self.p.share / (1 - self.p.share))
        ids = task.retain if extra else torch.cat([task.retain, corrected]).sort().values
        rounds = Rounds(reporter, task)
        trainer = Trainer(task.original, task.data, recipe, task.seed + 1, rounds, loss_on(labels))
        total, done = recipe.epochs * count_batches(len(ids), recipe.batch_size), 0
        for _ in range(recipe.epochs):
            trainer.model.train()
            for piece in batches(ids, recipe.batch_size, trainer.generator):
                trainer.set_rate(done, total)
                drawn = torch.randint(len(corrected), (extra,), generator=trainer.generator).to(corrected.device)
                trainer.step(torch.cat([piece, corrected[drawn]]))
                done += 1
                rounds.step(done, total)
            rounds.snapshot(trainer.model)
        return rounds.returned(trainer.model)
