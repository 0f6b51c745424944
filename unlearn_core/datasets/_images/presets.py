"""Network, recipe and corruption by the size and kind of the images."""

from __future__ import annotations

from unlearn_core.datasets._base import Preset
from unlearn_core.specs import TrainingSpec, TriggerSpec

SMALLEST_RESNET = 24


def preset_for(*, size: int, channels: int, classes: int, train: int) -> Preset:
    """ResNet-9 at a quarter of its width from 24×24 pixels on, the small convolutional network below."""
    pair = (3, 5) if classes > 5 else (0, 1)
    trigger = TriggerSpec(size=3 if size >= 16 else 2)
    if size < SMALLEST_RESNET:
        recipe = TrainingSpec(epochs=30, batch_size=64, learning_rate=0.05)
        return Preset("cnn", recipe, {}, *pair, trigger=trigger)
    recipe = TrainingSpec(epochs=15, batch_size=64, learning_rate=0.05, augment=True)
    return Preset("resnet9", recipe, {"width": 0.25}, *pair, trigger=trigger)
