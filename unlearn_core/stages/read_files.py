"""The stage that reads a user's files: hashed, decoded and checked on a worker, which leaves them in the image cache."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unlearn_core.canonical import content_key
from unlearn_core.datasets import load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.specs import DatasetSpec
from unlearn_core.stages.execution import report_step
from unlearn_core.stages.stage import Stage, register_stage
from unlearn_core.support.deferring import report_reading

if TYPE_CHECKING:
    from unlearn_core.stages.recorder import Progress
    from unlearn_core.store import Store


def plan_reading(dataset: str, params: Mapping[str, Any], seed: int | None, state: str) -> Stage:
    """The stage after which these files are in the cache. ``seed`` None: only what they hold is found out; ``state`` names
    what they held when the plan was made."""
    payload = {"dataset": dataset, "params": dict(params), "seed": seed}
    title = "Looking through the files" if seed is None else "Decoding the images"
    return Stage("reading", content_key("reading", payload, state), title, payload, lane="look")


@register_stage("reading")
def read_files(stage: Stage, store: Store, device: str, reporter: Progress) -> None:
    """Read the files. The record says no more than that this was done."""
    step = functools.partial(report_step, reporter)
    step(0, 1)
    source, given, seed = datasets.get(stage.payload["dataset"]), dict(stage.payload["params"]), stage.payload["seed"]
    counts = {}
    with report_reading(step):
        if seed is None:
            source.look(source.params(given))
        else:
            params = source.full_params(given)
            split = load_dataset(DatasetSpec(name=source.name, params=params), seed)
            counts = {"train": len(split.train), "test": len(split.test)}
    store.put(stage.key, "reading", dict(stage.payload), counts, {})
