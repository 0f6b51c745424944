"""A program that the short soak disturbs: stages that take a moment and write half a megabyte each. Quick to import."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from tests.engine.dummy import Stage
from unlearn_core.engine import Engine
from unlearn_core.store import Store

KEYS = tuple(f"key{number:02}" for number in range(20))


def write(stage: Stage, store: Store, device: str, reporter: Any) -> None:
    time.sleep(0.15)
    store.put(stage.key, stage.kind, {}, {}, {}, {"w": {"a": np.arange(60_000) + int(stage.key[3:])}})


def compute(place: str) -> int:
    """0 where everything was computed."""
    engine = Engine(Store.open(place), address="inline", runner="tests.engine.writes:write")
    stages: list[Any] = [Stage(key) for key in KEYS]
    done = engine.wait(engine.submit(stages, "all"), 120)
    print(*(stage.message for stage in done.stages if stage.message), sep="\n")
    engine.close()
    return 0 if done.state == "done" else 1


if __name__ == "__main__":
    sys.exit(compute(sys.argv[1]))
