"""SCRUB: drive the student away from the teacher on F, keep it close on the rest (Kurmanji et al. 2023, arXiv:2302.09880)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.distillation.teachers import StudentParams, Teacher, divergence
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import sgd_recipe
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import Loss, Reporter, Trainer, batches
from unlearn_core.training.cuda_graph import capturable


class ScrubParams(StudentParams):
    form: Literal["paper", "bench"] = Field(
        "paper", description="Paper: ascend the divergence alone. Bench (arXiv:2402.14015): ascend loss and divergence"
    )
    ascent_epochs: int = Field(2, ge=0, le=200, description="Paper's form: so many rounds begin with a pass of ascent over F")
    ascent_steps: int = Field(
        100, ge=0, le=100_000, description="Bench's form: rounds begin with ascent while fewer steps of any kind were made"
    )
    schedule: Literal["constant", "bench"] = Field(
        "constant", description="Bench: the rate rises over 1 % of the steps, then falls linearly to 0.2 of the highest"
    )
    alpha: float = Field(1.0, ge=0, le=100, description="Weight of the divergence on the retain set (bench: everywhere)")
    gamma: float = Field(5.0, ge=0, le=100, description="Paper's form: weight of the cross entropy on the retain set")
    temperature: float = Field(4.0, gt=0, le=100, description="Temperature of the divergence")


@register
class Scrub(FittedMethod[ScrubParams]):
    """max_θ KL_F(p_θ₀ ‖ p_θ), then min_θ α·KL_R(p_θ₀ ‖ p_θ) + γ·CE_R(θ), in turn.

    Symbols: KL has temperature T = ``temperature`` and the factor T²; α is ``alpha``, γ is ``gamma``. The first
    ``ascent_epochs`` of ``epochs`` rounds begin with the ascent. In the other ``form``, bench, the ascent is on CE + α·KL
    while fewer than ``ascent_steps`` steps were made, and γ is 1; its rate may rise and fall (``schedule``).
    Given: R with its given labels, the inputs of F (bench: its labels too); the original as the teacher.
    Fails: Everything is repaired from R, which holds the undiscovered corruption, and the teacher says the same of it.
    Source: Kurmanji et al. 2023, arXiv:2302.09880; the bench's form is arXiv:2402.14015's.
    Values: The values are those of JiT's program (arXiv:2402.01401) for random samples: three passes, two of them with
    ascent, rate 5e-4, weights 1 and 5, temperature 4. As arXiv:2402.14015 runs it: ``form`` and ``schedule`` bench, rate
    0.0025, batches of 512, 10 passes, ``ascent_steps`` 100, and ``alpha`` the best of eight by the test set.
    """

    name, label, paper = "scrub", "SCRUB", "arXiv:2302.09880"
    family = "distillation"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Alternates between pushing the model's answers on the forget set away from the original's and teaching it the "
        "rest again with the original as a guide. It relies on the retain set being clean, because that is what "
        "everything is repaired from. Undiscovered corruption sits in the retain set, so the repair teaches it anew."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    presets = {
        "digits": {"epochs": 6, "ascent_epochs": 4, "learning_rate": 0.01, "batch_size": 64},
        "points": {"epochs": 6, "ascent_epochs": 4, "learning_rate": 0.002, "batch_size": 64},
    }
    search_space = {
        "learning_rate": [0.002, 0.005, 0.01, 0.02, 0.04],
        "ascent_epochs": [1, 2, 4, 6],
        "alpha": [0.1, 1.0, 5.0],
        "form": ["paper", "bench"],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        teacher = Teacher(task.frozen_original(), task.data)
        work = Rounds(reporter, task)
        trainer = Trainer(model, task.data, self.recipe(task), task.seed + 1, work)
        ascent, descent = self.losses(teacher)
        sizes = [len(batches(ids, p.batch_size, torch.Generator())) for ids in (task.forget, task.retain)]
        rounds = self.rounds(*sizes)
        total, done = sum(sizes[0] * ascends + sizes[1] for ascends in rounds), 0
        for ascends in rounds:
            # The student is in train mode in both passes, as in the references: F is normalised by its own statistics.
            model.train()
            passes = [(ascent, task.forget), (descent, task.retain)] if ascends else [(descent, task.retain)]
            for trainer.loss, ids in passes:
                for piece in batches(ids, p.batch_size, trainer.generator):
                    trainer.set_rate(done, total)
                    trainer.step(piece)
                    done += 1
                    reporter.step(done, total)
            work.snapshot(model)
        return work.returned(model)

    def recipe(self, task: UnlearningTask) -> TrainingSpec:
        """SGD at a constant rate, or as arXiv:2402.14015 runs its form of SCRUB, which is another result: with the same batches
        and weights it agrees with the bench's program at a constant rate alone."""
        falling = {"warmup": 0.01, "final": 0.2} if self.p.schedule == "bench" else {}
        return sgd_recipe(task, self.p, **falling)

    def rounds(self, forget_steps: int, retain_steps: int) -> list[bool]:
        """For every round, whether it begins with a pass of ascent, given the steps of a pass over F and over the rest."""
        if self.p.form == "paper":
            return [k < self.p.ascent_epochs for k in range(self.p.epochs)]
        made, plan = 0, []
        for _ in range(self.p.epochs):
            plan.append(made < self.p.ascent_steps)
            made += forget_steps * plan[-1] + retain_steps
        return plan

    def losses(self, teacher: Teacher) -> tuple[Loss, Loss]:
        """What is minimised on F and on the retain set, as losses of the one training loop."""
        p = self.p

        def terms(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits = model(x).float()
            return F.cross_entropy(logits, y), divergence(logits, teacher(x, ids), p.temperature)

        @capturable
        def ascent(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            ce, kl = terms(model, x, y, ids)
            return -kl if p.form == "paper" else -(ce + p.alpha * kl)

        @capturable
        def descent(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            ce, kl = terms(model, x, y, ids)
            return (p.gamma if p.form == "paper" else 1.0) * ce + p.alpha * kl

        return ascent, descent
