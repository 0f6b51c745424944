"""REM that finds the rest of the corruption by itself, then unlearns all of it."""

from __future__ import annotations

from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.redirection.search import (
    D,
    DiscoverParams,
    Discovery,
    DiscoveryMethod,
    discovery_steps,
    final_rem,
    search_work,
)
from unlearn_core.methods.redirection.self_tuning import rem_values, steps_of
from unlearn_core.methods.redirection.work import Setting, rem_work
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.training import Reporter
from unlearn_core.training.progress import ProgressBudget


class DiscoveringRem(DiscoveryMethod[D]):
    """REM on what a search found: the body of the methods that end with it."""

    designed_for = Region()
    ranks = True

    @classmethod
    def expected_work(cls, params: DiscoverParams, setting: Setting) -> float:
        return search_work(params, setting) + rem_work(params, setting)

    def search(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        last = steps_of(rem_values(self.p), len(task.data))
        budget = ProgressBudget(reporter, discovery_steps(self.p, task) + last)
        search = Discovery(self.p, task, budget)
        task, found = search.task, search.run()
        budget.used = budget.total - last
        model, tuning = final_rem(self.p, task, found, budget.next(last))
        add_report(model, discovery=found.report(), tuning=tuning)
        model.report_arrays = found.arrays(model, task)  # type: ignore[assignment]
        return model


@register
class RemDiscover(DiscoveringRem[DiscoverParams]):
    """REM on F ∪ A, A = the likeliest suspects outside F, as many as keep the mean of P(corrupted | scores) ≥ π.

    Each of at most ``rounds`` rounds cuts F ∪ A into ``folds`` parts and runs a short REM without each of them. From what these
    say of the part they were not told of, the scores are weighed and turned into P; A is then chosen anew. What is in doubt
    but not in A is left out of the last REM's repair.

    Symbols: π is ``precision``; A is at most ``growth`` times what was known before; ``budget_seconds`` bounds the search.
    Given: what REM is given.
    Fails: where too few are known to judge a ranking by, or where no score sets F apart: nothing is added then.
    Source: this project, after arXiv:2505.17730.
    """

    name, label, paper = "rem_discover", "REM + discovery", "after arXiv:2505.17730"
    summary = (
        "Runs REM several times, each time without telling it of another part of the known corruption, and watches one short "
        "training run from scratch. From the hidden parts it learns which signals give corruption away. Suspects that are "
        "probably corrupted join the forget set, round after round, until nothing more passes the precision target. A last "
        "REM unlearns all of them, and learns nothing from what is still in doubt. A network that never learned the wrong "
        "labels is left as it is."
    )
    revision = 8  # giving up what was known by heart is not a fall
