"""Retraining without everything that discovery finds."""

from __future__ import annotations

import math

import torch
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods._discovering import DiscoverParams, Discovery, discovery_steps
from unlearn_core.methods._frame import count_batches
from unlearn_core.methods._held_out import told
from unlearn_core.methods._tuning import Plan, TunedMethod, training_pace
from unlearn_core.training import Reporter, Trainer


@register
class RetrainDiscover(TunedMethod):
    name, label, paper = "retrain_discover", "Retrain + discovery", "the twin of REM + discovery"
    family = "retraining"  # type: ignore[assignment]
    summary = (
        "Finds the rest of the corruption as REM + discovery does. Then it trains a new model on everything that is neither "
        "in the forget set nor was found nor is in doubt, so that what was found is gone for certain."
    )
    designed_for = Region()
    revision = 6  # how late a label is learned counts; nothing found, nothing left out of the last run
    Params = DiscoverParams

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        training = task.recipe.epochs * count_batches(len(task.retain), task.recipe.batch_size)
        pace = training_pace(self.p, task)
        last = math.ceil(training * pace)
        plan = Plan(reporter, discovery_steps(self.p, task) + last)
        # Snapshots of the rounds are narrowed: a trajectory is of one network.
        found = Discovery(self.p, task, plan, keep_redirect=False).run()
        plan.used = plan.total - last
        whole = told(task, torch.cat([task.forget, found.added]), doubted=found.doubted)
        trainer = Trainer(task.fresh_model(task.seed + 1), task.data, task.recipe, task.seed + 1, plan.next(training, pace))
        model = trainer.fit(whole.retain)
        model.report = {"discovery": found.report()}  # type: ignore[assignment]
        model.report_arrays = found.arrays(model, task)  # type: ignore[assignment]
        return model
