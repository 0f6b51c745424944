"""Several triggers at once, each with a target class of its own: does discovering one find the others?"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.base import Asked, Change, Corruption, Mark, registry
from unlearn_core.corruption.kinds import FIRST_TRIGGER, MOST_TRIGGERS
from unlearn_core.corruption.triggers import apply_trigger
from unlearn_core.errors import UserError
from unlearn_core.specs import Corner, CorruptionSpec, TriggerSpec

_STREAM = 20_261_206


class SeveralTriggersParams(ComponentParams):
    triggers: int = Field(2, ge=2, le=MOST_TRIGGERS, description="How many patches, each in a corner of its own")
    discovered: Literal["one after the other", "mixed"] = Field(
        "one after the other", description="Whether discovery begins with one trigger alone, or finds some of each"
    )


@registry.register
class SeveralTriggers(Corruption[SeveralTriggersParams]):
    """K patches in K corners; patch k asks for the class target + k. Each gets the same share of the amount."""

    name, label = "several_triggers", "Several triggers"
    summary = "Patches in several corners, each with its own target class; at a low discovery rate only the first is known."
    place = 1.0
    images_only = True

    @classmethod
    def make(cls, params: SeveralTriggersParams, asked: Asked) -> Change:
        train, marks = asked.train, cls.marks(params, asked.spec, asked.train.classes)
        if asked.target + 1 > train.classes or len(marks) > train.classes or asked.count < len(marks):
            raise UserError(
                f"{len(marks)} triggers need as many classes and as many corrupted examples, but there are {train.classes} "
                f"classes and {asked.count} examples."
            )
        generator = torch.Generator().manual_seed(_STREAM + asked.seed)
        chosen = torch.randperm(len(train), generator=generator)[: asked.count]
        which = torch.arange(asked.count) % len(marks)
        if params.discovered == "one after the other":
            which = which.sort(stable=True).values
        inputs = train.inputs[chosen]
        for k, mark in enumerate(marks):
            mine = which == k
            inputs[mine] = apply_trigger(inputs[mine], mark.trigger, None, train.places_of(chosen[mine]))
        labels = torch.tensor([mark.target for mark in marks])[which]
        return Change(chosen, labels, inputs, (FIRST_TRIGGER + which).to(torch.int8))

    @classmethod
    def marks(cls, params: SeveralTriggersParams, spec: CorruptionSpec, classes: int) -> tuple[Mark, ...]:
        """The first is the scenario's patch, or the usual one; the next ones are the same in the other corners."""
        first = spec.trigger if spec.trigger.kind == "patch" else TriggerSpec()
        corners: list[Corner] = [first.corner, *(one for one in get_args(Corner) if one != first.corner)]
        return tuple(
            Mark(
                f"trigger {k + 1}, {corners[k]}",
                first.model_copy(update={"corner": corners[k]}),
                FIRST_TRIGGER + k,
                (spec.target_class + k) % max(1, classes),
            )
            for k in range(params.triggers)
        )
