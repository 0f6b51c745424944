"""A plug-in in a single file: the last layer is drawn anew and trained on the retain set."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, UnlearningTask, register
from unlearn_core.training import Reporter, Trainer


class FreshHeadParams(MethodParams):
    epochs: int = Field(5, ge=1, le=200, description="Passes over the retain set")
    learning_rate: float = Field(0.02, gt=0, le=1, description="Highest learning rate")


@register
class FreshHead(Method[FreshHeadParams]):
    """min_θ CE_R(θ) from θ₀ with the last layer of a fresh network."""

    name, label, paper = "fresh_head", "Fresh head", "an example, unpublished"
    family = "fine-tuning"
    summary = "Draws the last layer anew and trains on everything but the discovered corruption. It relies on good features."
    published = None

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        model = task.original
        model.head.load_state_dict(task.fresh_model(task.seed + 1).head.state_dict())
        recipe = task.recipe.model_copy(update={"epochs": self.p.epochs, "learning_rate": self.p.learning_rate})
        return Trainer(model, task.data, recipe, task.seed + 2, reporter).fit(task.retain)
