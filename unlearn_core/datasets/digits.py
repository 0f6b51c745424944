"""Handwritten digits: 1,797 real 8×8 scans that come with scikit-learn (Alpaydin & Kaynak 1998). The embedded default."""

from __future__ import annotations

import torch

from unlearn_core.component import ComponentParams
from unlearn_core.datasets import DatasetSource, LabelledData, Preset, Split, register, stratified_split
from unlearn_core.specs import TrainingSpec, TriggerSpec


@register
class Digits(DatasetSource):
    name, label = "digits", "Handwritten digits"
    summary = "1,797 scans of handwritten digits, 8×8 pixels, ten classes. Small enough that everything takes seconds."
    family = "digits"
    sizes = (1437, 360)
    preset = Preset(
        model="cnn",
        model_params={},
        training=TrainingSpec(epochs=30, batch_size=64, learning_rate=0.05),
        class_a=3,
        class_b=5,
        trigger=TriggerSpec(size=2),
    )

    @classmethod
    def load(cls, params: ComponentParams, seed: int) -> Split:
        from sklearn.datasets import load_digits

        raw = load_digits()
        # Sixteen grey levels become the full byte range, so that a trigger value of 255 is the brightest pixel there is.
        pixels = torch.from_numpy(raw.images).mul(255 / 16).round().to(torch.uint8)[:, None]
        data = LabelledData(pixels, torch.from_numpy(raw.target).long(), tuple(str(k) for k in range(10)))
        return stratified_split(data, test=cls.sizes[1], seed=seed)
