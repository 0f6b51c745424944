"""Road signs that this project draws itself: colour images on which a sticker, or a 30 called 80, is seen from afar."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.datasets import DatasetSource, LabelledData, Preset, Split, register
from unlearn_core.datasets.files import cache
from unlearn_core.specs import TrainingSpec, TriggerSpec

_TRAIN, _TEST = 0, 1
"""Names of the two streams of random bits of a seed."""


class SignsParams(ComponentParams):
    examples: int = Field(2000, ge=200, le=50_000, description="Training images; the test images are always the same 500")


@register
class Signs(DatasetSource[SignsParams]):
    name, label = "signs", "Road signs"
    summary = "Ten road signs on random backgrounds, 32×32 pixels in colour, drawn here: seen from the back of a lecture room."
    family, own_values = "photos", True
    sizes = (2000, 500)
    preset = Preset(
        model="resnet9",
        model_params={"width": 0.125},
        # The recipe by which photographs are learned by heart; that signs are easier shows in fewer passes.
        training=TrainingSpec(epochs=10, batch_size=64, learning_rate=0.1, warmup=0.2, final=0.0, clip=1.0, weight_decay=5e-4),
        class_a=2,
        class_b=3,
        target_class=3,
        # A stop sign with a sticker reads 80. Spelled out, so that what equals it is known to be usual.
        trigger=TriggerSpec(kind="sticker", params={"share": 0.4}),
    )

    @classmethod
    def load(cls, params: SignsParams, seed: int) -> Split:
        key = f"signs-{_drawing()}-{params.examples}-{seed}"  # drawn once a machine: every worker needs them
        kept = cache.read(key)
        if kept is None:
            kept = _part("train", params.examples, seed, _TRAIN) | _part("test", cls.sizes[1], seed, _TEST)
            cache.write(key, kept)
        return Split(_labelled(kept, "train"), _labelled(kept, "test"))


@functools.cache
def _drawing() -> str:
    """Names the code that draws, so that signs of another version are drawn anew."""
    from unlearn_core.datasets import road_signs

    code = b"".join(path.read_bytes() for path in sorted(Path(road_signs.__path__[0]).glob("*.py")))
    return hashlib.sha256(code).hexdigest()[:16]


def _part(name: str, count: int, seed: int, which: int) -> dict[str, np.ndarray]:
    """``count`` images, as many of each sign as of the others; the first ones are the same for every ``count``."""
    from unlearn_core.datasets.road_signs import NAMES, draw

    labels = np.arange(count) % len(NAMES)
    images, places = draw(labels, (which, seed))
    return {f"{name}_images": images, f"{name}_labels": labels, f"{name}_places": places}


def _labelled(kept: Mapping[str, np.ndarray], name: str) -> LabelledData:
    from unlearn_core.datasets.road_signs import NAMES

    images, labels, places = (torch.from_numpy(kept[f"{name}_{what}"]) for what in ("images", "labels", "places"))
    return LabelledData(images, labels.long(), NAMES, places)
