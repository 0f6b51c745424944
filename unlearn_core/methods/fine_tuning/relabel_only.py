"""Fine-tuning on the corrected part of the forget set alone, until it fits."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.right_labels import fit_labels, relabelled
from unlearn_core.training import Reporter


class RelabelOnlyParams(MethodParams):
    rate: float = Field(0.1, gt=0, le=1, description="Learning rate, as a share of that of training")
    steps: int = Field(200, ge=1, le=10_000, description="Steps at most")
    batch_size: int = Field(64, ge=1, le=8192, description="Examples in a step")
    enough: float = Field(0.05, gt=0, le=5, description="Largest loss of a batch that counts as fitted")


@register
class RelabelOnly(Method[RelabelOnlyParams]):
    """min_θ CE_F(θ; y*), from the original's θ₀, until CE_F(θ; y*) ≤ ε; y* are the right labels.

    Symbols: ε is ``enough``, of every batch of a pass; at most ``steps`` steps of ``batch_size`` at ``rate`` times the rate of
    training, in eval mode, without weight decay. Members of F without a right label are left out.
    Given: Of F the inputs and the right labels. R is not read.
    Fails: A few images, repeated, also move what the network says of all others; nothing holds that in place.
    Source: The baseline of label correction, which the updates of arXiv:2108.11577 have to beat.
    Values: No publication names any: a tenth of the rate of training, and a stop as soon as F fits.
    """

    name, label, paper = "relabel_only", "Right labels alone", "baseline of arXiv:2108.11577"
    family = "fine-tuning"
    cost = 0.05
    published = None
    statistics = "kept"
    needs_labels = False
    needs_retain = False
    needs_right_labels = True
    summary = (
        "Fits the forget set's right labels and reads nothing else. "
        "It relies on a few steps reaching what the wrong labels share. "
        "It takes seconds and teaches no undiscovered corruption again, but it costs accuracy: nothing holds the rest in place."
    )
    designed_for = Region()
    search_space = {"rate": [0.01, 0.03, 0.1, 0.3], "steps": [60, 200], "enough": [0.02, 0.05, 0.2]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        corrected, labels = relabelled(task)
        rate = p.rate * task.recipe.learning_rate
        fit_labels(model, task, reporter, labels, corrected, rate=rate, batch_size=p.batch_size, enough=p.enough, steps=p.steps)
        reporter.snapshot(model)
        return model
