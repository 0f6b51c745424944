"""What is stored of likeness, and how it is read for one example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario

REVISION = 1
KEPT = 31
"""So many are kept for each example."""
WAYS: Final = {
    "original": "The original's features",
    "gradient": "The pull on the last layer",
    "healed": "The healed model's features",
}
"""By what examples are alike: cosine of penultimate features of the original or of the healed model; or of the gradients of the
last layer's loss, with the healed model where there is one."""


@dataclass(frozen=True)
class Alike:
    """``indices`` int64 (k,): training examples, the most alike first; ``likeness`` float (k,), from −1 to 1."""

    indices: np.ndarray
    likeness: np.ndarray


def likeness_key(scenario: Scenario, way: str, spec: MethodSpec | None) -> str:
    """Key of likeness by the original (``spec`` None) or by the model after a run."""
    return content_key("likeness", REVISION, way, scenario.original_key if spec is None else scenario.run_key(spec))


def read_alike(store: Results, key: str, index: int) -> Alike:
    """What is most like one example. Raises LookupError where nothing is stored, or there is no such example."""
    if store.get(key) is None:
        raise LookupError(f"no likeness is stored under {key}")
    arrays = store.arrays(key, "likeness")
    if not 0 <= index < len(arrays["nearest"]):
        raise LookupError(f"there is no example {index}")
    return Alike(arrays["nearest"][index].astype(np.int64), arrays["values"][index].astype(np.float64))
