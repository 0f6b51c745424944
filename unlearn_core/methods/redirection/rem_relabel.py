"""REM, and then the right labels of the forget set."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.redirection.params import RemParams, total_steps
from unlearn_core.methods.redirection.rem import Redirection, RedirectionMethod
from unlearn_core.methods.shared.right_labels import fit_labels, relabelled
from unlearn_core.methods.shared.sgd import phases
from unlearn_core.training import Reporter


class RemRelabelParams(RemParams):
    """REM's parameters, and those of the phase that follows."""

    relabel_rate: float = Field(0.02, gt=0, le=1, description="Learning rate of the last phase, as a share of that of training")
    relabel_steps: int = Field(60, ge=1, le=10_000, description="Steps of the last phase at most")
    relabel_batch: int = Field(64, ge=1, le=8192, description="Examples in a step of the last phase")
    relabel_loss: float = Field(0.05, gt=0, le=5, description="Largest loss of a batch that counts as fitted")


@register
class RemRelabel(RedirectionMethod[RemRelabelParams]):
    """θ ← REM(θ₀), then min_θ CE_F(θ; y*) until CE_F(θ; y*) ≤ ε; y* are the right labels.

    Symbols: ε is ``relabel_loss``, of every batch of a pass; at most ``relabel_steps`` steps of ``relabel_batch`` at
    ``relabel_rate`` times the rate of training, in eval mode, without weight decay, redirect off. The rest are REM's.
    Given: What REM is given, and right labels of F. The last phase does not read D∖F, which holds the undiscovered corruption
    and would teach it again.
    Fails: Where REM fails; and F heals because it is fitted, so that rivals are to be compared by what was not discovered.
    Source: This project, after arXiv:2505.17730.
    Values: REM's; the last phase is as gentle as it can be: a fiftieth of the rate of training, and a stop as soon as F fits.
    """

    name, label, paper = "rem_relabel", "REM + right labels", "after arXiv:2505.17730"
    summary = (
        "Runs REM, and then teaches it the right labels of the forget set, with a few gentle steps that read nothing else. "
        "It relies on a person who knows the right labels. "
        "What REM had pushed out without putting anything in its place comes back right, and nothing is taught again."
    )
    designed_for = Region()
    needs_right_labels = True
    redirection = Redirection
    search_space = {}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        corrected, labels = relabelled(task)
        p, steps = self.p, total_steps(self.p, len(task.forget) + len(task.retain))
        redirecting, correcting = phases(reporter, steps, self.p.relabel_steps)
        model = super().unlearn(task, redirecting)
        fit_labels(
            model,
            task,
            correcting,
            labels,
            corrected,
            rate=p.relabel_rate * task.recipe.learning_rate,
            batch_size=p.relabel_batch,
            enough=p.relabel_loss,
            steps=p.relabel_steps,
        )
        reporter.snapshot(model)
        return model
