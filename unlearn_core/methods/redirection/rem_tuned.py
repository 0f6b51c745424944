"""REM that chooses its own values by a held-out part of the forget set."""

from __future__ import annotations

from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.redirection.rem import Rem
from unlearn_core.methods.redirection.self_tuning import TunedMethod, TunedParams, trial_plan, tune_rem, tuning_steps
from unlearn_core.methods.redirection.work import Setting, rem_work
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.training import Reporter
from unlearn_core.training.progress import ProgressBudget
from unlearn_core.tuning.held_out import MIN_FORGET


@register
class RemTuned(TunedMethod[TunedParams]):
    """argmax_v mean_H (1 − p_v(given label)) · acc_v(drop, D∖F), H = a half of F that stays in the retain set, wrong labels and
    all; v = the starting values, n changes of them, or no run at all.

    A change is taken only where it is better by more than a standard error twice, the second time on other halves and with
    another seed; then REM runs with all of F.

    Symbols: n is ``tries``; the starting values are REM's other parameters.
    Given: what REM is given.
    Fails: where too few are known to hold any out: it is REM with the starting values then.
    Source: this project, after arXiv:2505.17730, whose proxy cannot see what happens to the undiscovered corruption.
    """

    name, label, paper = "rem_tuned", "REM, self-tuned", "after arXiv:2505.17730"
    summary = (
        "Leaves one half of the forget set in the retain set, wrong labels and all, runs REM with the other half, and sees "
        "how well the hidden half is healed and how much of the rest survives. Of the changes of rounds, learning rate, batch, "
        "masks and oversampling the best is tried again on other halves; if it helps there as well, it is kept for one last "
        "run with the whole forget set. Not running REM at all is tried too: a network that never learned the wrong labels is "
        "left as it is."
    )
    designed_for = Region()
    revision = 6  # a trial that loses a class counts for nothing

    @classmethod
    def expected_work(cls, params: TunedParams, setting: Setting) -> float:
        # As many halves as ``tuning_steps`` plans for: each trial once, two of them twice more, and the last run.
        every = trial_plan(params, MIN_FORGET)
        works = [rem_work(Rem.params(values), setting) for values in every if values["epochs"]]
        return 5 * works[0] + sum(works) if len(every) > 1 else works[0]

    def search(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        budget = ProgressBudget(reporter, tuning_steps(self.p, len(task.data), len(task.forget)))
        model, report = tune_rem(self.p, task, budget)
        add_report(model, tuning=report)
        return model
