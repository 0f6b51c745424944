"""Where the precomputed scenes lie: apart from all that computes, because the app's first page waits for this module."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any, Final

from unlearn_core.support.dashboard import DASHBOARD

FOLDER: Final = DASHBOARD / "assets" / "start"
"""``python assets/make_start.py`` writes it."""
SCENES, PROVENANCE = FOLDER / "scenes.bin", FOLDER / "provenance.json"
_ARRAYS = ("points", "clean", "corrupted")
BURST, BURST_PROVENANCE = FOLDER / "burst.bin", FOLDER / "burst.json"
"""The star-burst: ``python assets/make_burst.py``."""


def packed_scenes() -> bytes | None:
    """The packed scenes, as the browser takes them; None where they are not there."""
    return SCENES.read_bytes() if SCENES.is_file() else None


def opening_scene(packed: bytes) -> bytes:
    """The part of packed scenes that the picture opens with: what is said of all of them and the arrays of the first one, laid
    out alike but not compressed: a browser reads it at once, without turns that it would give to other work first."""
    raw = gzip.decompress(packed)
    start = 4 + int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4:start])
    data = bytearray()

    def taken(entry: dict[str, Any]) -> dict[str, Any]:
        size = math.prod(entry["shape"]) * {"uint8": 1, "uint16": 2}[entry["type"]]
        data.extend(bytes(-len(data) % 4) + raw[start + entry["at"] : start + entry["at"] + size])
        return entry | {"at": len(data) - size}

    for scene in header["scenes"]:
        if any(scene[name] != value for name, value in header["first"].items()):
            for name in (*_ARRAYS, "films"):
                del scene[name]
            scene["later"] = True
            continue
        scene |= {name: taken(scene[name]) for name in _ARRAYS}
        for film in scene["films"].values():
            film |= {name: taken(film[name]) for name in ("ground", "right")}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return len(text).to_bytes(4, "little") + text + bytes(data)


def packed_burst() -> bytes | None:
    """The packed star-burst, as the browser takes it; None where it is not there."""
    return BURST.read_bytes() if BURST.is_file() else None
