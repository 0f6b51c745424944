"""A folder of images in which what data health looks for was planted, and a clean one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

CLASSES = ("ant", "bee")


def photograph(seed: int, size: tuple[int, int] = (64, 64), lift: float = 0.0) -> Image.Image:
    """Something like a photograph: smooth colours, edges and grain, all by the seed. ``lift``: levels added."""
    rng = np.random.default_rng(seed)
    width, height = size
    coarse = rng.integers(40, 200, (5, 5, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.float64).copy()
    for _ in range(6):
        left, top = rng.integers(0, width - 8), rng.integers(0, height - 8)
        right, low = left + rng.integers(6, width // 2), top + rng.integers(6, height // 2)
        pixels[top:low, left:right] = rng.integers(0, 255, 3)
    pixels += rng.normal(0, 6, pixels.shape) + lift
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def make_clean(root: Path, train: int = 100, test: int = 10, classes: tuple[str, ...] = CLASSES) -> Path:
    """``train`` and ``test`` different images of every class, ``root/train/<class>/NNN.png``."""
    for half, count, first in (("train", train, 0), ("test", test, 500_000)):
        for label, name in enumerate(classes):
            folder = root / half / name
            folder.mkdir(parents=True, exist_ok=True)
            for k in range(count):
                photograph(first + 10_000 * label + k).save(folder / f"{k:03}.png")
    return root


def plant(root: Path) -> dict[str, set[str]]:
    """Spoil some of a clean folder's images; which ones, by the name of the finding."""
    ants, bees = root / "train" / "ant", root / "train" / "bee"
    planted: dict[str, set[str]] = {}
    for k in range(3):
        photograph(k).filter(ImageFilter.GaussianBlur(5)).save(ants / f"{k:03}.png")
        Image.fromarray((np.asarray(photograph(10_000 + k)) // 10).astype(np.uint8)).save(bees / f"{k:03}.png")
        light = 250 + np.asarray(photograph(20 + k), np.uint16) // 60
        Image.fromarray(light.clip(0, 255).astype(np.uint8)).save(ants / f"{20 + k:03}.png")
    photograph(30, (300, 300)).save(ants / "030.png")
    photograph(31, (16, 16)).save(ants / "031.png")
    photograph(40, (200, 40)).save(ants / "040.png")
    Image.new("RGB", (64, 64), (120, 120, 120)).save(ants / "050.png")
    (ants / "061.png").write_bytes((ants / "060.png").read_bytes())
    Image.open(ants / "062.png").save(ants / "063.jpg", quality=75)
    (ants / "063.png").unlink()
    (bees / "070.png").write_bytes((ants / "070.png").read_bytes())
    (root / "test" / "bee" / "000.png").write_bytes((bees / "080.png").read_bytes())
    planted["blurry"] = {f"train/ant/{k:03}.png" for k in range(3)}
    planted["dark"] = {f"train/bee/{k:03}.png" for k in range(3)}
    planted["bright"] = {f"train/ant/{20 + k:03}.png" for k in range(3)}
    planted["odd_size"] = {"train/ant/030.png", "train/ant/031.png"}
    planted["odd_shape"] = {"train/ant/040.png"}
    planted["low_information"] = {"train/ant/050.png"}
    planted["exact_copies"] = {"train/ant/060.png", "train/ant/061.png", "train/ant/070.png", "train/bee/070.png"}
    planted["near_copies"] = {"train/ant/062.png", "train/ant/063.jpg"}
    planted["torn_copies"] = {"train/ant/070.png", "train/bee/070.png"}
    planted["shared_copies"] = {"train/bee/080.png"}
    return planted
