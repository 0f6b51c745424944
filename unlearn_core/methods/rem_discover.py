"""REM that finds the rest of the corruption by itself, then unlearns all of it."""

from __future__ import annotations

import torch
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods._discovering import DiscoverParams, Discovery, discovery_steps
from unlearn_core.methods._held_out import told
from unlearn_core.methods._tuning import Plan, TunedMethod, agreed_rem, agreed_steps
from unlearn_core.training import Reporter


@register
class RemDiscover(TunedMethod):
    name, label, paper = "rem_discover", "REM + discovery", "after arXiv:2505.17730"
    summary = (
        "Runs REM several times, each time without telling it of another part of the known corruption, and learns from the "
        "hidden parts which signals give corruption away. Suspects that are probably corrupted join the forget set, round "
        "after round, until nothing more passes the precision target. The last REM unlearns all of them: of a few variants the "
        "one that agrees most with the runs before it."
    )
    designed_for = Region()
    Params = DiscoverParams

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        discovering = discovery_steps(self.p, task)
        plan = Plan(reporter, discovering + agreed_steps(self.p, len(task.data)))
        found = Discovery(self.p, task, plan).run()
        plan.used = discovering
        whole = told(task, torch.cat([task.forget, found.added]))
        model, tuning = agreed_rem(self.p, whole, found.consensus, plan)
        model.report = {"discovery": found.report(), "tuning": tuning}  # type: ignore[assignment]
        model.report_arrays = found.arrays(model, task)  # type: ignore[assignment]
        return model
