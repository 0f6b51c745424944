"""The torchvision guard: beside a CPU-only torch the default wheel must still be usable."""

from __future__ import annotations

import torch

from unlearn_core.support.torchvision_compat import torchvision


def test_torchvision_can_be_used_after_the_guard() -> None:
    vision = torchvision()  # the first call of this process, or one that comes after it
    from torchvision import datasets
    from torchvision.transforms import v2

    assert vision.models.resnet18(num_classes=3).eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    assert v2.functional.resize(torch.zeros(3, 8, 8), [4, 4]).shape == (3, 4, 4)
    assert issubclass(datasets.CIFAR10, torch.utils.data.Dataset)
