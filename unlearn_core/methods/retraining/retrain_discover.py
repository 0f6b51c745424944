"""Retraining without everything that discovery finds."""

from __future__ import annotations

import math

import torch
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.redirection.search import DiscoverParams, Discovery, DiscoveryMethod, discovery_steps, search_work
from unlearn_core.methods.redirection.self_tuning import training_pace
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.rounds import add_report, training_anew
from unlearn_core.methods.shared.sgd import count_batches
from unlearn_core.training import FreshTrainer, Reporter
from unlearn_core.training.progress import ProgressBudget
from unlearn_core.tuning.held_out import with_forget_set


@register
class RetrainDiscover(DiscoveryMethod[DiscoverParams]):
    """θ = train(D ∖ (F ∪ A ∪ E)) from scratch: A are the suspects that a search such as ``rem_discover``'s adds to F, E
    those that it excludes because they are in doubt.

    Symbols: those of REM + discovery (``precision``, ``growth``, ``rounds``, ``folds``); the rest are of the REM runs that
    search.
    Given: the original, F, and D∖F with its labels as they are.
    Fails: where the search finds little: what is not found is learned again.
    Source: this project.
    """

    name, label, paper = "retrain_discover", "Retrain + discovery", "the twin of REM + discovery"
    family = "retraining"
    summary = (
        "Finds the rest of the corruption as REM + discovery does. Then it trains a new model on everything that is neither "
        "in the forget set nor was found nor is in doubt, so that what was found is gone for certain."
    )
    designed_for = Region()
    ranks = True
    revision = 8  # giving up what was known by heart is not a fall
    statistics = "of training"

    @classmethod
    def expected_work(cls, params: DiscoverParams, setting: Setting) -> float:
        return search_work(params, setting) + 1.0

    def search(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        training = task.recipe.epochs * count_batches(len(task.retain), task.recipe.batch_size)
        pace = training_pace(self.p, task)
        last = math.ceil(training * pace)
        budget = ProgressBudget(reporter, discovery_steps(self.p, task) + last)
        # Snapshots of the rounds are narrowed: a trajectory is of one network.
        found = Discovery(self.p, task, budget, keep_redirect=False).run()
        budget.used = budget.total - last
        whole = with_forget_set(task, torch.cat([task.forget, found.added]), excluded=found.excluded)
        fresh = task.fresh_model(task.seed + 1)
        progress = training_anew(budget.next(training, pace), fresh, whole, whole.retain)
        model = FreshTrainer(fresh, task.data, task.recipe, task.seed + 1, progress).fit(whole.retain)
        add_report(model, discovery=found.report())
        model.report_arrays = found.arrays(model, task)  # type: ignore[assignment]
        return model
