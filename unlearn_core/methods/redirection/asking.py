"""From nothing known to a forget set by looks: what to show a person next, and what the answers say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from unlearn_core.discovery import Judgement, ModelOutputs
from unlearn_core.discovery.activation import split_classes
from unlearn_core.discovery.groups import Doubt, find_groups, left_out_parts, suspect_groups
from unlearn_core.discovery.patches import SharedPatches, find_shared_patches, has_squares
from unlearn_core.discovery.questions import Answer, Card, Questions
from unlearn_core.discovery.watching import predict_left_out, watch_training
from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.redirection.search import DiscoverParams, Discovery, discovery_steps, outputs
from unlearn_core.training import Reporter, SilentReporter
from unlearn_core.training.progress import ProgressBudget, RepeatProgress
from unlearn_core.tuning.held_out import with_forget_set

ENOUGH = 8
"""So many examples called wrong are enough for discovery to take over."""
GROWN = 1.5
"""Discovery looks again once so many times as many are known."""
FEW = 8.0
"""Discovery takes over when the next look is expected to find fewer than this: half a card."""
LAST = 2.0
"""So little is expected of the next look when discovery looks again, if anything was added since it did."""
DOUBTFUL = 0.05
"""Suspects that are less probable are not shown."""


def gather_evidence(task: UnlearningTask, reporter: Reporter) -> tuple[ModelOutputs, SharedPatches | None]:
    """What can be known without a known error: outputs of three networks, and shared patches. Two of them are trained here,
    with half of the recipe's epochs: one that is watched, and one without the groups that :func:`left_out_parts` names."""
    labels = task.data.labels
    logits, features = outputs(task.frozen_original(), task)
    nothing = torch.zeros(len(labels), dtype=torch.bool, device=task.device)
    history = watch_training(task, RepeatProgress(reporter, 0, 2))
    view = ModelOutputs(labels, nothing, logits, features, logits, features, history=history, inputs=task.data.inputs)
    patches = find_shared_patches(task.data.inputs, labels) if has_squares(task.data.inputs) else None
    parts = left_out_parts(split_classes(view, features), patches, labels)
    apart = predict_left_out(task, parts, RepeatProgress(reporter, 1, 2), short=True)
    watched = history.float().softmax(2).mean(0)
    apart = torch.where(apart.isnan(), watched, apart)
    given = labels[None].expand(len(history), -1)
    learning = F.cross_entropy(history.float().flatten(0, 1), given.flatten(), reduction="none").view_as(given).mean(0)
    return dataclasses.replace(view, apart=apart, learning=learning), patches


def _doubt(view: ModelOutputs) -> Doubt:
    assert view.apart is not None
    assert view.history is not None
    given = view.labels[:, None]
    watched = view.history.float().softmax(2).mean(0)
    apart, seen = ((1 - p.gather(1, given)[:, 0]).double().cpu().numpy() for p in (view.apart, watched))
    return Doubt(apart, seen, view.apart.argmax(1).cpu().numpy())


@dataclass(frozen=True)
class Rest:
    """How many corrupted examples are expected outside of what was called wrong, with an interval of 90 %."""

    expected: float
    low: float
    high: float


class Looks:
    """Asks for looks, takes answers, and lets discovery take over once enough is known.

    ``params``: those of ``rem_discover`` on this kind of data. Nothing here knows which labels are right.
    """

    def __init__(self, task: UnlearningTask, params: DiscoverParams, reporter: Reporter | None = None) -> None:
        self.task, self.params = task, params
        self.view, self.patches = gather_evidence(task, reporter or SilentReporter())
        self.ask_anew()

    def ask_anew(self) -> None:
        """Forget all answers; nothing is trained again."""
        doubt = _doubt(self.view)
        self.says = doubt.says
        splits = split_classes(self.view, self.view.original_features)
        self.questions = Questions(find_groups(self.view, splits, self.patches, doubt), doubt.watched, doubt.apart)
        self.judgement: Judgement | None = None
        self.known_then = 0
        """How many were known when discovery looked last."""

    def next(self, count: int = 1, reporter: Reporter | None = None) -> list[Card]:
        """The cards to show now, the most useful first; none where no further look is worth it."""
        if self._is_due():
            self.discover(reporter or SilentReporter())
        return self.questions.next(count)

    def answer(self, card: Card, answer: Answer, marked: Sequence[int] | None = None) -> None:
        """Take a person's answer to a card; see :meth:`Questions.answer`."""
        self.questions.answer(card, answer, marked)

    @property
    def forget(self) -> torch.Tensor:
        """What is called wrong, int64 (n,), ascending."""
        return torch.from_numpy(self.questions.wrong()).to(self.task.device)

    def _is_due(self) -> bool:
        known, find = len(self.questions.wrong()), self.questions.expected_find()
        if known < ENOUGH:
            return False
        # Before it is said that nothing more shows, discovery has another look, even if little was added.
        return (known >= GROWN * self.known_then and find < FEW) or (known > self.known_then and find < LAST)

    def discover(self, reporter: Reporter) -> None:
        """One round of REM with each part of what is known held out; its suspects become the next groups."""
        forget = self.forget
        self.known_then = len(forget)
        params = self.params.model_copy(update={"rounds": 1})
        task = with_forget_set(self.task, forget)
        budget = ProgressBudget(reporter, discovery_steps(params, task))
        judgement = Discovery(params, task, budget, learning=self.view.learning).run().judgement
        if judgement.state != "judged":
            return
        self.judgement = judgement
        self.questions.drop_open()
        probability = judgement.probability.copy()
        groups = suspect_groups(self.view.labels.cpu().numpy(), self.says, self._open(probability), DOUBTFUL)
        self.questions.learn(groups, probability)

    def _open(self, probability: np.ndarray) -> np.ndarray:
        """The probabilities (N,) of what no card has shown yet, NaN elsewhere."""
        return np.where(self.questions.seen(), np.nan, probability)

    @property
    def rest(self) -> Rest:
        """What is expected outside of what was called wrong."""
        middle, low, high = self.questions.unseen()
        if self.judgement is None:
            return Rest(middle, low, high)
        # Discovery speaks of what resembles the known, the groups that are left of everything else as well.
        since = len(self.questions.wrong()) - self.known_then
        like, least, most = (max(0.0, value - since) for value in self.judgement.undiscovered)
        return Rest(max(middle, like), min(low, least), max(high, most))

    @property
    def sentence(self) -> str:
        """How it stands, in one or two sentences."""
        found, looks, left = len(self.questions.wrong()), self.questions.looks, self.questions.expected_find()
        if not looks:
            return "Nothing was looked at yet."
        if left >= self.questions.worth:
            more = f"About {self.rest.expected:.0f} more are expected ({self.rest.low:.0f} to {self.rest.high:.0f})."
            return f"{found} wrong after {_count(looks)}. {more} Another look would find about {left:.0f}."
        if found:
            return f"{found} wrong after {_count(looks)}. Another look would find about {left:.1f}: that is all that shows."
        return f"The data look clean: {_count(looks)} found nothing wrong, and another would find about {left:.1f}."


def _count(looks: int) -> str:
    return "1 look" if looks == 1 else f"{looks} looks"
