"""Data-model matching: fine-tune towards outputs as they are predicted to be without the forget set (arXiv:2410.23232)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, Region, UnlearningTask, register
from unlearn_core.methods.distillation.matching import MatchingParams, draw_examples, match
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.rounds import Rounds, training_anew
from unlearn_core.methods.shared.sgd import count_batches, phases
from unlearn_core.training import FreshTrainer, Reporter, predict
from unlearn_core.training.progress import StepProgress

_MATCHING = 0.1
"""What fine-tuning takes beside training from scratch."""


class DataModelParams(MatchingParams):
    splits: int = Field(1, ge=1, le=100, description="Random splits of the retain set; each takes four models on half of it")


@register
class DataModelMatching(Method[DataModelParams]):
    """min_θ E_{F ∪ R'} ‖f_θ(x) − t(x)‖² / C,  t(x) = f_{θ₀}(x) − β_F(x),  β_F(x) = mean_{h ∪ F} f(x) − mean_h f(x).

    Symbols: f are logits of C classes, h the halves of ``splits`` random splits of the retain set R; a model is trained from a
    random start on each half with all of F and one without F, so that every example was seen by as many of the first kind as of
    the second. R' are ``retained`` random examples of R for each of F, in their plain view. ``epochs`` passes with Adam at
    ``learning_rate`` in batches of ``batch_size``, with ``weight_decay``; the rate falls by a twentieth after each.
    Given: The original, F and R with their given labels.
    Fails: It costs more than retraining, which it only imitates: the undiscovered corruption is in every half. From half of the
    data other things are learned than from all; few models differ by chance where F changes little.
    Source: Georgiev et al. 2024, arXiv:2410.23232 (datamodel matching).
    Values: Published with the effect of every training example by itself, from thousands of models on random halves, whose sum
    over F is β_F. From few models that sum is noise, so F is one unit here, in or out as a whole. Passes, rate, batches and the
    three retained examples for each of F are published; digits and points have smaller batches and more passes.
    """

    name, label, paper = "data_model_matching", "Data-model matching", "arXiv:2410.23232"
    family = "distillation"
    summary = (
        "Trains models on halves of the rest with and without the discovered corruption, and fine-tunes the original to give "
        "the outputs that it would have by their difference. "
        "It relies on halves telling what the whole would. "
        "It takes longer than retraining, and is here to show how far predicted outputs can stand in for those of an oracle."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    presets = {
        "digits": {"batch_size": 64, "epochs": 20, "learning_rate": 1e-3},
        "points": {"batch_size": 64, "epochs": 40, "learning_rate": 1e-3},
    }
    search_space = {"learning_rate": [2e-4, 5e-4, 1e-3, 2e-3], "epochs": [5, 20, 50], "retained": [1.0, 3.0, 10.0]}

    @classmethod
    def expected_work(cls, params: DataModelParams, setting: Setting) -> float:
        return 2.0 * params.splits + _MATCHING

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, rounds, ids = self.p, Rounds(reporter, task), draw_examples(task, self.p)
        parts = [part for number in range(p.splits) for part in split(task, number)]
        epochs, size = task.recipe.epochs, task.recipe.batch_size
        trainings = [epochs * count_batches(len(taught), size) for taught, _ in parts]
        *works, matching = phases(rounds, *trainings, p.epochs * count_batches(len(ids), p.batch_size))
        said = []
        for number, ((taught, _), work) in enumerate(zip(parts, works, strict=True), 1):
            model, quiet = task.fresh_model(task.seed + number), StepProgress(work)
            settling = training_anew(quiet, model, task, taught)
            FreshTrainer(model, task.data, task.recipe, task.seed + number, settling).fit(taught)
            said.append(predict(model, task.data, ids))
        inside = torch.tensor([told for _, told in parts], device=task.device)
        targets = torch.zeros(len(task.data), task.data.classes, device=task.device)
        targets[ids] = predict(task.original, task.data, ids) - effect_of(torch.stack(said), inside)
        match(task, p, ids, targets, rounds, matching)
        return rounds.returned(task.original)


def split(task: UnlearningTask, number: int) -> list[tuple[torch.Tensor, bool]]:
    """What the four models of a split are trained on, and whether the forget set is among it."""
    generator = torch.Generator().manual_seed(task.seed + 500 + number)
    order = torch.randperm(len(task.retain), generator=generator).to(task.device)
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    kept = [task.retain[half.sort().values] for half in halves]
    return [(torch.cat([task.forget, half]), True) for half in kept] + [(half, False) for half in kept]


def effect_of(outputs: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """β (n, C): mean of the ``outputs`` (M, n, C) of models that were trained on something, ``inside`` bool (M,), less that of
    the others."""
    return outputs[inside].mean(0) - outputs[~inside].mean(0)
