"""CUTS with its rule for label noise: how far to go is what neighbours agree best at (arXiv:2511.18660)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.fine_tuning.task_arithmetic import CopiesParams, TaskArithmetic, Walk
from unlearn_core.methods.redirection.work import STEP, Setting
from unlearn_core.methods.shared import directions
from unlearn_core.methods.shared.neighbours import agreement
from unlearn_core.methods.shared.rounds import sample


class CutsNeighboursParams(CopiesParams):
    looked_at: int = Field(500, ge=20, le=5000, description="Retained examples, at most, whose neighbours are compared")


@register
class CutsNeighbours(TaskArithmetic[CutsNeighboursParams]):
    """θ = θ₀ − α·τ, τ = mean_s θ_s − θ₀, θ_s = argmin_θ CE_F(θ) from θ₀; α = argmax (SA(θ) − P(θ)) / (1 − P(θ)) − penalties.

    Symbols: s counts ``runs`` fine-tuned copies, ``epochs`` passes over F in batches of ``batch_size`` at ``rate`` times the
    rate of training. SA is the mean share of the k closest of ``looked_at`` retained examples, by the cosine of features, that
    are given the same label as the example itself, k half of what a class has among them if all are alike; P = Σ_c p̄_c², p̄ the
    mean of what is said of them. The penalties are the shares by which 1/P falls short of the number of classes, and of classes
    that are never predicted. Parameters of normalisation layers do not move.
    Given: The original, F with its given labels, and inputs of the retain set without their labels.
    Fails: The images that are compared were trained on, so that what was learned by heart and nobody unlearned keeps its
    neighbours apart at any strength. Where clean classes overlap, pushing them together looks like agreement.
    Source: arXiv:2511.18660 (its rule for label noise).
    Values: Published for pretrained networks and images that were not trained on: AdamW at 1e-4 for 60 passes, strengths from 0
    to 4 in steps of 0.05, until ten in a row are below the best. Here the training's own optimiser at a tenth of its rate,
    and the grid goes on to 8, because small networks need more. Penalties are published without their size.
    """

    name, label, paper = "cuts_neighbours", "CUTS, by neighbours", "arXiv:2511.18660"
    agree = False
    needs_retain = True
    looks = 1 + round(directions.MOST / directions.STEP)
    summary = (
        "Lets copies of the model learn the discovered corruption even better, and moves the model the opposite way, to where "
        "images that look alike to it are most often given the same label. "
        "It relies on wrong labels being what sets neighbours apart. "
        "It reads the forget set, and of the rest the images alone; it is meant for labels that are wrong without a rule."
    )
    designed_for = Region(regularity=(0.0, 0.5))
    published = {"": {"epochs": 60}}
    search_space = {"rate": [0.01, 0.02, 0.05, 0.1, 0.5], "epochs": [5, 20, 60]}

    @classmethod
    def expected_work(cls, params: CutsNeighboursParams, setting: Setting) -> float:
        looks = cls.looks * min(params.looked_at, setting.examples)
        return cls.cost + looks / (STEP * setting.recipe.epochs * setting.examples)

    def choose(self, task: UnlearningTask, path: Walk) -> tuple[float, dict[str, Any]]:
        ids = sample(task.retain, task.seed, self.p.looked_at)
        seen: dict[float, float] = {}

        def score(strength: float) -> float:
            seen[strength] = agreement(path.at(strength), task.data, ids)
            return seen[strength]

        chosen = directions.best_strength(score)
        return chosen, {"reached": chosen > 0, "agreement": {"before": seen[0.0], "after": seen[chosen]}}
