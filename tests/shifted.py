"""A corruption that takes the dial's place in tests, as a plug-in's would: its outcome can be told by hand."""

from __future__ import annotations

from typing import Any

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption import Change, Corruption
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError


class ShiftParams(ComponentParams):
    by: int = Field(1, ge=1, le=4, description="How many classes further the given label is")


class Shift(Corruption[ShiftParams]):
    """The first examples of the training set get the label of a class further on; points are refused."""

    name, label, summary = "shift", "Shifted labels", "Labels of the next class."

    @classmethod
    def change(cls, params: Any, train: LabelledData, count: int, seed: int) -> Change:
        if not train.is_image:
            raise UserError("Shifted labels are for images.")
        return Change(torch.arange(count), (train.labels[:count] + params.by) % train.classes)
