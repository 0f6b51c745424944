"""Fine-tuning on the retain set (catastrophic forgetting)."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.training import Reporter, Trainer


@register
class Finetune(Method):
    name, label, paper = "finetune", "Fine-tune", "arXiv:2201.06640 (CF)"
    family = "fine-tuning"
    summary = (
        "Continues training on everything but the discovered corruption and hopes that it is forgotten. "
        "A model that has memorised wrong labels has no reason to give them up, and the undiscovered ones are rehearsed."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    class Params(MethodParams):
        epochs: int = Field(10, ge=1, le=200, description="Passes over the retain set")
        learning_rate: float = Field(0.025, gt=0, le=1, description="Highest learning rate")

    presets = {"digits": {"learning_rate": 0.02}, "points": {"learning_rate": 0.002}}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        recipe = task.recipe.model_copy(update={"epochs": self.p.epochs, "learning_rate": self.p.learning_rate})
        return Trainer(task.original, task.data, recipe, task.seed + 1, reporter).fit(task.retain)
