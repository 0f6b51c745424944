"""Network, recipe and corruption by the size, kind and number of the images."""

from __future__ import annotations

from unlearn_core.datasets.base import Preset
from unlearn_core.specs import TrainingSpec, TriggerSpec

SMALLEST_RESNET, SMALL_GREY = 24, 28
FEW, MANY = 5_000, 20_000


def preset_for(*, size: int, channels: int, classes: int, train: int) -> Preset:
    """ResNet-9 at a quarter of its width for photographs; the small convolutional network for tiny and for small grey images.

    ``size``: side in pixels; ``train``: training images. The two confused classes are 3 and 5, as in the paper, where there
    are so many.
    """
    pair = (3, 5) if classes > 5 else (0, 1)
    trigger = TriggerSpec(size=3 if size >= 16 else 2)
    if size < SMALLEST_RESNET or (channels == 1 and size <= SMALL_GREY):
        return Preset("cnn", _small(train), {}, *pair, trigger=trigger)
    memorising, accurate, quick = _memorising(train), _accurate(train), _quick(train)
    return Preset("resnet9", memorising, {"width": 0.25}, *pair, trigger=trigger, accurate=accurate, quick=quick)


def _memorising(train: int) -> TrainingSpec:
    """Without crops and flips a network learns its wrong labels by heart: then there is something to heal (docs/data.md)."""
    return _accurate(train).model_copy(update={"epochs": 15, "augment": False})


def _accurate(train: int) -> TrainingSpec:
    """Chosen by held-out training images of CIFAR-10 (never test images): see docs/data.md for what else was tried.

    The first steps decide: without clipping and a long warm-up the loss jumps, and the network is still behind at the end.
    """
    epochs = 25 if train <= FEW else 10
    return TrainingSpec(
        epochs=epochs, batch_size=64, learning_rate=0.1, warmup=0.2, final=0.0, clip=1.0, weight_decay=5e-4, augment=True
    )


def _quick(train: int) -> TrainingSpec:
    """Half of the accurate recipe's time. Of few images it is nearly as accurate; of many, each seen seldom, it is not."""
    changes = {"epochs": 19 if train <= FEW else 7, "whiten": True, "small": 0.6}
    return _accurate(train).model_copy(update=changes)


def _small(train: int) -> TrainingSpec:
    """The recipe of the built-in digits; with more images as many steps need fewer passes."""
    return TrainingSpec(epochs=30 if train <= FEW else 15 if train <= MANY else 6, batch_size=64, learning_rate=0.05)
