"""Fine-tuning on the retain set (catastrophic forgetting)."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from unlearn_core.methods import MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.localised.saliency import Localise, Restriction, mask_steps, masks_for
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import count_batches, phases
from unlearn_core.training import Reporter, Trainer


class FinetuneParams(MethodParams):
    epochs: int = Field(10, ge=1, le=200, description="Passes over the retain set")
    learning_rate: float = Field(0.025, gt=0, le=1, description="Highest learning rate")
    localise: Localise = Field("none", description="Change only the parameters that are critical by this paper's rule")
    localise_share: float = Field(0.3, gt=0, le=1, description="Share of the parameters that may change")


@register
class Finetune(FittedMethod[FinetuneParams]):
    """min_θ CE_R(θ), from the original's θ₀.

    Symbols: R is the retain set; ``epochs`` passes over it with the recipe of training at ``learning_rate``. With
    ``localise`` only the ``localise_share`` of the parameters that DEL or SalUn call critical for F may change.
    Given: R with its given labels; F only to localise.
    Fails: A network that fits its wrong labels has no gradient that would make it give them up, and R holds the
    undiscovered ones.
    Source: Goel et al. 2022, arXiv:2201.06640 (catastrophic forgetting, CF with all layers).
    Values: The published program (arXiv:2402.14015, CF with all layers) makes 1,000 steps of 512 with CIFAR-10, which are
    10 passes over it; batch, warm-up and fall of the rate are those of training here as there. It returns the pass that is
    best on the test set, which is for measuring alone: here it is the last one.
    """

    name, label, paper = "finetune", "Fine-tune", "arXiv:2201.06640 (CF)"
    family = "fine-tuning"
    revision = 3  # giving up what was known by heart is not a fall
    needs_labels = False
    summary = (
        "Continues training on everything but the discovered corruption and hopes that it is forgotten. "
        "It relies on catastrophic forgetting. "
        "A model that has memorised wrong labels has no reason to give them up, and the undiscovered ones are rehearsed."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    presets = {"digits": {"learning_rate": 0.02}, "points": {"learning_rate": 0.002}}
    # Not above the rate of training (0.05 on digits): at twice that rate the old solution is thrown away and found anew, which
    # heals some and is another method (docs/results.md).
    search_space = {"learning_rate": [0.005, 0.01, 0.02, 0.05], "epochs": [5, 10, 20]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        recipe = task.recipe.model_copy(update={"epochs": p.epochs, "learning_rate": p.learning_rate})
        steps = recipe.epochs * count_batches(len(task.retain), recipe.batch_size)
        rounds = Rounds(reporter, task)
        masking, training = phases(rounds, mask_steps(task, p.localise), steps)
        masks = masks_for(model, task, masking, p.localise, p.localise_share)
        trainer = Trainer(model, task.data, recipe, task.seed + 1, training)
        if masks is not None:
            restriction = Restriction(model, masks)
            trainer.after_step = lambda: restriction.restore(trainer.optimizer)
        return rounds.returned(trainer.fit(task.retain))
