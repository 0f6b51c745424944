"""Fine-tuning the forget set towards random labels, on all parameters or on the critical ones alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.localised.saliency import Localise, Restriction, mask_steps, masks_for
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import SgdParams, count_batches, phases, sgd_recipe, train_in_turn
from unlearn_core.training import Reporter, Trainer


def random_labels(given: torch.Tensor, classes: int, generator: torch.Generator, exclude: bool) -> torch.Tensor:
    """A uniformly random label (int64, as ``given``) for each example; with ``exclude`` never the given one."""
    draw = torch.randint(classes - exclude, (len(given),), generator=generator).to(given.device)
    return draw + (draw >= given) if exclude else draw


class RelabelParams(SgdParams):
    learning_rate: float = Field(0.013, gt=0, le=1, description="Constant learning rate")
    exclude_given: bool = Field(False, description="Never draw the label that the example was given")
    localise: Localise = Field("none", description="Change only the parameters that are critical by this paper's rule")
    localise_share: float = Field(0.5, gt=0, le=1, description="Share of the parameters that may change")


class Relabel(FittedMethod[RelabelParams]):
    """Base of random relabelling. Every epoch: F with labels drawn anew for each batch, then the retain set with its own.

    Train mode throughout, so F's batches are normalised by their own statistics, as in the reference; the epoch ends on the
    retain set, whose statistics are what inference normalises by.
    """

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        recipe = sgd_recipe(task, p)
        epoch = sum(count_batches(len(ids), recipe.batch_size) for ids in (task.forget, task.retain))
        rounds = Rounds(reporter, task)
        masking, training = phases(rounds, mask_steps(task, p.localise), recipe.epochs * epoch)
        masks = masks_for(model, task, masking, p.localise, p.localise_share)
        is_forget, draws = task.is_forget(), torch.Generator().manual_seed(task.seed + 2)

        def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            drawn = random_labels(y, task.data.classes, draws, p.exclude_given)
            return F.cross_entropy(model(x).float(), torch.where(is_forget[ids], drawn, y))

        trainer = Trainer(model, task.data, recipe, task.seed + 1, training, loss)
        if masks is not None:
            restriction = Restriction(model, masks)
            trainer.after_step = lambda: restriction.restore(trainer.optimizer)
        return rounds.returned(train_in_turn(trainer, [task.forget, task.retain], training))
