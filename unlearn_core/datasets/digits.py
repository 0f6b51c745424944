"""Handwritten digits: 1,797 real 8×8 scans that come with scikit-learn (Alpaydin & Kaynak 1998). The embedded default."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
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
        grey, labels = torch.from_numpy(read_scans()).split((64, 1), dim=1)
        # Sixteen grey levels become the full byte range, so that a trigger value of 255 is the brightest pixel there is.
        pixels = grey.mul(255 / 16).round().to(torch.uint8).reshape(-1, 1, 8, 8)
        data = LabelledData(pixels, labels[:, 0].long(), tuple(str(k) for k in range(10)))
        return stratified_split(data, test=cls.sizes[1], seed=seed)


def read_scans() -> np.ndarray:
    """scikit-learn's table of scans, shape (1797, 65): 64 grey levels from 0 to 16 and the digit.

    Its own reader is not asked, because the import of scikit-learn takes a second of every start. Raises ``FileNotFoundError``.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise FileNotFoundError("scikit-learn, which holds the digits, is not installed.")
    table: np.ndarray = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return table
