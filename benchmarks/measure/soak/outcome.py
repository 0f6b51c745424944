"""What a disturbed store holds in the end, beside an undisturbed one: the same records, the same bits, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.store import Store
from unlearn_core.store.artifacts import GRACE
from unlearn_core.store.location import resolve
from unlearn_core.support.scratch import PREFIX

TIMINGS = "seconds"
"""Values with this in their name depend on the clock."""


def compare(disturbed: str | Path, calm: str | Path, keys: Collection[str] | None = None) -> dict[str, Any]:
    """The records of both stores (of these keys), arrays with their checksums: how many there are, and which differ."""
    one, other = contents(disturbed), contents(calm)
    wanted = sorted(set(one) | set(other)) if keys is None else sorted(keys)
    return {"records": len(one), "different": [key for key in wanted if not same(one.get(key), other.get(key))]}


def contents(place: str | Path) -> dict[str, tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]]:
    """Key → (metrics without timings, arrays); raises ``MissingArtifact`` where a file is not what was recorded."""
    store = Store.open(place)
    found = {}
    for record in store.find():
        metrics = {name: value for name, value in record.payload.get("metrics", {}).items() if TIMINGS not in name}
        found[record.key] = metrics, {name: store.arrays(record.key, name) for name in record.arrays}
    store.close()
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two records have the same metrics and the same bits in every array."""
    if one is None or other is None or one[0] != other[0] or set(one[1]) != set(other[1]):
        return False
    return all(
        set(group) == set(other[1][name]) and all(group[part].tobytes() == other[1][name][part].tobytes() for part in group)
        for name, group in one[1].items()
    )


def leftovers(place: str, scratch: Path) -> dict[str, int]:
    """What is left besides results. ``files_swept``: files of killed writers, which a store removes once they are old."""
    root = resolve(place)[1]
    old = time.time() - 2 * GRACE
    for file in root.glob("??/*"):
        os.utime(file, (old, old))
    store = Store.open(place, sweep=False)
    rows, files = store.sweep()
    records = store.find()
    wanted = sum(len(record.arrays) for record in records)
    failures = sum(store.failure(record.key) is not None for record in records)
    leases = len(store.leases.of(record.key for record in records))
    store.close()
    return {
        "rows_dropped": rows,
        "files_swept": files,
        "files_left_over": len(list(root.glob("??/*"))) - wanted,
        "failures_left_over": failures,
        "leases_left_over": leases,
        "scratch_left_over": len(list(scratch.glob(f"{PREFIX}*"))),  # ``scratch``: the temporary folder of every program
    }
