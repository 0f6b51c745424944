"""Second choice: the forget set is relabelled by what the model thinks second, and the model is fine-tuned on that."""

from __future__ import annotations

import dataclasses

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, UnlearningTask, register
from unlearn_core.training import Reporter, Trainer, predict


class SecondChoiceParams(MethodParams):
    epochs: int = Field(5, ge=1, le=200, description="Passes over all training examples")
    learning_rate: float = Field(0.02, gt=0, le=1, description="Highest learning rate")


@register
class SecondChoice(Method[SecondChoiceParams]):
    """min_θ CE_D′(θ) from the original's θ₀, D′: on F the label y′ = argmax over k ≠ y of f_θ₀(x)_k, elsewhere the given one.

    Symbols: ``epochs`` passes over D′ with the recipe of training at ``learning_rate``.
    Given: F and the retain set, both with their given labels.
    Fails: where the second choice is wrong too, as after a trigger, and on what was not discovered.
    Source: this example.
    """

    name, label, paper = "second_choice", "Second choice", "an example, unpublished"
    family = "fine-tuning"
    summary = (
        "Gives every discovered example the label that the original thinks likeliest beside the given one, and fine-tunes. "
        "It relies on the network having an idea of the right class beneath the wrong one it was taught."
    )
    published = None
    presets = {"points": {"learning_rate": 0.005}}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        given = task.data.labels[task.forget]
        logits = predict(task.original, task.data, task.forget)
        labels = task.data.labels.clone()
        labels[task.forget] = logits.scatter(1, given[:, None], -torch.inf).argmax(1)
        data = dataclasses.replace(task.data, labels=labels)
        recipe = task.recipe.model_copy(update={"epochs": self.p.epochs, "learning_rate": self.p.learning_rate})
        return Trainer(task.original, data, recipe, task.seed + 1, reporter).fit(task.everything)
