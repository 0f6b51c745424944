"""What comes back: an unlearned model trained further, as its user would, and how high the way back to the original is.

The protocol is that of arXiv:2505.22310: from the unlearned model on with the recipe of training at :data:`RATE` of its
learning rate, batch norm in train mode as in training, and after every epoch a look at all data. The rate stays what it is,
without warm-up or fall, so that the course of ten epochs holds the course of three.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.evaluation.scenario_data import ScenarioData
from unlearn_core.specs import Scenario
from unlearn_core.training import Reporter, Trainer

RATE = 0.1
"""Share of the learning rate of training at which training goes on."""
EPOCHS, MOST_EPOCHS = 10, 100
SHOWN = (1, 5, 10, 50)
"""How many examples of the forget set are shown again."""

Left = Literal["left", "retain", "clean"]
LEFT: tuple[Left, ...] = get_args(Left)
_STREAM = 20_270_114

Look = Callable[[int, nn.Module], None]
"""(epochs done, the model as it is then); the first look is at 0, before any step."""


@dataclass(frozen=True)
class Course:
    """What the unlearned model is trained on, and for how long.

    ``data``: "left", D without F and without what the run itself found or doubts, which its user would leave out too;
    "retain", D without F alone; "clean", D without all of C, which nobody has: it tells what was taught again from what was
    hidden. ``shown``: examples of F that come back into the data. ``rate``: share of the learning rate of training.
    """

    data: Left = "left"
    shown: int = 0
    epochs: int = EPOCHS
    rate: float = RATE

    def __post_init__(self) -> None:
        if self.data not in LEFT:
            raise UserError(f"A model can be trained further on {', '.join(LEFT)} (got {self.data!r}).")
        if not 1 <= self.epochs <= MOST_EPOCHS:
            raise UserError(f"Training can go on for 1 to {MOST_EPOCHS} epochs (got {self.epochs}).")
        if not 0 < self.rate <= 1:
            raise UserError(f"The learning rate must be above 0 and at most that of training, 1 (got {self.rate:g}).")
        if self.shown < 0:
            raise UserError(f"At least 0 examples can be shown again (got {self.shown}).")

    @property
    def knows_truth(self) -> bool:
        """Whether choosing its data takes the ground truth."""
        return self.data == "clean"


def too_many_shown(known: int) -> str:
    """What is said where more of a forget set of ``known`` examples were to be shown again than leave one to look at."""
    return f"Of the {known} examples of the forget set at most {max(0, known - 1)} can be shown again."


def shown_again(forget: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """``count`` members of F (int64, sorted), nested: the one that is shown alone is among the five.

    Raises :class:`UserError` where none of F would be left, of which it could be seen whether it comes back.
    """
    if count and count >= len(forget):
        raise UserError(too_many_shown(len(forget)))
    order = torch.randperm(len(forget), generator=torch.Generator().manual_seed(_STREAM + seed))
    return forget[order[:count]].sort().values


def examples_of(
    course: Course, scenario: Scenario, data: ScenarioData, found: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Training indices of ``course``, and the members of F that are not among them: int64, sorted, on the CPU.

    ``found``: int64, what the run itself found or doubts outside F. The ground truth is read where :attr:`Course.knows_truth`
    says so, and for F, whose examples the user knows.
    """
    truth = data.corrupted.truth
    forget = truth.forget_of(scenario)
    shown = shown_again(forget, course.shown, scenario.seed)
    kept = torch.ones(len(data.train), dtype=torch.bool)
    kept[forget] = False
    if course.data == "left":
        kept[found] = False
    elif course.knows_truth:
        kept[truth.corrupted] = False
    kept[shown] = True
    return kept.nonzero()[:, 0], forget[~torch.isin(forget, shown)]


class _Looking:
    """A reporter that looks at the model after each epoch."""

    def __init__(self, reporter: Reporter, look: Look) -> None:
        self.step, self.cancelled, self.look, self.epochs = reporter.step, reporter.cancelled, look, 0

    def snapshot(self, model: nn.Module) -> None:
        self.epochs += 1
        self.look(self.epochs, model)


def train_on(
    model: nn.Module, data: ScenarioData, scenario: Scenario, course: Course, ids: torch.Tensor, reporter: Reporter, look: Look
) -> nn.Module:
    """Train ``model`` itself further on ``ids`` with their given labels, and look at it before and after every epoch."""
    recipe = scenario.training
    changes = {"epochs": course.epochs, "learning_rate": course.rate * recipe.learning_rate, "warmup": 0.0, "final": 1.0}
    look(0, model.eval())
    trainer = Trainer(model, data.train, recipe.model_copy(update=changes), scenario.seed + 3, _Looking(reporter, look))
    return trainer.fit(ids.to(data.train.device))


def returned(course: Sequence[float]) -> float:
    """By how much a course ends above its start: of the fit of F to its given labels, what came back."""
    return course[-1] - course[0]


def area_under(course: Sequence[float]) -> float:
    """Area under a course at equal steps by the trapezoidal rule, divided by its length: its mean height."""
    if len(course) < 2:
        return course[0]
    return sum((a + b) / 2 for a, b in itertools.pairwise(course)) / (len(course) - 1)


def barrier_height(losses: Sequence[float], places: Sequence[float] | None = None) -> float:
    """max_t [ℓ(t) − ((1 − t) ℓ(0) + t ℓ(1))] along a straight way (Frankle et al. 2020, arXiv:1912.05671); at least 0.

    ``places``: where on the way, from 0 to 1, each loss was measured; equally spaced if left out.
    """
    steps = len(losses) - 1
    at = [k / steps for k in range(steps + 1)] if places is None else places
    return max(loss - ((1 - t) * losses[0] + t * losses[-1]) for t, loss in zip(at, losses, strict=True))
