"""The star-burst as one compressed block of bytes that a browser unpacks, laid out as :mod:`.pack` lays out scenes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from unlearn_core.views.start.burst import FIRST, SignBurst
from unlearn_core.views.start.burst_sentences import HOME, describe_method, opening
from unlearn_core.views.start.pack import Writer, compress

COLUMNS: Final = 12
"""Pictures in a row of the sheet that holds them all."""
QUALITY: Final = 85
_MARGIN: Final = 0.05


def pack_burst(burst: SignBurst, labels: dict[str, str], colors: Sequence[str]) -> bytes:
    """``labels``: what each method is called; ``colors``: of the classes by position. Equal pictures give equal bytes."""
    writer = Writer()
    header = {
        "classes": list(burst.classes),
        "colors": [colors[k % len(colors)] for k in range(len(burst.classes))],
        "known": burst.known,
        "discovery": burst.scenario.discovery,
        "seed": burst.scenario.seed,
        "dataset": burst.scenario.dataset.name,
        "first": FIRST,
        "opening": opening(burst),
        "home": HOME,
        "places": writer.add(_places(burst.places)),
        "clean": writer.add(burst.clean.astype(np.uint8)),
        "corrupted": writer.add(burst.corrupted.astype(np.uint16)),
        "sheet": writer.add(np.frombuffer(sheet(burst.pictures), np.uint8)),
        "columns": COLUMNS,
        "side": burst.pictures.shape[1],
        "models": [_model(burst, name, labels.get(name, "Original")) for name in burst.models],
    }
    return compress(header, writer)


def _places(places: np.ndarray) -> np.ndarray:
    """All models in one window, in steps of its 65,536th part; y grows upwards."""
    low, high = places.min((0, 1)), places.max((0, 1))
    room = _MARGIN * (high - low)
    inside = (places - (low - room)) / (high - low + 2 * room)
    return np.asarray(np.round(inside * 65535).clip(0, 65535).astype(np.uint16))


def _model(burst: SignBurst, name: str, label: str) -> dict[str, Any]:
    arrived, unknown = burst.arrived(name)
    said = describe_method(burst, name) if name in burst.models[1:] else ""
    return {"name": name, "label": label, "arrived": arrived, "undiscovered": unknown, "sentence": said}


def sheet(pictures: np.ndarray) -> bytes:
    """Pictures (n, H, W, 3) side by side, row after row, as one JPEG."""
    from PIL import Image

    count, height, width, channels = pictures.shape
    rows = -(-count // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, height, width, channels), np.uint8)
    tiles[:count] = pictures
    grid = tiles.reshape(rows, COLUMNS, height, width, channels).swapaxes(1, 2)
    whole = grid.reshape(rows * height, COLUMNS * width, channels)
    target = io.BytesIO()
    Image.fromarray(whole).save(target, "JPEG", quality=QUALITY)
    return target.getvalue()
