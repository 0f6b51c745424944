"""Retraining without everything that discovery finds."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.redirection.search import DiscoverParams, Discovery, discovery_steps, search_work
from unlearn_core.methods.redirection.self_tuning import Plan, TunedMethod, training_pace
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.rounds import add_report, training_anew
from unlearn_core.methods.shared.sgd import count_batches
from unlearn_core.training import Reporter, Trainer
from unlearn_core.tuning.held_out import with_forget_set


@register
class RetrainDiscover(TunedMethod[DiscoverParams]):
    name, label, paper = "retrain_discover", "Retrain + discovery", "the twin of REM + discovery"
    family = "retraining"  # type: ignore[assignment]
    summary = (
        "Finds the rest of the corruption as REM + discovery does. Then it trains a new model on everything that is neither "
        "in the forget set nor was found nor is in doubt, so that what was found is gone for certain."
    )
    designed_for = Region()
    revision = 8  # giving up what was known by heart is not a fall
    statistics = "of training"

    @classmethod
    def expected_work(cls, params: Any, setting: Setting) -> float:
        return search_work(params, setting) + 1.0

    def search(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        training = task.recipe.epochs * count_batches(len(task.retain), task.recipe.batch_size)
        pace = training_pace(self.p, task)
        last = math.ceil(training * pace)
        plan = Plan(reporter, discovery_steps(self.p, task) + last)
        # Snapshots of the rounds are narrowed: a trajectory is of one network.
        found = Discovery(self.p, task, plan, keep_redirect=False).run()
        plan.used = plan.total - last
        whole = with_forget_set(task, torch.cat([task.forget, found.added]), doubted=found.doubted)
        fresh = task.fresh_model(task.seed + 1)
        work = training_anew(plan.next(training, pace), fresh, whole, whole.retain)
        model = Trainer(fresh, task.data, task.recipe, task.seed + 1, work).fit(whole.retain)
        add_report(model, discovery=found.report())
        model.report_arrays = found.arrays(model, task)  # type: ignore[assignment]
        return model
