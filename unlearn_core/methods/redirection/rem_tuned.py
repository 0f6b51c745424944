"""REM that chooses its own knobs by a held-out part of the forget set."""

from __future__ import annotations

from typing import Any

from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.redirection.rem import Rem
from unlearn_core.methods.redirection.self_tuning import Plan, TunedMethod, TunedParams, trial_plan, tuned_rem, tuning_steps
from unlearn_core.methods.redirection.work import Setting, rem_work
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.training import Reporter
from unlearn_core.tuning.held_out import MIN_FORGET


@register
class RemTuned(TunedMethod[TunedParams]):
    name, label, paper = "rem_tuned", "REM, self-tuned", "after arXiv:2505.17730"
    summary = (
        "Leaves one half of the forget set in the retain set, wrong labels and all, runs REM with the other half, and sees "
        "how well the hidden half is healed and how much of the rest survives. Of the changes of rounds, learning rate, batch, "
        "masks and oversampling the best is tried again on other halves; if it helps there as well, it is kept for one last "
        "run with the whole forget set. Not running REM at all is tried too: a network that never learned the wrong labels is "
        "left as it is."
    )
    designed_for = Region()
    revision = 6  # a change that loses a whole class is never taken

    @classmethod
    def expected_work(cls, params: Any, setting: Setting) -> float:
        # As many halves as ``tuning_steps`` plans for: each trial once, two of them twice more, and the last run.
        every = trial_plan(params, setting.examples, MIN_FORGET)
        works = [rem_work(Rem.params(values), setting) for values in every if values["epochs"]]
        return 5 * works[0] + sum(works) if len(every) > 1 else works[0]

    def search(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        plan = Plan(reporter, tuning_steps(self.p, len(task.data), len(task.forget)))
        model, report = tuned_rem(self.p, task, plan)
        add_report(model, tuning=report)
        return model
