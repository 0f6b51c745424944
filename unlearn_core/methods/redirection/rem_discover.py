"""REM that finds the rest of the corruption by itself, then unlearns all of it."""

from __future__ import annotations

from typing import Any

from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.redirection.search import DiscoverParams, Discovery, discovery_steps, final_rem, search_work
from unlearn_core.methods.redirection.self_tuning import Plan, TunedMethod, rem_values, steps_of
from unlearn_core.methods.redirection.work import Setting, rem_work
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.training import Reporter


@register
class RemDiscover(TunedMethod[DiscoverParams]):
    name, label, paper = "rem_discover", "REM + discovery", "after arXiv:2505.17730"
    summary = (
        "Runs REM several times, each time without telling it of another part of the known corruption, and watches one short "
        "training run from scratch. From the hidden parts it learns which signals give corruption away. Suspects that are "
        "probably corrupted join the forget set, round after round, until nothing more passes the precision target. A last "
        "REM unlearns all of them, and learns nothing from what is still in doubt. A network that never learned the wrong "
        "labels is left as it is."
    )
    designed_for = Region()
    revision = 8  # giving up what was known by heart is not a fall

    @classmethod
    def expected_work(cls, params: Any, setting: Setting) -> float:
        return search_work(params, setting) + rem_work(params, setting)

    def search(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        last = steps_of(rem_values(self.p), len(task.data))
        plan = Plan(reporter, discovery_steps(self.p, task) + last)
        found = Discovery(self.p, task, plan).run()
        plan.used = plan.total - last
        model, tuning = final_rem(self.p, task, found, plan.next(last))
        add_report(model, discovery=found.report(), tuning=tuning)
        model.report_arrays = found.arrays(model, task)  # type: ignore[assignment]
        return model
