"""What the store's tests share: a small record, its files, time passing for a file, and how an error reads."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.errors import UserError
from unlearn_core.store import Store
from unlearn_core.store.artifacts import GRACE
from unlearn_core.store.database import Database
from unlearn_core.store.location import resolve

KEY = "0123456789abcdef"
WEIGHTS = {"layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(7)}


def put(store: Store, key: str = KEY, **arrays: dict[str, np.ndarray]) -> None:
    store.put(key, "run", {"seed": 0}, {"metrics": {"healed": 0.5}}, {"torch": "2"}, arrays or {"weights": WEIGHTS})


def artifacts_of(store: Store) -> Path:
    """The folder of its array files."""
    return resolve(store.location)[1]


@contextlib.contextmanager
def database_of(store: Store) -> Iterator[Database]:
    """The store's database by connections of the test's own."""
    database = Database(resolve(store.location)[0])
    yield database
    database.close()


def files(store: Store) -> list[Path]:
    """Everything in the folders of array files, temporary ones as well."""
    return sorted(p for p in artifacts_of(store).glob("??/*") if p.is_file())


def age(path: Path) -> None:
    """Let the file look as if it had not been touched for a while."""
    old = time.time() - 2 * GRACE
    os.utime(path, (old, old))


def damage(path: Path, how: str) -> None:
    """Remove, truncate, extend, or flip one bit."""
    data = path.read_bytes()
    if how == "remove":
        path.unlink()
    else:
        flipped = data[:-1] + bytes([data[-1] ^ 1])
        path.write_bytes({"truncate": data[:-4], "extend": data + b"x", "flip": flipped}[how])


def expect_one_sentence(caught: pytest.ExceptionInfo[UserError]) -> None:
    """The user reads one sentence and no traceback."""
    text = str(caught.value)
    assert "\n" not in text
    assert "Traceback" not in text
    assert text[-1] in ".?"
