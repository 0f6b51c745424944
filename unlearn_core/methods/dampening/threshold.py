"""What SSD and LF-SSD share: a fixed threshold on the ratio of importances."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.dampening.dampening import Dampen, DampenParams, dampen
from unlearn_core.methods.dampening.importance import write
from unlearn_core.methods.shared.rounds import settled
from unlearn_core.training import Reporter


class ThresholdParams(DampenParams):
    threshold: float = Field(
        10.0,
        gt=0,
        le=1e6,
        description="α: dampen weights so many times as important for F. Goes with batch_size: both "
        "sets are in batches of one size here, which dampens far more than the published program's own batches, so thresholds "
        "from the literature don't carry over",
    )


class ThresholdDampen(Dampen[ThresholdParams]):
    """Dampen every parameter whose ratio exceeds a given threshold, by λ over the ratio."""

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        values, ratio, _ = self.ratios(task, reporter, extra=0)
        write(task.original, dampen(values, ratio, self.p.threshold, self.p.strength))
        return settled(task.original, task, reporter)
