"""Scenes as one compressed block of bytes that a browser unpacks: a header in JSON, then arrays one after the other.

Layout, gzip-compressed: uint32 (little-endian) length of the header; the header; the arrays. An array's entry in the header
has ``at`` (bytes from the end of the header), ``type`` and ``shape``. Frames are kept as differences to the frame before
(bytes, modulo 256), which compress to a third. What the page opens with has the same layout without the compression
(:func:`.shipped.opening_scene`); a scene without arrays is marked there with ``later``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unlearn_core.views.start.data import GRID, LEVELS, REACH, Film, Scene
from unlearn_core.views.start.sentences import WORDS, describe, position_word

Header = dict[str, Any]
FORMAT = 1


class Writer:
    """Arrays one after the other; one that is there already is not written twice."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._entries: dict[bytes, dict[str, Any]] = {}

    def add(self, array: np.ndarray) -> dict[str, Any]:
        raw = np.ascontiguousarray(array).tobytes()
        known = str(array.dtype).encode() + repr(array.shape).encode() + raw
        if known not in self._entries:
            self.data += bytes(-len(self.data) % 4)  # a browser reads numbers at multiples of their size alone
            self._entries[known] = {"at": len(self.data), "type": str(array.dtype), "shape": list(array.shape)}
            self.data += raw
        return self._entries[known]


def pack(scenes: Sequence[Scene], effort: int = 9, **about: object) -> bytes:
    """Scenes as bytes; ``about``: what the header says beside them, plain JSON; ``effort``: gzip's, 1 to 9. Equal scenes give
    equal bytes."""
    writer = Writer()
    header = {
        "format": FORMAT, "grid": GRID, "levels": LEVELS, "reach": REACH, "words": WORDS, **about,
        "scenes": [_scene(scene, writer) for scene in scenes],
    }  # fmt: skip
    return compress(header, writer, effort)


def compress(header: Mapping[str, Any], writer: Writer, effort: int = 9) -> bytes:
    """A header and the arrays that ``writer`` has as the bytes that a browser unpacks."""
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return gzip.compress(len(text).to_bytes(4, "little") + text + bytes(writer.data), effort, mtime=0)


def _scene(scene: Scene, writer: Writer) -> dict[str, Any]:
    x0, x1, y0, y1 = scene.window
    inside = (scene.points - [x0, y0]) / [x1 - x0, y1 - y0]
    return {
        "regularity": scene.scenario.corruption.regularity,
        "discovery": scene.scenario.discovery,
        "position": position_word(scene.scenario.corruption.regularity),
        "seed": scene.scenario.seed,
        "classes": list(scene.classes),
        "window": [round(float(edge), 4) for edge in scene.window],
        "points": writer.add(np.round(inside * 65535).clip(0, 65535).astype(np.uint16)),
        "clean": writer.add(scene.clean.astype(np.uint8)),
        "corrupted": writer.add(scene.corrupted.astype(np.uint16)),
        "known": scene.known,
        "memorised": scene.memorised,
        "films": {name: _film(film, writer) for name, film in scene.films.items()},
        **describe(scene),
    }


def _film(film: Film, writer: Writer) -> dict[str, Any]:
    change = film.ground.copy()
    change[1:] -= film.ground[:-1]
    return {
        "frames": len(film),
        "ground": writer.add(change),
        "right": writer.add(np.packbits(film.right, axis=1, bitorder="little")),
        "healed": film.healed.tolist(),
        "utility": [round(float(value), 4) for value in film.utility],
        "rounds": film.rounds.tolist(),
    }


def unpack(packed: bytes) -> tuple[Header, list[dict[str, Any]]]:
    """The header, and of each scene its arrays: points, clean, corrupted, and films by name (:class:`Film`)."""
    raw = gzip.decompress(packed)
    start = 4 + int.from_bytes(raw[:4], "little")
    header: Header = json.loads(raw[4:start])

    def array(entry: Mapping[str, Any]) -> np.ndarray:
        count = int(np.prod(entry["shape"]))
        return np.frombuffer(raw, entry["type"], count, start + entry["at"]).reshape(entry["shape"])

    scenes = []
    for told in header["scenes"]:
        films = {}
        for name, film in told["films"].items():
            ground = np.cumsum(array(film["ground"]), axis=0, dtype=np.uint8)
            bits = np.unpackbits(array(film["right"]), axis=1, count=len(array(told["corrupted"])), bitorder="little")
            numbers = np.array(film["utility"], np.float32), np.array(film["rounds"], np.int32)
            films[name] = Film(ground, bits.astype(bool), *numbers)
        scenes.append({name: array(told[name]) for name in ("points", "clean", "corrupted")} | {"films": films})
    return header, scenes
