"""A corruption in a single file: examples close to another class get its label, as people make mistakes."""

from __future__ import annotations

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption import Change, Corruption, register
from unlearn_core.datasets import LabelledData


class BorderlineParams(ComponentParams):
    share: float = Field(0.5, ge=0.05, le=1, description="Share of each class, the closest to another, that may be mistaken")


@register
class Borderline(Corruption[BorderlineParams]):
    name, label = "borderline", "Borderline mistakes"
    summary = "Examples that lie close to the middle of another class get that class's label."

    @classmethod
    def change(cls, params: BorderlineParams, train: LabelledData, count: int, seed: int) -> Change:
        x, y = train.inputs.flatten(1).float(), train.labels
        middles = torch.stack([x[y == k].mean(0) for k in range(train.classes)])
        away = torch.cdist(x, middles)
        own = away.gather(1, y[:, None])[:, 0]
        nearest, label = away.scatter(1, y[:, None], torch.inf).min(1)
        candidates = (nearest - own).argsort(stable=True)[: max(count, int(params.share * len(y)))]
        drawn = torch.randperm(len(candidates), generator=torch.Generator().manual_seed(seed))[:count]
        return Change(candidates[drawn], label[candidates[drawn]])
