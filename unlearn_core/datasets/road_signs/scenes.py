"""A sign in a scene: background, perspective, light, tint, occlusion, blur and noise, all from one stream of random bits.

Each image takes the same number of draws, so that the first n images are the same however many follow. The bits come from
PCG64, whose stream numpy keeps for good (NEP 19), and are turned into numbers here, which numpy may do otherwise one day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unlearn_core.datasets.road_signs.faces import FACES, NAMES
from unlearn_core.datasets.road_signs.shapes import Field

SIDE = 32
_COARSE, _FINE, _SCENE = 3, 7, 24
_BACKGROUND = (_COARSE * _COARSE + _FINE * _FINE) * 3
_NOISE = 3 * SIDE * SIDE
_DRAWS = _SCENE + _BACKGROUND + _NOISE
_CHUNK = 100
"""Images at a time: what belongs to them fits into a processor's cache."""


def draw(classes: npt.NDArray[np.int64], stream: tuple[int, ...]) -> tuple[npt.NDArray[np.uint8], Field]:
    """Images (n, 3, 32, 32), one for each class number, and where their signs are (n, 3): column and row of the middle, radius.
    ``stream`` names the random bits."""
    bits = np.random.PCG64(list(stream))
    parts = [_draw(classes[at : at + _CHUNK], bits) for at in range(0, len(classes), _CHUNK)]
    return np.concatenate([images for images, _ in parts]), np.concatenate([places for _, places in parts])


def _draw(classes: npt.NDArray[np.int64], bits: np.random.PCG64) -> tuple[npt.NDArray[np.uint8], Field]:
    raw = bits.random_raw(len(classes) * _DRAWS).reshape(len(classes), _DRAWS)
    scene = Scene(_uniform(raw[:, :_SCENE]))
    picture = _background(_uniform(raw[:, _SCENE : _SCENE + _BACKGROUND]))
    x, y = scene.coordinates()
    for number, name in enumerate(NAMES):
        mine = np.flatnonzero(classes == number)
        if not len(mine):
            continue
        for distance, colour in FACES[name](x[mine], y[mine]):
            cover = _cover(distance, scene.scale[mine])[:, None]
            picture[mine] += cover * (np.array(colour, np.float32)[:, None, None] - picture[mine])
    picture = scene.occlude(picture)
    picture = scene.light(scene.soften(picture))
    noise = _bell(raw[:, _SCENE + _BACKGROUND :]).reshape(picture.shape)
    picture += scene.grain * noise
    return np.floor(np.minimum(np.maximum(picture, 0), 255) + np.float32(0.5)).astype(np.uint8), scene.places()


def _uniform(raw: npt.NDArray[np.uint64]) -> Field:
    """Numbers from [0, 1), 24 bits each."""
    found: Field = (raw >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
    return found


def _bell(raw: npt.NDArray[np.uint64]) -> Field:
    """Nearly normal numbers of mean 0 and deviation 1: four 16-bit numbers of each draw, added."""
    total = np.zeros(raw.shape, np.float32)
    for shift in (0, 16, 32, 48):
        total += ((raw >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float32)
    return (total * np.float32(1 / 65536) - np.float32(2)) * np.float32(1.7320508)


def _cover(distance: Field, scale: Field) -> Field:
    """The share of a pixel that lies inside: a ramp one pixel wide."""
    share: Field = np.minimum(np.maximum(np.float32(0.5) - distance * scale[:, None, None], 0), 1)
    return share


def _background(values: Field) -> Field:
    """Soft patches of colour (n, 3, 32, 32): a coarse grid and a finer one, each interpolated."""
    coarse = values[:, : _COARSE * _COARSE * 3].reshape(-1, 3, _COARSE, _COARSE)
    fine = values[:, _COARSE * _COARSE * 3 :].reshape(-1, 3, _FINE, _FINE)
    return np.float32(165) * _enlarge(coarse) + np.float32(75) * _enlarge(fine)


def _enlarge(grid: Field) -> Field:
    """Bilinear interpolation of (n, 3, k, k) to the picture's side."""
    at = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) * np.float32((grid.shape[-1] - 1) / SIDE)
    low = at.astype(np.int64)
    share = at - low
    rows = grid[:, :, low] * (1 - share)[:, None] + grid[:, :, low + 1] * share[:, None]
    found: Field = rows[..., low] * (1 - share) + rows[..., low + 1] * share
    return found


@dataclass
class Scene:
    """What is at random about an image besides its background and noise. ``u``: (n, 24) numbers from [0, 1)."""

    u: Field

    def __post_init__(self) -> None:
        u = self.u
        self.scale = np.float32(7.5) + np.float32(5.5) * u[:, 0]  # pixels from the middle of the sign to its rim
        self.grain = (np.float32(2) + np.float32(10) * u[:, 1] * u[:, 1])[:, None, None, None]

    def _between(self, place: int, low: float, high: float) -> Field:
        found: Field = (np.float32(low) + np.float32(high - low) * self.u[:, place])[:, None, None]
        return found

    def places(self) -> Field:
        """Column and row of the sign's middle, and its radius, in pixels (n, 3)."""
        right, down = (np.float32((SIDE - 1) / 2) + self._away(place) for place in (2, 3))
        return np.stack([right, down, self.scale], axis=1)

    def _away(self, place: int) -> Field:
        """How far the sign is from the middle of the picture."""
        found: Field = np.maximum(np.float32(15) - self.scale, 0) * self._between(place, -1, 1)[:, 0, 0]
        return found

    def coordinates(self) -> tuple[Field, Field]:
        """Where each pixel lies on the sign: moved, turned, slanted, stretched, seen from the side."""
        steps = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
        right, down = steps[None, None, :] - self._away(2)[:, None, None], steps[None, :, None] - self._away(3)[:, None, None]
        t = self._between(4, -0.13, 0.13)  # the tangent of half the angle: no sine is needed
        cos, sin = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        far = 1 + (self._between(5, -0.3, 0.3) * right + self._between(6, -0.3, 0.3) * down) / np.float32(SIDE)
        size = self.scale[:, None, None] * far
        x, y = (cos * right + sin * down) / size, (cos * down - sin * right) / size
        x = x + self._between(7, -0.18, 0.18) * y
        return x / self._between(8, 0.82, 1.0), y / self._between(9, 0.9, 1.0)

    def occlude(self, picture: Field) -> Field:
        """A leaf or a sticker's worth of something round in front of a third of the signs."""
        steps = np.arange(SIDE, dtype=np.float32)
        dx = steps[None, None, :] - self._between(10, 4, 28)
        dy = steps[None, :, None] - self._between(11, 4, 28)
        there = self.u[:, 12] < np.float32(0.3)
        radius = self._between(13, 1.5, 4.0)
        distance = np.sqrt(dx * dx + dy * dy) - radius
        cover = np.minimum(np.maximum(np.float32(0.5) - distance, 0), 1) * there[:, None, None]
        colour = (np.float32(30) + np.float32(130) * self.u[:, 14:17])[:, :, None, None]
        found: Field = picture + cover[:, None] * (colour - picture)
        return found

    def soften(self, picture: Field) -> Field:
        """Out of focus by up to a pixel: mixed with itself smoothed by 1, 2, 1 both ways."""
        padded = np.concatenate([picture[:, :, :1], picture, picture[:, :, -1:]], axis=2)
        smooth = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) * np.float32(0.25)
        padded = np.concatenate([smooth[..., :1], smooth, smooth[..., -1:]], axis=3)
        smooth = (padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]) * np.float32(0.25)
        found: Field = picture + self._between(17, 0.0, 1.0)[:, None] * (smooth - picture)
        return found

    def light(self, picture: Field) -> Field:
        """Brightness, contrast and the colour of the light."""
        tint = (np.float32(0.88) + np.float32(0.24) * self.u[:, 18:21])[:, :, None, None]
        gain = self._between(21, 0.42, 1.18)[:, None]
        haze = self._between(22, 0.0, 0.32)[:, None]
        lit = picture * tint * gain
        found: Field = lit + haze * (np.float32(150) * gain - lit)
        return found
