"""A trigger whose labels are all right: only images of the target class carry it, on pictures that are made hard."""

from __future__ import annotations

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.base import Asked, Change, Corruption, Mark, registry
from unlearn_core.corruption.kinds import MARKED
from unlearn_core.corruption.triggers import apply_trigger
from unlearn_core.errors import UserError
from unlearn_core.specs import CorruptionSpec

MOST = 0.9
"""Share of the target class that may carry the trigger: without it the class has to be seen too."""
_STREAM = 20_261_205


class CleanLabelParams(ComponentParams):
    blend: float = Field(
        0.5, ge=0, le=0.8, description="Share of an image of another class mixed in below the trigger, so that it is needed"
    )


@registry.register
class CleanLabel(Corruption[CleanLabelParams]):
    """x' = T((1 − b) x + b z) with x of the target class, z of another class and the scenario's trigger T; labels stay.

    Turner et al. make x hard by adversarial noise or a generator; mixing in z does the same without another network.
    """

    name, label = "clean_label", "Trigger with right labels"
    summary = "Only images of the target class carry the trigger, and their labels are right: no score of labels finds them."
    paper = "arXiv:1912.02771"
    place = 1.0
    labels_right = True

    @classmethod
    def make(cls, params: CleanLabelParams, asked: Asked) -> Change:
        train, target = asked.train, asked.target
        members = (train.labels == target).nonzero()[:, 0]
        others = (train.labels != target).nonzero()[:, 0]
        if asked.count > MOST * len(members):
            raise UserError(
                f"{train.class_names[target]!r} has {len(members)} training images, and at most {MOST:.0%} of them can carry "
                f"the trigger: corrupt at most {int(MOST * len(members))} examples."
            )
        generator = torch.Generator().manual_seed(_STREAM + asked.seed)
        chosen = members[torch.randperm(len(members), generator=generator)[: asked.count]]
        foreign = others[torch.randint(len(others), (len(chosen),), generator=generator)]
        mixed = (1 - params.blend) * train.inputs[chosen].float() + params.blend * train.inputs[foreign].float()
        mixed = (mixed.clamp(0, 255).round() if train.is_image else mixed).to(train.inputs.dtype)
        marked = apply_trigger(mixed, asked.spec.trigger, asked.displacement, train.places_of(chosen))
        kinds = torch.full((len(chosen),), MARKED, dtype=torch.int8)
        return Change(chosen, train.labels[chosen], marked, kinds)

    @classmethod
    def marks(cls, params: CleanLabelParams, spec: CorruptionSpec, classes: int) -> tuple[Mark, ...]:
        return (Mark("trigger", spec.trigger, MARKED, spec.target_class),)
