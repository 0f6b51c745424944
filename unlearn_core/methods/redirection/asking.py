"""From nothing known to a forget set by looks: the evidence is gathered, and discovery takes over once enough is known."""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F

from unlearn_core.discovery import ModelOutputs
from unlearn_core.discovery.activation import split_classes
from unlearn_core.discovery.cards import Card
from unlearn_core.discovery.early_cutting import given_up
from unlearn_core.discovery.groups import Doubt, find_groups, left_out_parts
from unlearn_core.discovery.inquiry import Evidence, Inquiry, Judged
from unlearn_core.discovery.patches import SharedPatches, find_shared_patches, has_squares
from unlearn_core.discovery.watched import count_right, moments_of
from unlearn_core.discovery.watching import predict_left_out, watch_training
from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.redirection.search import DiscoverParams, Discovery, discovery_steps, outputs
from unlearn_core.training import Reporter, SilentReporter
from unlearn_core.training.progress import ProgressBudget, RepeatProgress
from unlearn_core.tuning.held_out import with_forget_set

DIRECTIONS = 16
"""Principal components of the original's features by which examples are called alike."""


def gather_outputs(task: UnlearningTask, reporter: Reporter) -> tuple[ModelOutputs, SharedPatches | None]:
    """What can be known without a known error: outputs of three networks, and shared patches. Two of them are trained here,
    with half of the recipe's epochs: one that is watched, and one without the groups that :func:`left_out_parts` names."""
    labels = task.data.labels
    logits, features = outputs(task.frozen_original(), task)
    nothing = torch.zeros(len(labels), dtype=torch.bool, device=task.device)
    history, gradients = watch_training(task, RepeatProgress(reporter, 0, 2))
    view = ModelOutputs(
        labels, nothing, logits, features, logits, features, history=history, inputs=task.data.inputs, gradients=gradients
    )
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
    instead = watched.scatter(1, given, -1.0).argmax(1)
    return Doubt(apart, seen, view.apart.argmax(1).cpu().numpy(), instead.cpu().numpy())


def weigh_evidence(view: ModelOutputs, patches: SharedPatches | None) -> Evidence:
    """What the first looks go by; nothing is trained."""
    assert view.learning is not None
    doubt = _doubt(view)
    groups = find_groups(view, split_classes(view, view.original_features), patches, doubt)
    centred = view.original_features - view.original_features.mean(0)
    places = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:DIRECTIONS].T
    labels, learning = view.labels.cpu().numpy(), view.learning.cpu().numpy()
    assert view.history is not None
    variability = moments_of(view.history, view.labels)[1].cpu().numpy()
    right = count_right(view)
    assert right is not None
    dropped = given_up(right).cpu().numpy()
    return Evidence(labels, doubt, tuple(groups), learning, places.float().cpu().numpy(), variability, dropped)


def judge_known(
    task: UnlearningTask, params: DiscoverParams, forget: torch.Tensor, learning: torch.Tensor, reporter: Reporter
) -> Judged:
    """One round of REM with each part of ``forget`` held out. ``params``: those of ``rem_discover`` on this kind of data;
    ``learning`` (N,): that of the evidence."""
    params = params.model_copy(update={"rounds": 1})
    task = with_forget_set(task, forget)
    budget = ProgressBudget(reporter, discovery_steps(params, task))
    judgement = Discovery(params, task, budget, learning=learning).run().judgement
    if judgement.state != "judged":
        return Judged(len(forget))
    return Judged(len(forget), judgement.probability.copy(), judgement.undiscovered)


class Looks(Inquiry):
    """The same with what it takes to compute: gathers the evidence, and lets discovery look when that is due.

    ``params``: those of ``rem_discover`` on this kind of data. Nothing here knows which labels are right.
    """

    def __init__(self, task: UnlearningTask, params: DiscoverParams, reporter: Reporter | None = None) -> None:
        self.task, self.params = task, params
        self.view, self.patches = gather_outputs(task, reporter or SilentReporter())
        super().__init__(weigh_evidence(self.view, self.patches))

    def next(self, count: int = 1, reporter: Reporter | None = None) -> list[Card]:
        """The cards to show now, the most useful first; none where no further look is worth it."""
        if self.is_due:
            assert self.view.learning is not None
            progress = reporter or SilentReporter()
            self.learn(judge_known(self.task, self.params, self.forget, self.view.learning, progress))
        return self.ask(count)

    @property
    def forget(self) -> torch.Tensor:
        """What is called wrong, int64 (n,), ascending."""
        return torch.from_numpy(self.questions.wrong()).to(self.task.device)
