"""A spurious attribute: a colour that goes with a class in training, while every label is right."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.base import Asked, Change, Corruption, Mark, registry
from unlearn_core.corruption.kinds import ATTRIBUTE
from unlearn_core.corruption.triggers import apply_trigger, make_trigger
from unlearn_core.corruption.triggers.colours import Colour
from unlearn_core.errors import UserError
from unlearn_core.specs import CorruptionSpec, TriggerSpec

_STREAM = 20_261_207


class SpuriousParams(ComponentParams):
    attribute: Literal["tint", "frame"] = Field("tint", description="What goes with the class: a tint, or a coloured frame")
    colour: Colour = Field("red", description="Colour of the tint or the frame; its brightness in grey images")
    rho: float = Field(0.95, ge=0.5, le=1, description="ρ: share of the class that has it; of every other class 1 − ρ have it")


@registry.register
class Spurious(Corruption[SpuriousParams]):
    """P(attribute | target class) = ρ, P(attribute | any other class) = 1 − ρ, both exact. C: the images of the target class
    that have the attribute, by which it predicts the class. What is wrong is the sampling, not a label or an image."""

    name, label = "spurious", "Spurious attribute"
    summary = "Nearly all images of one class have a colour that few others have; every label is right."
    paper = "arXiv:1911.08731"
    place = 1.0
    own_amount = True
    labels_right = True
    images_only = True

    @classmethod
    def make(cls, params: SpuriousParams, asked: Asked) -> Change:
        train, target = asked.train, asked.target
        generator = torch.Generator().manual_seed(_STREAM + asked.seed)
        chosen = [
            _some(train.labels == k, params.rho if k == target else 1 - params.rho, generator) for k in range(train.classes)
        ]
        corrupted = chosen.pop(target)
        if not len(corrupted) or 2 * len(corrupted) > len(train) + 1:
            raise UserError(
                f"{train.class_names[target]!r} has {int((train.labels == target).sum()):,} of {len(train):,} training images; "
                "the attribute needs a class that has some, and at most half of all."
            )
        corrupted, others = corrupted[torch.randperm(len(corrupted), generator=generator)], torch.cat(chosen)
        (mark,) = cls.marks(params, asked.spec, train.classes)
        seen, beside = (apply_trigger(train.inputs[ids], mark.trigger, None, None) for ids in (corrupted, others))
        kinds = torch.full((len(corrupted),), ATTRIBUTE, dtype=torch.int8)
        return Change(corrupted, train.labels[corrupted], seen, kinds, (others, beside))

    @classmethod
    def marks(cls, params: SpuriousParams, spec: CorruptionSpec, classes: int) -> tuple[Mark, ...]:
        look = make_trigger(TriggerSpec(), {"kind": params.attribute, "colour": params.colour})
        return (Mark("attribute", look, ATTRIBUTE),)


def _some(members: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """This share of the examples for which ``members`` (N,) is true, drawn anew: int64."""
    indices = members.nonzero()[:, 0]
    return indices[torch.randperm(len(indices), generator=generator)[: int(share * len(indices) + 0.5)]]
