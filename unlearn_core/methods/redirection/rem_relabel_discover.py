"""REM that finds the rest of the corruption, and is then taught the right labels of what a person knew."""

from __future__ import annotations

from torch import nn

from unlearn_core.methods import UnlearningTask, register
from unlearn_core.methods.redirection.rem_discover import DiscoveringRem
from unlearn_core.methods.redirection.rem_relabel import LastPhase, teach_right_labels
from unlearn_core.methods.redirection.search import DiscoverParams, discovery_steps
from unlearn_core.methods.redirection.self_tuning import rem_values, steps_of
from unlearn_core.methods.shared.right_labels import relabelled
from unlearn_core.methods.shared.sgd import phases
from unlearn_core.training import Reporter


class RelabelDiscoverParams(LastPhase, DiscoverParams):
    """Those of REM with discovery, and of the phase that follows."""


@register
class RemRelabelDiscover(DiscoveringRem[RelabelDiscoverParams]):
    """θ₁ = REM on F ∪ A with A as in REM + discovery; θ = θ₁ + a·(θ₂ − θ₁), θ₂ = argmin_θ CE_F(θ; y*) from θ₁ until CE_F ≤ ε.

    Symbols: π is ``precision``, by which A is chosen; a is ``relabel_share``; ε is ``relabel_loss``; y* are the right labels.
    The rest are those of REM + discovery and of REM + right labels.
    Given: What REM is given, and right labels of F. Nobody was asked about A: what it says of these is its own, and they are
    read neither in the repair nor in the last phase. ``discover`` and the page Forget set show them; those that a person
    corrects there belong to F in the next run.
    Fails: Where REM + discovery fails; and F heals because it is fitted, so that rivals are to be compared by what was not
    discovered.
    Source: This project, after arXiv:2505.17730.
    Values: Those of its two parts, as they are.
    """

    name, label, paper = "rem_relabel_discover", "REM + discovery + right labels", "after arXiv:2505.17730"
    summary = (
        "Finds the corruption that nobody discovered as REM + discovery does, unlearns all of it, and then learns the right "
        "labels of the forget set with a few gentle steps that read nothing else. "
        "It relies on a person who knows the right labels of what is known to be wrong."
    )
    needs_right_labels = True

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        relabelled(task)  # says at once where no right label is known
        last = steps_of(rem_values(self.p), len(task.data))
        searching, correcting = phases(reporter, discovery_steps(self.p, task) + last, self.p.relabel_steps)
        return teach_right_labels(super().unlearn(task, searching), task, self.p, correcting)
