"""What the store's tests share: a small record, its files, and time passing for a file."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from unlearn_core.store import Store
from unlearn_core.store import artifacts as _artifacts

KEY = "0123456789abcdef"
WEIGHTS = {"layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(7)}


def put(store: Store, key: str = KEY, **arrays: dict[str, np.ndarray]) -> None:
    store.put(key, "run", {"seed": 0}, {"metrics": {"healed": 0.5}}, {"torch": "2"}, arrays or {"weights": WEIGHTS})


def files(store: Store) -> list[Path]:
    """Everything in the folders of array files, temporary ones as well."""
    return sorted(p for p in store._artifacts.root.glob("??/*") if p.is_file())


def age(path: Path) -> None:
    """Let the file look as if nobody had touched it for a while."""
    old = time.time() - 2 * _artifacts.GRACE
    os.utime(path, (old, old))


def damage(path: Path, how: str) -> None:
    """Remove, truncate, extend, or flip one bit."""
    data = path.read_bytes()
    if how == "remove":
        path.unlink()
    else:
        flipped = data[:-1] + bytes([data[-1] ^ 1])
        path.write_bytes({"truncate": data[:-4], "extend": data + b"x", "flip": flipped}[how])
