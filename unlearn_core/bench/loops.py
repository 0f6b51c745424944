"""The training step against the least it can cost, and against the usual way of doing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.bench.measure import Measurement, alternate, summarise
from unlearn_core.datasets import LabelledData
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import ModelSpec, Precision, TrainingSpec
from unlearn_core.support.torchvision_compat import torchvision
from unlearn_core.training import Augmentation, DeviceData, SilentReporter, Trainer, autocast, computing_in, make_optimizer

Network = tuple[str, ModelSpec, tuple[int, ...], int, int, float]
"""Name, network, shape of an example, batch size, steps, and the share of the floor that is asked for."""
NETWORKS: tuple[Network, ...] = (
    ("ResNet-9, quarter width", ModelSpec(name="resnet9", params={"width": 0.25}), (3, 32, 32), 256, 6, 0.90),
    ("digits CNN", make_scenario("digits").model, (1, 8, 8), 64, 90, 0.75),
)
USUAL_TARGET = 4.0


HALVED_TARGET = 1.3
"""Below this the switch would not be worth having."""


def random_images(count: int, shape: tuple[int, ...], classes: int = 10) -> LabelledData:
    """Noise with labels: for timing what it shows does not matter."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, *shape), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, classes, (count,), generator=generator)
    return LabelledData(images, labels, tuple(map(str, range(classes))))


def recipe(batch_size: int, augment: bool = False) -> TrainingSpec:
    return TrainingSpec(epochs=1, batch_size=batch_size, learning_rate=0.01, augment=augment)


def floor(repeats: int, device: torch.device) -> list[Measurement]:
    """Our epoch (gather, normalise, step, count) against forward, backward, step on one batch that is there already."""
    found = []
    for name, spec, shape, batch, steps, target in NETWORKS:
        data = DeviceData.place(random_images(batch * steps, shape), device)
        pairs = alternate(*_floor_pair(spec, shape, data, batch, steps), repeats, device)
        ratios = [bare / ours for bare, ours in pairs]
        note = f"{batch} images a step; ours {1000 * min(o for _, o in pairs) / steps:.2f} ms a step"
        found.append(summarise("floor", name, ratios, "of the floor's speed", target=target, note=note))
    return found


def _floor_pair(
    spec: ModelSpec, shape: tuple[int, ...], data: DeviceData, batch: int, steps: int
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    bare, ours = (build_model(spec, shape, data.classes, 0).to(data.device).train() for _ in range(2))
    x, y = data.batch(torch.arange(batch, device=data.device)), data.labels[:batch]
    optimizer = make_optimizer(bare, recipe(batch))
    trainer = Trainer(ours, data, recipe(batch), 0, SilentReporter(), snapshots=False)

    def bare_loop() -> None:
        for _ in range(steps):
            with autocast(data.device):
                loss = F.cross_entropy(bare(x).float(), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    everyone = torch.arange(len(data), device=data.device)
    return bare_loop, lambda: trainer.fit(everyone)


def halved(repeats: int, device: torch.device) -> list[Measurement]:
    """An epoch in float32 over one with "training.precision" bfloat16, on a processor; nothing on a graphics card, which
    computes in bfloat16 anyway."""
    if device.type != "cpu":
        return []
    found = []
    for name, spec, shape, batch, steps, _ in NETWORKS:
        data = DeviceData.place(random_images(batch * steps, shape), device)
        full, half = _epoch_in("usual", spec, data, batch), _epoch_in("bfloat16", spec, data, batch)
        ratios = [before / after for before, after in alternate(full, half, repeats, device)]
        target = HALVED_TARGET if spec.name == "resnet9" else None
        found.append(summarise("halved", name, ratios, "times faster", target=target, note=f"{batch} images a step"))
    return found


def _epoch_in(precision: Precision, spec: ModelSpec, data: DeviceData, batch: int) -> Callable[[], Any]:
    model = build_model(spec, tuple(data.inputs.shape[1:]), data.classes, 0).to(data.device)
    trainer = Trainer(model, data, recipe(batch), 0, SilentReporter(), snapshots=False)
    everyone = torch.arange(len(data), device=data.device)

    def epoch() -> None:
        with computing_in(precision):
            trainer.fit(everyone)

    return epoch


def usual(repeats: int, device: torch.device) -> list[Measurement]:
    """An epoch of the original against the way it is usually done: a DataLoader that transforms one image after the other,
    and a network of full width whose redirect channels are computed and multiplied by a mask of zeros."""
    shape, batch, count = (3, 32, 32), 256, 1536
    images = random_images(count, shape)
    data = DeviceData.place(images, device, Augmentation(flip=True))
    spec = ModelSpec(name="resnet9", params={"width": 0.25})
    base, full = (build_model(spec, shape, images.classes, 0).to(device).train() for _ in range(2))
    full.widen(1.0, 0)
    trainer = Trainer(base, data, recipe(batch, augment=True), 0, SilentReporter(), snapshots=False)
    everyone = torch.arange(count, device=device)
    pairs = alternate(_usual_epoch(full, images, batch, device), lambda: trainer.fit(everyone), repeats, device)
    note = f"{count:,} images of 32×32, ResNet-9 at a quarter of its width, crops and flips"
    return [
        summarise("usual", "epoch", [theirs / ours for theirs, ours in pairs], "times faster", target=USUAL_TARGET, note=note)
    ]


def _usual_epoch(full: RedirectNet, images: LabelledData, batch: int, device: torch.device) -> Callable[[], None]:
    vision = torchvision().transforms
    steps = [vision.ToPILImage(), vision.RandomCrop(32, padding=4), vision.RandomHorizontalFlip(), vision.ToTensor()]
    transform = vision.Compose([*steps, vision.Normalize((0.5,) * 3, (0.25,) * 3)])

    class Examples(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return transform(images.inputs[index]), int(images.labels[index])

    optimizer = make_optimizer(full, recipe(batch))
    mask = torch.zeros(1, full.redirect_channels, device=device)

    def epoch() -> None:
        for x, y in torch.utils.data.DataLoader(Examples(), batch_size=batch, shuffle=True):
            loss = nn.functional.cross_entropy(full(x.to(device), mask.expand(len(x), -1)), y.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()  # the running loss is printed

    return epoch
